"""The whole distribution of each answer: TRL's head tells how likely a token was, not what else could stand there."""

from typing import Any

import torch
from transformers import PreTrainedModel

from recthinker.errors import ConfigError

SCALES = ("final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier", "output_multiplier")
"""What some models do to their logits, by name in the configuration; not done here."""


class AnswerHead:
    """Reads answers from the hidden states of the pass that has scored the calls.

    Args:
        model: without adapters around it.

    Raises:
        ConfigError: the model does more with its hidden states than its head does.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        found = [name for name in SCALES if getattr(model.config, name, None) not in (None, 1.0)]
        if found:
            raise ConfigError(
                f"answers cannot be learned of a {model.config.model_type}, which has {', '.join(found)}; set "
                "rl.answer_weight to 0, and rl.kl above 0 so that answers stay near those of SFT"
            )
        self._model = model
        self._hidden: torch.Tensor | None = None
        model.base_model.register_forward_hook(self._keep)

    def _keep(self, module: Any, arguments: Any, outputs: Any) -> None:
        self._hidden = outputs.last_hidden_state

    def logprobs(self, rows: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Of the vocabulary at these places of the last pass's input ids, (A, V), at temperature 1; its hidden states
        are let go.

        Args:
            rows: of the batch, (A,); `places` of the answers' tokens, (A,).
        """
        assert self._hidden is not None, "no pass before"
        hidden, self._hidden = self._hidden[rows, places - 1], None
        logprobs: torch.Tensor = self._model.get_output_embeddings()(hidden).float().log_softmax(-1)
        return logprobs
