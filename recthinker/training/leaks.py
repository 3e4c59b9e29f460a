"""Whether a rollout may know its target: what an agent reads must be the same whichever item was really chosen.

A request names no target, so what can be rendered from the request and the agent's own words alone holds none. So each
rollout is rendered again, and every token up to the answer must be the one that was recorded.
"""

import logging

from recthinker.agent import Agent
from recthinker.errors import ConfigError
from recthinker.inference.earlier import again
from recthinker.lookup import RequestRow, Snapshot
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.rollout import Rollout
from recthinker.training.stage import StageResult

logger = logging.getLogger(__name__)


class LeakCheck:
    """Looks at rollouts of one snapshot.

    Args:
        agent: as it was when they were drawn.
        snapshot: that their tools looked into.
    """

    def __init__(self, agent: Agent, snapshot: Snapshot) -> None:
        self._agent, self._items = agent, snapshot.items
        self._shards = [snapshot.requests(shard) for shard in snapshot.shards]

    def has_leak(self, rollout: Rollout) -> bool:
        """Whether something in the rollout may tell its target."""
        why = self.suspicion(rollout)
        if why:
            logger.warning("rollout left out key=%s sample=%d why=%s", rollout.key, rollout.sample, why)
        return bool(why)

    def suspicion(self, rollout: Rollout) -> str:
        """Why a rollout that ended well is not to be trusted; nothing where it is."""
        request = next((row for shard in self._shards if (row := shard.get(rollout.key))), None)
        if request is None:
            return "the snapshot does not know its request"
        if self._items.code(rollout.labels[rollout.target]) in request.history:
            return "its target is in the history that the user's tools show"
        if not self._renders_again(rollout, request):
            return "what it read does not come from the request alone"
        return ""

    def _renders_again(self, rollout: Rollout, request: RequestRow) -> bool:
        recorded = {
            "token_ids": rollout.ids,
            "agent_mask": rollout.mask,
            "logprobs": rollout.logprobs,
            "ranking": rollout.labels,
            "scores": rollout.scores,
        }
        episode = again(self._agent, self._items, request, recorded)
        if episode is None:
            return False
        return rollout.labels == tuple(self._items.item_id(int(code)) for code in episode.scene.candidates)


def require_cut(plan: RetrainPlan, collected: StageResult, snapshot: Snapshot) -> None:
    """Make sure that statistics came from the training cut, which has no target.

    Raises:
        ConfigError: from somewhere else.
    """
    found = snapshot.table_versions
    strange = {name: version for name, version in found.items() if collected.tables.get(name) != version}
    if collected.cut != plan.cut or snapshot.ds != plan.ds or strange:
        raise ConfigError(
            f"rollouts should have read cut {plan.cut} of {plan.ds} at the versions {dict(collected.tables)}, found "
            f"cut {collected.cut} of {snapshot.ds} at {found}; collect again"
        )
