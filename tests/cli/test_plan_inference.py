"""What is known of a night before it is planned: the little world, which was asked on the day before too."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from rich.console import Console

from recthinker.agent import Agent
from recthinker.cli.plan import show_inference
from recthinker.inference import ScriptedEngine
from recthinker.inference.forecast import Forecast, forecast_inference
from recthinker.inference.scripted import Planner
from recthinker.inference.shard import run_shard
from recthinker.registry import ModelVersion
from recthinker.settings import Settings
from recthinker.tables.schemas import RUN_MANIFEST
from tests import little_world as world
from tests.inference.test_shard import RUN

BEFORE = "2024-03-09"
NOT_KNOWN = "what a user takes is not known: no night was published"


@pytest.fixture
def agent(settings: Settings) -> Agent:
    return world.agent(settings)


@pytest.fixture
def model(agent: Agent, tmp_path: Path) -> ModelVersion:
    (tmp_path / "model").mkdir()
    agent.chat.save(tmp_path / "model" / "tokenizer.json")
    return ModelVersion("m", "1", tmp_path / "model")


@pytest.fixture
def before(settings: Settings, agent: Agent, tmp_path: Path) -> Path:
    """A published night: 4 users, of whom one kept an earlier ranking, in 6 seconds; the warehouse."""
    engine = ScriptedEngine(Planner(agent.chat, agent.toolbox.tools))
    run = replace(RUN, ds=BEFORE)
    run_shard(tmp_path / "0", run, engine, agent, world.snapshot(tmp_path / "s"), 0, max_in_flight=2)
    rows = pq.read_table(tmp_path / "0" / "trajectories.parquet")
    root = settings.paths.warehouse
    write_deltalake(root / "trajectories", rows, partition_by=["ds"])
    publish(root, prompt_version=agent.prompt_version)
    return root


def publish(root: Path, **changes: Any) -> None:
    row = {
        "ds": BEFORE,
        "run_id": "run",
        "model_version": "m/1",
        "users": 4,
        "outcomes": [("ranked", 3), ("unchanged", 1)],
        "row_counts": [],
        "table_versions": [],
        "seconds": [("infer_shard-0", 9.0), ("infer_shard-1", 3.0), ("write_snapshot", 99.0)],
        "published_at": datetime(2024, 3, 10, 2, tzinfo=UTC),
        "metrics": [("seconds", 6.0)],
    } | changes
    rows = pa.Table.from_pylist([row], RUN_MANIFEST.arrow_schema())
    write_deltalake(root / "run_manifest", rows, mode="append", partition_by=["ds"])


def told(settings: Settings, model: ModelVersion | None) -> list[str]:
    """What the plan says of the night of `world.DS`."""
    console = Console(file=io.StringIO(), record=True, width=80)
    show_inference(world.DS, forecast_inference(settings, world.DS, model), console)
    return console.export_text().splitlines()


def test_first_night_runs_everybody_and_nothing_is_measured(settings: Settings) -> None:
    assert told(settings, None) == [
        "Inference of 2024-03-10: all users will run the agent: there is no earlier night",
        NOT_KNOWN,
    ]


def test_first_night_with_a_snapshot_knows_its_users(settings: Settings, model: ModelVersion) -> None:
    world.snapshot(settings.paths.snapshots / world.DS / "run")
    assert forecast_inference(settings, world.DS, model) == Forecast(
        users=4,
        runs=4,
        is_sampled=True,
        earlier_ds=None,
        why_all="there is no earlier night",
        seconds_per_run=None,
        measured_ds=None,
    )
    assert told(settings, model)[0].endswith("all 4 users will run the agent: there is no earlier night")


def test_before_the_snapshot_only_the_night_before_is_known(
    before: Path, settings: Settings, model: ModelVersion
) -> None:
    assert told(settings, model) == [
        "Inference of 2024-03-10: who keeps the ranking of 2024-03-09 is known once the snapshot is written; that "
        "night 3 of 4 users ran the agent",
        "about 6 s of one shard's work, at 2.000 s a user, as on 2024-03-09",
    ]


def test_snapshot_tells_who_would_read_something_else(before: Path, settings: Settings, model: ModelVersion) -> None:
    # i4 is among the candidates of ann and bob
    world.snapshot(settings.paths.snapshots / world.DS / "run", titles={"i4": "Title 5"})
    assert told(settings, model) == [
        "Inference of 2024-03-10: about 2 of 4 users will run the agent, 2 keep the ranking of 2024-03-09",
        "about 4 s of one shard's work, at 2.000 s a user, as on 2024-03-09",
    ]


def test_broken_snapshot_counts_for_none(before: Path, settings: Settings, model: ModelVersion) -> None:
    (settings.paths.snapshots / world.DS / "run").mkdir(parents=True)
    assert not forecast_inference(settings, world.DS, model).is_sampled


def test_other_model_runs_everybody(before: Path, settings: Settings, model: ModelVersion) -> None:
    assert told(settings, replace(model, version="2")) == [
        "Inference of 2024-03-10: all users will run the agent: m/2 serves, m/1 did on 2024-03-09; 4 users were asked "
        "for on 2024-03-09",
        "about 8 s of one shard's work, at 2.000 s a user, as on 2024-03-09",
    ]


def test_other_prompt_runs_everybody(before: Path, settings: Settings, model: ModelVersion) -> None:
    other = settings.model_copy(update={"agent": settings.agent.model_copy(update={"max_calls": 2})})
    assert forecast_inference(other, world.DS, model).why_all == "the prompt is not that of 2024-03-09"


def test_no_model_runs_everybody(before: Path, settings: Settings) -> None:
    assert forecast_inference(settings, world.DS, None).why_all == "no model serves yet"


def test_setting_runs_everybody(before: Path, settings: Settings, model: ModelVersion) -> None:
    always = settings.inference.model_copy(update={"keep_unchanged": False})
    found = forecast_inference(settings.model_copy(update={"inference": always}), world.DS, model)
    assert (found.why_all, found.runs) == ("inference.keep_unchanged is false", 4)


def test_night_of_an_earlier_release_is_measured_by_its_stages(settings: Settings) -> None:
    publish(settings.paths.warehouse, prompt_version="p", metrics=None)
    publish(
        settings.paths.warehouse,
        prompt_version="p",
        ds="2024-03-08",
        outcomes=[("unchanged", 4)],
        published_at=datetime(2024, 3, 11, tzinfo=UTC),
    )
    found = forecast_inference(settings, world.DS, None)
    # the night that was published last ran nobody; the one before ran 3 in 9 + 3 s
    assert (found.seconds_per_run, found.measured_ds) == (4, BEFORE)
