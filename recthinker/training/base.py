"""Base training: the tiny model learns from scratch to read evidence and to act.

Three things make it learn in minutes on two cores: dense targets (at each place of a whole ranking the planner's
probabilities, not only the label that was drawn from them), short episodes first, and Muon. AdamW alone, or a loss on
the answer alone, hardly learns anything in that time.
Source of learning probabilities: Hinton, Vinyals & Dean, 1503.02531 (2015).
Source of Muon: Jordan et al., https://kellerjordan.github.io/posts/muon/ (2024), as in torch.optim.Muon.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn
from transformers import LlamaForCausalLM

from recthinker.agent import CompactFormat
from recthinker.errors import TrainingError
from recthinker.settings import TrainingSettings
from recthinker.training.examples import IGNORED, Example

WARMUP_STEPS = 20
FINAL_SHARE = 0.1
"""Of the peak learning rate, at the last step."""
SORTED_BATCHES = 32
"""Batches that are sorted by length together, so that a batch pads little."""
MAX_GRAD_NORM = 1.0
SHORT_PER_WHOLE = 2
"""Short examples in a batch for each whole one; they have about a fifth of its tokens."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """An example whose answer may be learned as probabilities."""

    example: Example
    shares: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """At each of the last P places before the end, probabilities of the first N labels times the weight of the place,
    (P, N); there the example's own labels are ignored."""

    @property
    def length(self) -> int:
        """Tokens."""
        return len(self.example[0])


def train_base(
    model: LlamaForCausalLM,
    short: Sequence[Lesson],
    whole: Sequence[Lesson],
    settings: TrainingSettings,
    *,
    chat: CompactFormat,
    on_step: Callable[[int, int, float], None],
) -> float:
    """One pass over the short examples at the peak learning rate, then one over the whole ones as it decays.

    Args:
        on_step: called with (step, steps, loss).

    Returns:
        The mean loss of the last tenth of the steps, nats per token.

    Raises:
        TrainingError: no examples, or a loss that is not finite.
    """
    first = list(_batches(short, SHORT_PER_WHOLE * settings.base_batch_size, settings.base_seed))
    batches = [*first, *_batches(whole, settings.base_batch_size, settings.base_seed)]
    if not batches:
        raise TrainingError("base training got no demonstration episodes; look at the training cut's held-out events")
    optimizers = _optimizers(model, settings)
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    peaks = [group["lr"] for group in groups]
    losses = []
    model.train()
    for step, batch in enumerate(batches):
        share = _learning_rate(step, len(first), len(batches))
        for group, peak in zip(groups, peaks, strict=True):
            group["lr"] = peak * share
        loss = _loss(model, batch, chat)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), MAX_GRAD_NORM)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        losses.append(float(loss.detach()))
        if not math.isfinite(losses[-1]):
            raise TrainingError(f"base training diverged at step {step} of {len(batches)}; lower training.muon_lr")
        on_step(step + 1, len(batches), losses[-1])
    tail = losses[-max(1, len(losses) // 10) :]
    return sum(tail) / len(tail)


def _optimizers(model: LlamaForCausalLM, settings: TrainingSettings) -> list[torch.optim.Optimizer]:
    """Muon for the hidden matrices; AdamW for the embeddings, and slower for head and norms."""
    hidden, embeddings, rest = [], [], []
    for name, parameter in model.named_parameters():
        if "embed_tokens" in name:
            embeddings.append(parameter)
        elif parameter.ndim == 2 and "lm_head" not in name:
            hidden.append(parameter)
        else:
            rest.append(parameter)
    slow = [{"params": embeddings, "lr": settings.embedding_lr}, {"params": rest, "lr": settings.adamw_lr}]
    return [
        torch.optim.Muon(hidden, lr=settings.muon_lr, weight_decay=0.0),
        torch.optim.AdamW(slow, weight_decay=0.0, betas=(0.9, 0.95)),
    ]


def _learning_rate(step: int, decay_from: int, steps: int) -> float:
    """Share of the peak: linear warm-up, flat, then linear decay from `decay_from` on."""
    warm = min(1.0, (step + 1) / WARMUP_STEPS)
    decayed = max(0, step - decay_from) / max(1, steps - decay_from)
    return warm * (1 - (1 - FINAL_SHARE) * decayed)


def _batches(lessons: Sequence[Lesson], size: int, seed: int) -> Iterator[list[Lesson]]:
    """All lessons once, in seeded order, lessons of like length together."""
    rng = random.Random(seed)
    order = list(lessons)
    rng.shuffle(order)
    for start in range(0, len(order), size * SORTED_BATCHES):
        part = sorted(order[start : start + size * SORTED_BATCHES], key=lambda lesson: lesson.length)
        batches = [part[i : i + size] for i in range(0, len(part), size)]
        rng.shuffle(batches)
        yield from batches


def _loss(model: LlamaForCausalLM, batch: list[Lesson], chat: CompactFormat) -> torch.Tensor:
    """Mean cross-entropy of what is learned. Padding is on the right, so causal attention needs no mask, and the head
    runs only where something is learned.
    """
    longest = max(lesson.length for lesson in batch)
    ids = torch.tensor([_padded(lesson.example[0], longest, chat.pad_id) for lesson in batch])
    labels = torch.tensor([_padded(lesson.example[1], longest, IGNORED) for lesson in batch])[:, 1:]
    hidden = model.model(input_ids=ids).last_hidden_state[:, :-1]
    learned = labels != IGNORED
    loss = nn.functional.cross_entropy(model.lm_head(hidden[learned]), labels[learned], reduction="sum")
    rows, places, shares = _shares(batch)
    if rows:
        predicted = model.lm_head(hidden[rows, places]).log_softmax(-1)
        loss = loss - (shares * predicted[:, list(chat.label_ids[: shares.shape[1]])]).sum()
    return loss / (learned.sum() + shares.sum())


def _padded(tokens: list[int], length: int, filler: int) -> list[int]:
    return tokens + [filler] * (length - len(tokens))


def _shares(batch: list[Lesson]) -> tuple[list[int], list[int], torch.Tensor]:
    """Rows and places before those where probabilities are learned, and these, (P, N)."""
    places = [
        (row, lesson.length - 2 - len(lesson.shares) + place)
        for row, lesson in enumerate(batch)
        for place in range(len(lesson.shares))
    ]
    most = max(lesson.shares.shape[1] for lesson in batch)
    parts = [np.pad(lesson.shares, ((0, 0), (0, most - lesson.shares.shape[1]))) for lesson in batch]
    return [row for row, _ in places], [place for _, place in places], torch.from_numpy(np.concatenate(parts))
