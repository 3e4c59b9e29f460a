"""What a drill did to the shard job, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.benchmarks.agents.shards import ShardOfRun


@dataclass(slots=True)
class Drill:
    """One thing that was done to the job, and what came of it."""

    done: str
    lost: int = 0
    """Users without a row."""
    repeated: int = 0
    """Finished users who were asked again."""
    said: str = ""
    faults: list[str] = field(default_factory=list)


Rankings = Mapping[str, list[str]]


def compare(drill: Drill, shard: ShardOfRun, untouched: Rankings) -> None:
    """Let the shard finish where it has not; note what differs from an untouched run."""
    if not (shard.run_dir / "shards" / "0").exists():
        before = shard.committed_users()
        if code := shard.finish():
            drill.faults.append(f"the last job ended with {code}: {shard.last_line()}")
            return
        drill.repeated += before - shard.summary()["resumed"]
    found, outcomes = shard.rankings(), shard.summary()["outcomes"]
    drill.lost += len(untouched.keys() - found.keys())
    different = sum(found[user] != ranking for user, ranking in untouched.items() if user in found)
    if different:
        drill.faults.append(f"{different} users have another ranking than in an untouched run")
    if sum(outcomes.values()) != len(untouched):
        drill.faults.append(f"outcomes {outcomes} do not sum to {len(untouched)} users")
    if drill.lost or drill.repeated:
        drill.faults.append(f"{drill.lost} users lost, {drill.repeated} finished ones asked again")
