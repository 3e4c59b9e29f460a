"""A language-model head that runs only where something is learned.

On a GPU the head that TRL gives a model does that; on a CPU it scores every position, tool results included, and takes
half of a training step (TRL 1.16, `trl/trainer/utils.py`, `add_fused_lm_head`). What it returns is the same.
"""

import types
from typing import Any

import torch
from transformers import PreTrainedModel
from trl.trainer.utils import FusedCausalLMOutput

from recthinker.training.examples import IGNORED


def add_learned_head(model: PreTrainedModel, temperature: float) -> None:
    """Let `model(..., labels=labels, fused_lm_head=True)` score the positions with a label only."""
    original = model.forward

    def forward(
        self: PreTrainedModel,
        *args: Any,
        fused_lm_head: bool = False,
        labels: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        if not fused_lm_head or labels is None:
            return original(*args, labels=labels, **kwargs)
        hidden = self.base_model(*args, use_cache=False, **kwargs).last_hidden_state[:, :-1]
        labels = labels[:, 1:]
        learned = labels != IGNORED
        logits = self.get_output_embeddings()(hidden[learned]) / temperature
        logprobs = torch.log_softmax(logits.float(), -1)
        chosen = logprobs.gather(-1, labels[learned][:, None])[:, 0]
        entropy = -(logprobs.exp() * logprobs).sum(-1)
        return FusedCausalLMOutput(log_probs=_spread(chosen, learned), entropy=_spread(entropy.detach(), learned))

    model.forward = types.MethodType(forward, model)


def _spread(values: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Values at the places that `where` marks, zeros elsewhere; differentiable even where it marks none."""
    return values.new_zeros(where.shape).masked_scatter(where, values)
