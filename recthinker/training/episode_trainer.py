"""TRL's GRPOTrainer over whole recorded episodes: our advantages, and no work on tokens that nothing is learned from.

TRL pads a step's episodes to the longest before it cuts them into micro-batches, mixes long with short, and scores tool
results like the agent's own words. Here a step's episodes are sorted by length, each micro-batch is cut to its own
longest, and only what the agent wrote is scored. The gradient is the same; tests compare. To it comes what the answers
should say.
Source: TRL 1.16, `trl/trainer/grpo_trainer.py`; `_prepare_inputs`, `_compute_loss`,
`_generate_and_score_completions` and `_get_per_token_logps_and_entropies` are its own, private.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from trl import GRPOTrainer

from recthinker.training.examples import IGNORED
from recthinker.training.learned_head import add_learned_head

ADVANTAGES = "token_advantages"
"""Column of a rollout function's output: an advantage for each completion token."""
ANSWER_SHARES, ANSWER_AT = "answer_shares", "answer_at"
"""Two more: what the answer should say, a probability for each label; and its place in the completion, -1 for none."""
EARLIER_LOGPROBS = ("old_per_token_logps", "ref_per_token_logps")

Batch = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answers:
    """How answers are learned."""

    label_ids: Sequence[int]
    weight: float
    """Of their cross-entropy, nats, the mean over episodes, beside TRL's loss."""


class EpisodeTrainer(GRPOTrainer):
    """A GRPOTrainer whose rollout function gives the advantages, by token, in the column `ADVANTAGES`.

    Args:
        answers: where answers are learned from the columns `ANSWER_SHARES` and `ANSWER_AT`.
    """

    def __init__(self, *args: Any, answers: Answers | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answers = answers
        self._learned: torch.Tensor | None = None
        self._answer_at: torch.Tensor | None = None
        self._answered: torch.Tensor | None = None
        self._parts: list[Batch] = []
        model = self.accelerator.unwrap_model(self.model)
        base = getattr(model, "get_base_model", lambda: model)()
        add_learned_head(base, self.temperature, answers_only=self.accelerator.device.type != "cpu")

    def _prepare_inputs(self, generation_batch: Any) -> Batch:
        """A micro-batch; every `steps_per_generation` of them, new rollouts first."""
        parts: int = self.args.steps_per_generation  # type: ignore[attr-defined]  # a GRPOConfig
        if not self._parts or self._step % (parts * self.num_iterations) == 0:
            self._parts = micro_batches(self._generate_and_score_completions(generation_batch), parts)
        return self._parts[self._step % parts]

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Batch:
        batch: Batch = super()._generate_and_score_completions(inputs)
        advantages = torch.zeros(batch["completion_ids"].shape, device=batch["completion_ids"].device)
        # TRL has put what the rollout function gave besides tokens into `inputs`.
        for row, values in enumerate(one[ADVANTAGES] for one in inputs):
            advantages[row, : len(values)] = torch.tensor(values)
        written = batch["completion_mask"] * batch["tool_mask"]
        # Of tool results no log-probability is computed later: theirs must not be compared with one that was.
        earlier = {name: batch[name] * written for name in EARLIER_LOGPROBS if name in batch}
        given = (ANSWER_SHARES, ANSWER_AT) if self._answers else ()
        columns = {name: torch.tensor([one[name] for one in inputs], device=advantages.device) for name in given}
        return batch | earlier | columns | {"advantages": advantages}

    def _compute_loss(self, model: Any, inputs: Batch) -> torch.Tensor:
        self._learned = inputs["completion_mask"] * inputs["tool_mask"]
        if self._answers:
            at = inputs[ANSWER_AT]
            self._answer_at = torch.where(at < 0, at, at + inputs["prompt_ids"].shape[1])
        try:
            loss: torch.Tensor = super()._compute_loss(model, inputs)  # type: ignore[no-untyped-call]  # TRL's
            if self._answers and self._answered is not None:
                loss = loss + self._answers.weight * self._answer_loss(self._answered, inputs[ANSWER_SHARES])
        finally:
            self._learned = self._answer_at = self._answered = None
        return loss

    def _answer_loss(self, answered: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
        """This micro-batch's part in the mean over a step's episodes."""
        assert self._answers
        told = shares[shares.sum(1) > 0]
        nats = -(told * answered[:, list(self._answers.label_ids[: told.shape[1]])]).sum()
        return nats / len(shares) / self.current_gradient_accumulation_steps

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> Any:
        if self._learned is None:
            return super()._get_per_token_logps_and_entropies(
                model, input_ids, attention_mask, logits_to_keep, batch_size, **kwargs
            )
        labels = torch.full_like(input_ids, IGNORED)
        labels[:, -logits_to_keep:] = input_ids[:, -logits_to_keep:].masked_fill(self._learned == 0, IGNORED)
        with self.accelerator.autocast():
            outputs = model(
                input_ids=input_ids,
                attention_mask=attention_mask,
                labels=labels,
                fused_lm_head=True,
                answer_at=self._answer_at,
            )
        self._answered = getattr(outputs, "answers", None)
        return outputs.log_probs[:, -logits_to_keep:], outputs.entropy[:, -logits_to_keep:], None


def correct_for_engine(trainer: GRPOTrainer, clip: float) -> None:
    """Weigh each token by how much likelier the trainer finds it than the engine that sampled it, at most `clip`.

    In bfloat16 the two differ by more than rounding of the sum (TRL's truncated importance sampling). TRL does so only
    with an engine of its own: `trainer` is told that it has one, whose weights are always in place.
    """
    trainer.use_vllm = True
    trainer.vllm_mode = "colocate"
    trainer._last_loaded_step = -1
    trainer.vllm_generation = _InPlace()  # type: ignore[assignment]  # all that TRL calls
    trainer.vllm_importance_sampling_correction = True
    trainer.vllm_importance_sampling_mode = "token_truncate"
    trainer.vllm_importance_sampling_clip_max = clip


class _InPlace:
    """An engine whose weights somebody else hands over."""

    def sync_weights(self) -> None:
        """Called by TRL before the rollouts of a step."""


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
