"""The rollouts of one request, and what people watch of them while RL runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from recthinker.agent import Outcome
from recthinker.training.answer_teacher import divergence
from recthinker.training.rewards import Advantages
from recthinker.training.rollout import Rollout


@dataclass(frozen=True, slots=True)
class Group:
    """The rollouts of one request."""

    rollouts: list[Rollout]
    advantages: Advantages
    answers: list[np.ndarray]
    """What each answer should say, (N,); empty where none is taught."""

    @property
    def disagreement(self) -> float:
        """How much its rollouts differ in worth."""
        return float(np.abs(self.advantages.values).sum())


def watched(groups: Sequence[Group]) -> dict[str, float]:
    """What people watch while it learns, over all that was drawn and not only what is trained on."""
    rollouts = [rollout for group in groups for rollout in group.rollouts]
    ranking = np.concatenate([group.advantages.parts["ranking"] for group in groups])
    answers = chain.from_iterable(zip(group.answers, group.rollouts, strict=True) for group in groups)
    divergences = [divergence(shares, rollout) for shares, rollout in answers if len(shares)]
    return {
        **({"answer_divergence": float(np.mean(divergences))} if divergences else {}),
        "ndcg": float(np.nanmean(ranking)),
        "calls": float(np.mean([rollout.calls for rollout in rollouts])),
        "broken_calls": float(np.mean([rollout.broken_calls for rollout in rollouts])),
        "valid_share": float(np.mean([rollout.status == Outcome.RANKED for rollout in rollouts])),
        "written_tokens": float(np.mean([sum(rollout.mask) for rollout in rollouts])),
        "flat_groups": float(np.mean([group.advantages.is_flat for group in groups])),
    }
