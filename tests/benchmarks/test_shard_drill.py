"""The drills of the shard job at small size, and what the measurements of the agent work out; no vLLM here."""

from pathlib import Path

import pytest

from tests.benchmarks.agents.drilled import Drill, compare
from tests.benchmarks.agents.puppet import Step
from tests.benchmarks.agents.runs import fit, middle
from tests.benchmarks.agents.shards import ShardWorld
from tests.benchmarks.agents.world import AgentWorld
from tests.benchmarks.shard_drill import drills

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> ShardWorld:
    folder, small = tmp_path_factory.mktemp("drill"), AgentWorld(users=400, items=300)
    return ShardWorld.make(folder, small, "scripted", users_per_part=8)


@pytest.mark.parametrize("only", ["killed", "full_disk", "corrupt_part", "tool_faults", "hostile_titles"])
def test_nothing_is_lost_or_done_twice_whatever_breaks(world: ShardWorld, only: str) -> None:
    (drill,) = drills(world, kills=1, seed=1, only=only)
    assert (drill.lost, drill.repeated, drill.faults) == (0, 0, [])
    assert drill.said


def test_a_drill_notes_lost_users_and_other_rankings(world: ShardWorld) -> None:
    shard = world.run("compared")
    assert shard.finish() == 0
    found = shard.rankings()
    user = min(found)
    drill = Drill("nothing")

    compare(drill, shard, {**found, user: found[user][::-1], "stranger": []})

    assert drill.lost == 1
    assert [fault.split()[0] for fault in drill.faults] == ["1", "outcomes", "1"]


def test_the_fit_finds_what_steps_were_made_of() -> None:
    sizes = [(1, 0), (8, 100), (64, 0), (64, 900), (256, 4_000), (200, 300)]
    steps = [Step(0.003 + 1e-4 * sequences + 2e-5 * tokens, sequences, tokens) for sequences, tokens in sizes]
    found = fit(steps)
    assert [found[name] for name in ("t0", "t1", "t2", "r2")] == pytest.approx([0.003, 1e-4, 2e-5, 1.0])


def test_pairs_are_compared_by_their_median() -> None:
    pairs = [{"driver": {"per_s": ours}, "other": {"per_s": 2.0}} for ours in (1.0, 9.0, 3.0)]
    assert middle(pairs, "per_s") == 1.5


def test_a_changed_world_differs_in_candidates_only(tmp_path: Path) -> None:
    world = AgentWorld(users=100, items=300)
    before, after = (list(world.write(tmp_path / str(share), changed=share).requests(0)) for share in (0.0, 0.1))
    changed = [a.key for a, b in zip(before, after, strict=True) if list(a.candidates) != list(b.candidates)]
    assert 0 < len(changed) < 25  # 10 expected; five standard deviations are 15
    assert all(list(a.history) == list(b.history) for a, b in zip(before, after, strict=True))
