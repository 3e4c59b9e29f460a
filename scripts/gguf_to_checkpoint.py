"""Makes a model folder (config, safetensors, tokenizer) from a GGUF file of SmolLM2.

Usage: PYTHONPATH=<folder with the package gguf> python scripts/gguf_to_checkpoint.py FILE.gguf FOLDER

The weights are what quantization left of them, as bfloat16.
"""

import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer


def main() -> None:
    """Read, unpack, write."""
    gguf, folder = Path(sys.argv[1]), Path(sys.argv[2])
    read = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16)
    # transformers refuses to save a model that it has read from GGUF: its numbers go into one that it has not.
    config = read.config
    del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.load_state_dict(read.state_dict())
    model.save_pretrained(folder)
    _tokenizer(gguf).save(str(folder / "tokenizer.json"))


def _tokenizer(gguf: Path) -> Tokenizer:
    tokenizer: Tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).backend_tokenizer
    # llama.cpp parts digits for this model by the name of its tokenizer (`LLAMA_VOCAB_PRE_TYPE_SMOLLM` in
    # src/llama-vocab.cpp); transformers does not read that name.
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, tokenizer.pre_tokenizer])
    return tokenizer


if __name__ == "__main__":
    main()
