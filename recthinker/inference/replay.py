"""A recorded episode once more: the same snapshot, model and user, and whether the same comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from recthinker.agent import Agent, Episode
from recthinker.agent.record import trajectory_row
from recthinker.errors import ConfigError
from recthinker.inference.batch import run_episodes
from recthinker.inference.engines import open_engine
from recthinker.inference.plan import InferencePlan
from recthinker.lookup import Snapshot
from recthinker.settings import Settings


@dataclass(frozen=True, slots=True)
class Step:
    """One turn, then and now; empty where the episode has no such turn."""

    role: str
    recorded: str
    now: str

    @property
    def is_same(self) -> bool:
        """Whether the turn came out as it was recorded."""
        return self.recorded == self.now


@dataclass(frozen=True, slots=True)
class Replay:
    """A recorded episode beside the one that came out now."""

    user_id: str
    steps: tuple[Step, ...]
    recorded: Sequence[str]
    """Items, best first."""
    now: Sequence[str]
    drift: float
    """Largest difference of an item's two scores, as log-probabilities."""
    same_tokens: bool
    """Whether every token is the one that was recorded."""

    @property
    def is_same(self) -> bool:
        """Whether tokens and ranking are those that were recorded."""
        return self.same_tokens and list(self.recorded) == list(self.now)


def replay(plan: InferencePlan, settings: Settings, recorded: Mapping[str, Any]) -> Replay:
    """Run one user's episode again.

    Args:
        plan: of the run that recorded it: its model and snapshot are used.
        settings: of the engine and the agent.
        recorded: the user's row of `trajectories`.

    Raises:
        ConfigError: settings, code or tokenizer make other prompts than those of the run.
        SnapshotError: the snapshot is gone, or does not know the user.
        RegistryError: the model is gone.
        EngineError: the engine cannot start.
    """
    model_dir, snapshot = Path(plan.model_path), Snapshot(Path(plan.snapshot))
    agent = Agent.load(model_dir, settings.agent, settings.tools)
    if agent.prompt_version != plan.prompt_version:
        raise ConfigError(
            f"prompts of today are of version {agent.prompt_version}, those of run {plan.run_id} were of "
            f"{plan.prompt_version}; replay with the code and the settings agent and tools of that night"
        )
    request = snapshot.request(recorded["user_id"])
    engine = open_engine(model_dir, agent, settings)
    (episode,) = run_episodes(engine, agent, snapshot.items, [request], max_in_flight=1)
    return compare(recorded, episode)


def compare(recorded: Mapping[str, Any], episode: Episode) -> Replay:
    """A row of `trajectories` beside an episode of the same user."""
    row = trajectory_row(episode, ds=recorded["ds"], versions={})
    then, now = (dict(zip(one["ranking"], one["scores"], strict=True)) for one in (recorded, row))
    turns = zip_longest(recorded["turns"], row["turns"], fillvalue={"role": "", "text": ""})
    return Replay(
        user_id=recorded["user_id"],
        steps=tuple(Step(old["role"] or new["role"], old["text"], new["text"]) for old, new in turns),
        recorded=recorded["ranking"],
        now=row["ranking"],
        drift=max((abs(then[item] - now[item]) for item in then.keys() & now.keys()), default=0.0),
        same_tokens=list(recorded["token_ids"]) == row["token_ids"],
    )
