"""A language-model head that runs only where something is learned, and tells the whole distribution of an answer.

TRL's own tells of each token only how likely it was, and on a CPU it scores every position, tool results included,
which takes half of a training step (TRL 1.16, `trl/trainer/utils.py`, `add_fused_lm_head`). What both return is the
same.
"""

import types
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedModel
from trl.trainer.utils import FusedCausalLMOutput

from recthinker.training.examples import IGNORED


@dataclass
class LearnedOutput(FusedCausalLMOutput):
    """As TRL's, and the answers' distributions."""

    answers: torch.Tensor | None = None
    """Log-probabilities of the vocabulary at the answers asked for, one after the other, (A, V)."""


def add_learned_head(model: PreTrainedModel, temperature: float, *, answers_only: bool = False) -> None:
    """Let `model(..., labels=labels, fused_lm_head=True)` score the positions with a label only.

    With `answer_at=`, the place of each row's answer among the input ids, -1 for a row without, (B,), it returns a
    `LearnedOutput` with `answers`. A label has to stand there.

    Args:
        answers_only: leave all else to TRL's head, as on a GPU, where it holds only a part of the logits at a time.
    """
    original = model.forward

    def forward(
        self: PreTrainedModel,
        *args: Any,
        fused_lm_head: bool = False,
        labels: torch.Tensor | None = None,
        answer_at: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        if not fused_lm_head or labels is None:
            return original(*args, labels=labels, **kwargs)
        if answers_only and answer_at is None:
            return original(*args, labels=labels, fused_lm_head=True, **kwargs)
        hidden = self.base_model(*args, use_cache=False, **kwargs).last_hidden_state[:, :-1]
        labels = labels[:, 1:]
        learned = labels != IGNORED
        logits = self.get_output_embeddings()(hidden[learned]) / temperature
        logprobs = torch.log_softmax(logits.float(), -1)
        chosen = logprobs.gather(-1, labels[learned][:, None])[:, 0]
        entropy = -(logprobs.exp() * logprobs).sum(-1)
        return LearnedOutput(
            log_probs=_spread(chosen, learned),
            entropy=_spread(entropy.detach(), learned),
            answers=None if answer_at is None else logprobs[_is_answer(answer_at, learned)[learned]],
        )

    model.forward = types.MethodType(forward, model)


def _spread(values: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Values at the places that `where` marks, zeros elsewhere; differentiable even where it marks none."""
    return values.new_zeros(where.shape).masked_scatter(where, values)


def _is_answer(answer_at: torch.Tensor, learned: torch.Tensor) -> torch.Tensor:
    """Where an answer's token is foretold, (B, T - 1)."""
    places = torch.arange(1, learned.shape[1] + 1, device=learned.device)
    return places == answer_at[:, None]
