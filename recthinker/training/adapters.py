"""Full weights or low-rank adapters, and the model folder that both end as.

Source of LoRA: Hu et al., 2106.09685, as in peft.
"""

import shutil
from pathlib import Path

from peft import LoraConfig, PeftModel
from transformers import PreTrainedModel

from recthinker.settings import RlSettings, Settings

ALPHA_PER_RANK = 2
KEPT = ("tokenizer*", "special_tokens_map.json", "vocab.json", "merges.txt", "chat_template*")
"""Files of a model folder that training leaves as they are."""


def adapter_config(settings: RlSettings) -> LoraConfig | None:
    """The adapters that are trained; None: all weights are."""
    if settings.method == "full":
        return None
    rank = settings.lora_rank
    return LoraConfig(
        r=rank, lora_alpha=ALPHA_PER_RANK * rank, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
    )


def weights_dtype(settings: Settings) -> str:
    """Weights that all learn stay in float32; under adapters they stand still, and may be as the engine has them."""
    return settings.inference.dtype if settings.rl.method == "lora" else "float32"


def save_plain(model: PreTrainedModel | PeftModel, start: Path, folder: Path) -> None:
    """Write a model folder that serves by itself: adapters merged in, with the tokenizer of the folder `start`."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = model.merge_and_unload() if isinstance(model, PeftModel) else model
    plain.save_pretrained(folder)
    for pattern in KEPT:
        for path in start.glob(pattern):
            shutil.copy(path, folder / path.name)
