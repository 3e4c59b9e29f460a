"""The tiny Llama that is trained from scratch where no pretrained model is set: about a million parameters.

Untied embeddings (vLLM's CPU reload keeps a tied head's old weights), head size 32 (its CPU kernels take that), fp32.
"""

from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from recthinker.agent import CompactFormat
from recthinker.settings import ModelSettings

HEAD_SCALE = 0.05
"""Of the head's first weights to the embeddings they copy."""
TOKENIZER_CONFIG = '{"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<end>", "pad_token": "<pad>"}\n'


def new_model(chat: CompactFormat, settings: ModelSettings, *, max_length: int, seed: int) -> LlamaForCausalLM:
    """A model with random weights for the format's vocabulary."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=chat.vocabulary,
        hidden_size=settings.hidden_size,
        intermediate_size=settings.intermediate_size,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        head_dim=settings.hidden_size // settings.heads,
        max_position_embeddings=max_length,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=chat.end_id,
        pad_token_id=chat.pad_id,
        dtype="float32",
    )
    model = LlamaForCausalLM(config)
    _initialize(model)
    return model


@torch.no_grad()
def _initialize(model: LlamaForCausalLM) -> None:
    """Start from a model that repeats its input: large embeddings, a head along them, blocks that add nothing yet.

    What it has to learn first is to find a token and say it again; from transformers' default start that takes several
    times as many steps.
    """
    embeddings = model.model.embed_tokens.weight
    embeddings.normal_(0.0, 1.0)
    model.lm_head.weight.copy_(HEAD_SCALE * embeddings)
    for layer in model.model.layers:
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()


def save_model(model: LlamaForCausalLM, chat: CompactFormat, folder: Path) -> None:
    """Write config, safetensors and tokenizer: a folder that transformers and vLLM load."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    chat.save(folder / "tokenizer.json")
    (folder / "tokenizer_config.json").write_text(TOKENIZER_CONFIG, encoding="utf-8")
