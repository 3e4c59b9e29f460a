"""The whole distribution of each answer: TRL's head tells how likely a token was, not what else could stand there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedModel

from recthinker.errors import ConfigError

SCALES = ("final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier", "output_multiplier")
"""What some models do to their logits, by name in the configuration; not done here."""


@dataclass(frozen=True, slots=True)
class Answers:
    """How answers are learned."""

    label_ids: Sequence[int]
    weight: float
    """Of their cross-entropy, nats, beside TRL's loss; the mean over all episodes, taught an answer or not."""


class AnswerHead:
    """Reads answers from the hidden states of the pass that has scored the calls.

    Args:
        model: without adapters around it.

    Raises:
        ConfigError: the model does more with its hidden states than its head does.
    """

    def __init__(self, model: PreTrainedModel, answers: Answers) -> None:
        found = [name for name in SCALES if getattr(model.config, name, None) not in (None, 1.0)]
        if found:
            raise ConfigError(
                f"answers cannot be learned of a {model.config.model_type}, which has {', '.join(found)}; set "
                "rl.answer_weight to 0, and rl.kl above 0 so that answers stay near those of SFT"
            )
        self._model, self._answers = model, answers
        self._hidden: torch.Tensor | None = None
        model.base_model.register_forward_hook(self._keep)

    def _keep(self, module: Any, arguments: Any, outputs: Any) -> None:
        self._hidden = outputs.last_hidden_state

    def loss(self, shares: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        """What the last pass adds to the loss; its hidden states are let go.

        Args:
            shares: what each answer should say, by label, (B, N).
            at: the answers' places among the pass's input ids, below 0 where none is taught, (B,).
        """
        assert self._hidden is not None, "no pass before"
        rows = torch.nonzero(at >= 0)[:, 0]
        hidden, self._hidden = self._hidden[rows, at[rows] - 1], None
        logprobs = self._model.get_output_embeddings()(hidden).float().log_softmax(-1)
        labels = list(self._answers.label_ids[: shares.shape[1]])
        loss: torch.Tensor = -self._answers.weight * (shares[rows] * logprobs[:, labels]).sum() / len(shares)
        return loss
