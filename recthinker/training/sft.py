"""Supervised fine-tuning on recorded ids with TRL: the loss is on what the agent wrote, nothing is tokenized again.

Source: TRL 1.16, `SFTTrainer` with `input_ids` and `labels` columns, which it takes as they are.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from recthinker.errors import TrainingError
from recthinker.settings import Settings
from recthinker.training.adapters import adapter_config, save_plain, weights_dtype
from recthinker.training.base import FINAL_SHARE, MAX_GRAD_NORM, WARMUP_STEPS
from recthinker.training.examples import Example


class _Steps(TrainerCallback):
    """Passes each logged loss on."""

    def __init__(self, on_step: Callable[[int, int, float], None]) -> None:
        self._on_step = on_step

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **kwargs: Any) -> None:
        """Called by the trainer."""
        if logs and "loss" in logs:
            self._on_step(state.global_step, state.max_steps, float(logs["loss"]))


def train_sft(
    start: Path,
    examples: Sequence[Example],
    settings: Settings,
    *,
    folder: Path,
    on_step: Callable[[int, int, float], None],
) -> float:
    """One pass over the examples, AdamW, from the model of `start` to `folder/model`; the mean loss, nats per learned
    token.

    Args:
        folder: where the trainer may write.
        on_step: called with (step, steps, loss).

    Raises:
        TrainingError: no examples.
    """
    if not examples:
        raise TrainingError("SFT got no episodes; look at the training cut's held-out events")
    torch.set_num_threads(settings.training.threads)
    rows = Dataset.from_dict({"input_ids": [ids for ids, _ in examples], "labels": [labels for _, labels in examples]})
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(start, dtype=weights_dtype(settings)),
        args=_config(settings, folder),
        train_dataset=rows,
        processing_class=PreTrainedTokenizerFast.from_pretrained(start),
        peft_config=adapter_config(settings.rl),
        callbacks=[_Steps(on_step)],
    )
    trainer.remove_callback(PrinterCallback)
    loss = float(trainer.train().training_loss)
    save_plain(trainer.accelerator.unwrap_model(trainer.model), start, folder / "model")
    return loss


def _config(settings: Settings, folder: Path) -> SFTConfig:
    training = settings.training
    return SFTConfig(
        output_dir=str(folder),
        max_length=None,
        packing=False,
        per_device_train_batch_size=training.batch_size,
        num_train_epochs=1,
        learning_rate=training.sft_lr,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": FINAL_SHARE},
        warmup_steps=WARMUP_STEPS,
        weight_decay=0.0,
        adam_beta2=0.95,
        max_grad_norm=MAX_GRAD_NORM,
        train_sampling_strategy="group_by_length",
        bf16=settings.inference.dtype == "bfloat16",
        use_cpu=not torch.cuda.is_available(),
        gradient_checkpointing=False,
        dataloader_num_workers=0,
        logging_steps=10,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=training.seed,
    )
