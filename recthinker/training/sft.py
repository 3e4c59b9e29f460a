"""Supervised fine-tuning on recorded ids with TRL: the loss is on what the agent wrote, nothing is tokenized again.

Source: TRL 1.16, `SFTTrainer` with `input_ids` and `labels` columns, which it takes as they are.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast, PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from recthinker.agent import CompactFormat
from recthinker.errors import TrainingError
from recthinker.settings import TrainingSettings
from recthinker.training.base import FINAL_SHARE, MAX_GRAD_NORM, WARMUP_STEPS, Example


class _Steps(TrainerCallback):
    """Passes each logged loss on."""

    def __init__(self, on_step: Callable[[int, int, float], None]) -> None:
        self._on_step = on_step

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **kwargs: Any) -> None:
        """Called by the trainer."""
        if logs and "loss" in logs:
            self._on_step(state.global_step, state.max_steps, float(logs["loss"]))


def train_sft(
    model: LlamaForCausalLM,
    chat: CompactFormat,
    examples: Sequence[Example],
    settings: TrainingSettings,
    *,
    folder: Path,
    on_step: Callable[[int, int, float], None],
) -> float:
    """One pass over the examples, AdamW; the mean loss, nats per learned token.

    Args:
        folder: where the trainer may write.
        on_step: called with (step, steps, loss).

    Raises:
        TrainingError: no examples.
    """
    if not examples:
        raise TrainingError("SFT got no episodes; look at the training cut's held-out events")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=chat.tokenizer, eos_token="<end>", pad_token="<pad>")
    config = SFTConfig(
        output_dir=str(folder),
        max_length=None,
        packing=False,
        per_device_train_batch_size=settings.batch_size,
        num_train_epochs=1,
        learning_rate=settings.sft_lr,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": FINAL_SHARE},
        warmup_steps=WARMUP_STEPS,
        weight_decay=0.0,
        adam_beta2=0.95,
        max_grad_norm=MAX_GRAD_NORM,
        train_sampling_strategy="group_by_length",
        bf16=False,
        use_cpu=True,
        gradient_checkpointing=False,
        dataloader_num_workers=0,
        logging_steps=10,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=settings.seed,
    )
    rows = Dataset.from_dict({"input_ids": [ids for ids, _ in examples], "labels": [labels for _, labels in examples]})
    trainer = SFTTrainer(
        model=model, args=config, train_dataset=rows, processing_class=tokenizer, callbacks=[_Steps(on_step)]
    )
    trainer.remove_callback(PrinterCallback)
    return float(trainer.train().training_loss)
