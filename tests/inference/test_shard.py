import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from recthinker.agent import Generated
from recthinker.errors import EngineError
from recthinker.inference import ScriptedEngine
from recthinker.inference.scripted import Planner
from recthinker.inference.shard import ShardRun, run_shard
from recthinker.settings import Settings
from recthinker.tables.schemas import RECOMMENDATIONS, TRAJECTORIES
from tests import little_world as world

RUN = ShardRun(world.DS, "run", "m/1", {"items": 4}, publish_top_n=2, max_failed_share=0.0)


def test_a_shard_leaves_rows_of_the_contract_and_a_summary(tmp_path: Path, settings: Settings) -> None:
    agent = world.agent(settings)
    engine = ScriptedEngine(Planner(agent.chat, list(agent.toolbox.tools)))
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


class Mute(ScriptedEngine):
    """Never gives scores."""

    def step(self) -> list[tuple[str, Generated]]:
        return [(key, Generated(done.token_ids, done.logprobs)) for key, done in super().step()]


def test_too_many_fallbacks_fail_the_shard_and_leave_what_was_there(tmp_path: Path, settings: Settings) -> None:
    agent = world.agent(settings)
    snapshot = world.snapshot(tmp_path / "s")
    planner = Planner(agent.chat, list(agent.toolbox.tools))
    run_shard(tmp_path / "0", RUN, ScriptedEngine(planner), agent, snapshot, 0, max_in_flight=2)
    with pytest.raises(EngineError, match="4 of 4 users would get a fallback"):
        run_shard(tmp_path / "0", RUN, Mute(planner), agent, snapshot, 0, max_in_flight=2)
    assert pq.read_table(tmp_path / "0" / "recommendations.parquet").num_rows == 8
