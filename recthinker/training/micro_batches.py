"""A step's episodes in micro-batches of like length, so that little is padded."""

from collections.abc import Mapping
from typing import Any

import torch

ANSWER_SHARES = "answer_shares"
"""Of a batch: what each answer should say, a probability for each label, (B, N); its columns are no tokens."""

Batch = dict[str, Any]


def micro_batches(batch: Mapping[str, Any], parts: int) -> list[Batch]:
    """A step's episodes in `parts` of like length, each cut to its longest prompt and completion.

    Args:
        batch: tensors of B rows, prompts padded on the left, completions on the right; scalars go to every part.
    """
    lengths = batch["prompt_mask"].sum(1) + batch["completion_mask"].sum(1)
    order = torch.argsort(lengths, stable=True)
    return [_cut(batch, rows) for rows in order.chunk(parts)]


def _cut(batch: Mapping[str, Any], rows: torch.Tensor) -> Batch:
    prompt = int(batch["prompt_mask"][rows].sum(1).max())
    completion = int(batch["completion_mask"][rows].sum(1).max())
    count = len(batch["prompt_ids"])
    cut: Batch = {}
    for name, value in batch.items():
        if not isinstance(value, torch.Tensor) or value.dim() == 0 or len(value) != count:
            cut[name] = value
        elif name == ANSWER_SHARES:
            cut[name] = value[rows]
        elif name.startswith("prompt_"):
            cut[name] = value[rows, value.shape[1] - prompt :]
        else:
            cut[name] = value[rows, :completion] if value.dim() > 1 else value[rows]
    return cut
