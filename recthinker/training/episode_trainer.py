"""TRL's GRPOTrainer over whole recorded episodes: our advantages, and no work on tokens that nothing is learned from.

TRL pads a step's episodes to the longest before it cuts them into micro-batches, mixes long with short, and scores tool
results like the agent's own words. Here a step's episodes are sorted by length, each micro-batch is cut to its own
longest, and only what the agent wrote is scored. The gradient is the same; tests compare. To it comes what the answers
should say.
Source: TRL 1.16, `trl/trainer/grpo_trainer.py`; `_prepare_inputs`, `_compute_loss`,
`_generate_and_score_completions` and `_get_per_token_logps_and_entropies` are its own, private.
"""

from typing import Any

import torch
from trl import GRPOTrainer

from recthinker.training.answer_head import AnswerHead, Answers
from recthinker.training.examples import IGNORED
from recthinker.training.learned_head import add_learned_head
from recthinker.training.micro_batches import ANSWER_SHARES, Batch, micro_batches

ADVANTAGES = "token_advantages"
"""Column of a rollout function's output: an advantage for each completion token."""
ANSWER_AT = "answer_at"
"""Beside `ANSWER_SHARES`: the answer's place in the completion, -1 where none is taught."""
EARLIER_LOGPROBS = ("old_per_token_logps", "ref_per_token_logps")


class EpisodeTrainer(GRPOTrainer):
    """A GRPOTrainer whose rollout function gives the advantages, by token, in the column `ADVANTAGES`.

    Args:
        answers: where answers are learned from the columns `ANSWER_SHARES` and `ANSWER_AT`.
    """

    def __init__(self, *args: Any, answers: Answers | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._learned: torch.Tensor | None = None
        self._parts: list[Batch] = []
        model = self.accelerator.unwrap_model(self.model)
        base = getattr(model, "get_base_model", lambda: model)()
        self._head = AnswerHead(base, answers) if answers else None
        if self.accelerator.device.type == "cpu":
            add_learned_head(base, self.temperature)

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
        given = (ANSWER_SHARES, ANSWER_AT) if self._head else ()
        columns = {name: torch.tensor([one[name] for one in inputs], device=advantages.device) for name in given}
        return batch | earlier | columns | {"advantages": advantages}

    def _compute_loss(self, model: Any, inputs: Batch) -> torch.Tensor:
        self._learned = inputs["completion_mask"] * inputs["tool_mask"]
        try:
            loss: torch.Tensor = super()._compute_loss(model, inputs)  # type: ignore[no-untyped-call]  # TRL's
        finally:
            self._learned = None
        if self._head:
            at = inputs[ANSWER_AT]
            with self.accelerator.autocast():
                answers = self._head.loss(inputs[ANSWER_SHARES], at.where(at < 0, at + inputs["prompt_ids"].shape[1]))
            loss = loss + answers / self.current_gradient_accumulation_steps
        return loss

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
            outputs = model(input_ids=input_ids, attention_mask=attention_mask, labels=labels, fused_lm_head=True)
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
