import errno
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from recthinker.agent import Generate, Generated
from recthinker.errors import EngineError
from recthinker.inference import BatchProgress, ScriptedEngine, parts, shard
from recthinker.inference.figures import night_metrics
from recthinker.inference.scripted import Planner
from recthinker.inference.shard import ShardRun, run_shard
from recthinker.settings import Settings
from recthinker.tables.schemas import RECOMMENDATIONS, TRAJECTORIES
from recthinker.tools import ToolResult
from tests import little_world as world

RUN = ShardRun(
    world.DS,
    "run",
    "m/1",
    {"items": 4},
    publish_top_n=2,
    max_failed_share=0.0,
    max_tool_fault_share=0.1,
    users_per_part=512,
)


def test_a_shard_leaves_rows_of_the_contract_and_a_summary(tmp_path: Path, settings: Settings) -> None:
    agent = world.agent(settings)
    engine = ScriptedEngine(Planner(agent.chat, agent.toolbox.tools))
    summary = run_shard(tmp_path / "0", RUN, engine, agent, world.snapshot(tmp_path / "s"), 0, max_in_flight=2)
    assert summary["outcomes"] == {"ranked": 4}
    assert json.loads((tmp_path / "0" / "summary.json").read_text())["users"] == 4
    trajectories = pq.read_table(tmp_path / "0" / "trajectories.parquet")
    recommendations = pq.read_table(tmp_path / "0" / "recommendations.parquet")
    assert trajectories.schema.equals(TRAJECTORIES.arrow_schema())
    assert recommendations.schema.equals(RECOMMENDATIONS.arrow_schema())
    assert recommendations.num_rows == 4 * 2
    versions = dict(trajectories["versions"][0].as_py())
    assert versions["table:items"] == "4"
    assert versions["model"] == "m/1"


def test_progress_is_told_after_each_user(tmp_path: Path, settings: Settings) -> None:
    agent = world.agent(settings)
    engine = ScriptedEngine(Planner(agent.chat, agent.toolbox.tools))
    done, last = [], []

    def told(progress: BatchProgress) -> None:
        done.append(progress.done)
        last[:] = [progress.prompt, progress.cached, progress.generated]

    run = run_shard(
        tmp_path / "0", RUN, engine, agent, world.snapshot(tmp_path / "s"), 0, max_in_flight=2, on_progress=told
    )
    assert done == [1, 2, 3, 4]
    assert last == [run["tokens"][name] for name in ("prompt", "cached", "generated")]


class Mute(ScriptedEngine):
    """Never gives scores."""

    def step(self) -> list[tuple[str, Generated]]:
        return [(key, Generated(done.token_ids, done.logprobs)) for key, done in super().step()]


def test_too_many_fallbacks_fail_the_shard_and_leave_what_was_there(tmp_path: Path, settings: Settings) -> None:
    agent = world.agent(settings)
    snapshot = world.snapshot(tmp_path / "s")
    planner = Planner(agent.chat, agent.toolbox.tools)
    run_shard(tmp_path / "0", RUN, ScriptedEngine(planner), agent, snapshot, 0, max_in_flight=2)
    with pytest.raises(EngineError, match="4 of 4 users got a fallback after 4 were done"):
        run_shard(tmp_path / "0", RUN, Mute(planner), agent, snapshot, 0, max_in_flight=2)
    assert pq.read_table(tmp_path / "0" / "recommendations.parquet").num_rows == 8


ONE_BY_ONE = replace(RUN, users_per_part=1)
Run = Callable[..., dict[str, Any]]


class Listening(ScriptedEngine):
    """Remembers whose first turns it was asked for; dies when it has answered for `users`."""

    def __init__(self, planner: Planner, users: int = 99) -> None:
        super().__init__(planner)
        self.asked: list[str] = []
        self._users = users

    def add(self, request_id: str, request: Generate, *, seed: int, priority: int = 0) -> None:
        if request_id.endswith(":0"):
            if len(self.asked) == self._users:
                raise EngineError("the engine died")
            self.asked.append(request_id.removesuffix(":0"))
        super().add(request_id, request, seed=seed)


@pytest.fixture
def attempt(tmp_path: Path, settings: Settings) -> Run:
    """Runs shard 0 of the little world, one user at a time; what it gives also tells who was asked."""
    agent, snapshot = world.agent(settings), world.snapshot(tmp_path / "s")

    def run(users: int = 99, stamp: ShardRun = ONE_BY_ONE) -> dict[str, Any]:
        engine = Listening(Planner(agent.chat, agent.toolbox.tools), users)
        summary = run_shard(tmp_path / "0", stamp, engine, agent, snapshot, 0, max_in_flight=1)
        return summary | {"asked": engine.asked}

    return run


def published(tmp_path: Path) -> list[dict[str, Any]]:
    """The shard's rows, whichever attempt wrote them."""
    rows = pq.read_table(tmp_path / "0" / "recommendations.parquet").to_pylist()
    return sorted(rows, key=lambda row: (row["user_id"], row["rank"]))


def folders(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / ".0.parts").iterdir())


def test_a_run_that_died_goes_on_where_it_was(tmp_path: Path, attempt: Run) -> None:
    whole = attempt()
    expected = published(tmp_path)
    with pytest.raises(EngineError, match="the engine died"):
        attempt(users=3)
    assert folders(tmp_path) == ["part-00000", "part-00001", "part-00002"]

    rest = attempt()

    assert (len(whole["asked"]), len(rest["asked"]), rest["resumed"]) == (4, 1, 3)
    assert rest["outcomes"] == {"ranked": 4}
    same = ("tool_calls", "tool_faults", "tokens", "cache_hit_share")
    assert [rest[name] for name in same] == [whole[name] for name in same]
    counts = [f"tokens.{name}" for name in ("prompt", "cached", "computed", "generated")] + ["tool_calls"]
    night, undisturbed = night_metrics([rest]), night_metrics([whole])
    assert [night[name] for name in counts] == [undisturbed[name] for name in counts]
    assert (night["resumed"], undisturbed["resumed"]) == (3, 0)
    assert published(tmp_path) == expected
    assert not (tmp_path / ".0.parts").exists()


@pytest.mark.parametrize("step", ["write_text", "rename", "mkdir"])
def test_a_part_that_was_being_written_counts_for_nothing(
    step: str, tmp_path: Path, attempt: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EngineError):
        attempt(users=2)

    class Killed(BaseException):
        pass

    done = getattr(Path, step)

    def die(path: Path, *args: Any, **options: Any) -> Any:
        if path.name == ".part-00002" or path.parent.name == ".part-00002":
            raise Killed
        return done(path, *args, **options)

    monkeypatch.setattr(Path, step, die)
    with pytest.raises(Killed):
        attempt()
    assert [name for name in folders(tmp_path) if not name.startswith(".")] == ["part-00000", "part-00001"]
    monkeypatch.undo()

    assert (len(attempt()["asked"]), len(published(tmp_path))) == (2, 8)
    assert not (tmp_path / ".0.parts").exists()


def test_a_full_disk_loses_only_the_part_that_did_not_fit(
    tmp_path: Path, attempt: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EngineError):
        attempt(users=2)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(parts, "_to_disk", full)
    with pytest.raises(OSError, match="No space left"):
        attempt()
    assert folders(tmp_path) == ["part-00000", "part-00001"]
    monkeypatch.undo()

    assert attempt()["resumed"] == 2


@pytest.mark.parametrize("damage", ["trajectories.arrow", "recommendations.arrow", "part.json"])
def test_users_of_a_damaged_part_run_again(damage: str, tmp_path: Path, attempt: Run) -> None:
    with pytest.raises(EngineError):
        attempt(users=3)
    file = tmp_path / ".0.parts" / "part-00001" / damage
    file.write_bytes(file.read_bytes()[:-9] + b"corrupted")

    again = attempt()

    assert (again["resumed"], len(again["asked"]), again["outcomes"]) == (2, 2, {"ranked": 4})
    assert len(published(tmp_path)) == 8


def test_parts_of_another_model_are_of_no_use(tmp_path: Path, attempt: Run) -> None:
    with pytest.raises(EngineError):
        attempt(users=3)

    again = attempt(stamp=replace(ONE_BY_ONE, model_version="m/2"))

    assert (again["resumed"], len(again["asked"])) == (0, 4)
    assert {row["model_version"] for row in published(tmp_path)} == {"m/2"}


def test_too_many_fallbacks_stop_a_shard_before_its_end(tmp_path: Path, settings: Settings) -> None:
    agent, snapshot = world.agent(settings), world.snapshot(tmp_path / "s")
    engine = Mute(Planner(agent.chat, agent.toolbox.tools))

    with pytest.raises(EngineError, match="1 of 4 users got a fallback after 1 were done"):
        run_shard(tmp_path / "0", ONE_BY_ONE, engine, agent, snapshot, 0, max_in_flight=1)
    assert not (tmp_path / ".0.parts").exists()
    assert not (tmp_path / "0").exists()


def test_tools_that_keep_breaking_fail_the_shard(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, snapshot = world.agent(settings), world.snapshot(tmp_path / "s")
    monkeypatch.setattr(shard, "CALLS_TO_JUDGE_BY", 1)

    def broken(*_: object) -> ToolResult:
        raise RuntimeError("boom")

    for tool in agent.toolbox.tools.values():
        monkeypatch.setattr(type(tool), "__call__", broken)
    engine = ScriptedEngine(Planner(agent.chat, agent.toolbox.tools))

    with pytest.raises(EngineError, match=r"a tool broke in \d+ of \d+ calls, more than"):
        run_shard(tmp_path / "0", ONE_BY_ONE, engine, agent, snapshot, 0, max_in_flight=1)
    assert not (tmp_path / "0").exists()
