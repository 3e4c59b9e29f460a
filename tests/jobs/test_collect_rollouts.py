"""Collecting and selecting as jobs: the run's rows of `rollouts`, and what is left alone."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jobs import collect_rollouts, select_episodes
from jobs._cli import EXIT_NO_RETRY, run_job
from recthinker.settings import Settings, load_settings
from recthinker.tables.arrow import commits, read_arrow
from recthinker.tables.schemas import ROLLOUTS
from recthinker.tables.store import TableStore
from recthinker.training.select_stage import EXAMPLES
from recthinker.training.stage import read_result, stage_folder
from tests.training import retrain_world as world

pytestmark = pytest.mark.spark

ARGUMENTS = ["--ds", world.DS, "--run-id", world.RUN_ID]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings as jobs load them; the plan brings those of the little world."""
    monkeypatch.setenv("RECTHINKER_ENV", "test")
    monkeypatch.setenv("RECTHINKER__PATHS__VAR", str(tmp_path / "var"))
    return load_settings()


@pytest.fixture
def planned(settings: Settings) -> Settings:
    """The settings of a run that is planned, over the little world's cut."""
    overrides = {"paths": {"var": str(settings.paths.var)}, **world.SETTINGS}
    planned = load_settings("test", environ={}, overrides=overrides)
    world.write_cut(planned)
    world.write_plan(planned)
    return planned


def collect() -> int:
    return run_job("collect_rollouts", collect_rollouts.run, argv=ARGUMENTS)


def select() -> int:
    return run_job("select_episodes", select_episodes.run, argv=ARGUMENTS)


def test_all_rollouts_of_a_run_are_in_the_table_and_some_are_selected(
    planned: Settings, store: TableStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert collect() == 0
    assert "24 rollouts of 6 requests by planner, table rollouts version" in capsys.readouterr().out
    run_dir = planned.paths.runs / world.DS / world.RUN_ID
    rows = read_arrow(planned.paths.warehouse, ROLLOUTS, ds=world.DS)
    assert rows.equals(pq.read_table(stage_folder(run_dir, "collect") / "rollouts.parquet").cast(rows.schema))
    result = read_result(run_dir, "collect")
    assert result is not None
    assert result.params["rollouts_version"] == commits(planned.paths.warehouse, ROLLOUTS)[0]["version"]

    assert select() == 0
    assert "of 24 rollouts are learned from, and 6 answers; dropped: " in capsys.readouterr().out
    assert (stage_folder(run_dir, "select") / EXAMPLES).is_file()


def test_what_is_done_is_left_alone_and_a_killed_run_replaces_its_rows(
    planned: Settings, store: TableStore, capsys: pytest.CaptureFixture[str]
) -> None:
    run_dir = planned.paths.runs / world.DS / world.RUN_ID
    assert (collect(), select()) == (0, 0)
    before = len(commits(planned.paths.warehouse, ROLLOUTS))
    capsys.readouterr()
    assert (collect(), select()) == (0, 0)
    assert capsys.readouterr().out.count("done before: ") == 2
    assert len(commits(planned.paths.warehouse, ROLLOUTS)) == before

    rows = read_arrow(planned.paths.warehouse, ROLLOUTS, ds=world.DS)
    others = rows.set_column(1, rows.schema.field(1), [["another"] * rows.num_rows])
    world.write_rollouts_table(planned, others)
    (stage_folder(run_dir, "collect") / "result.json").unlink()
    assert collect() == 0
    runs = read_arrow(planned.paths.warehouse, ROLLOUTS, ds=world.DS)["run_id"].to_pylist()
    assert (runs.count(world.RUN_ID), runs.count("another")) == (24, 24)


def test_stages_that_are_not_planned_do_nothing(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    run_dir = world.write_plan(settings, stages=("base", "rl"))
    assert (collect(), select()) == (0, 0)
    assert "select is none of this run's stages (base, rl)" in capsys.readouterr().out
    assert read_result(run_dir, "collect") is None


def test_without_a_plan_a_retry_cannot_help(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert (collect(), select()) == (EXIT_NO_RETRY, EXIT_NO_RETRY)
    assert "run plan_retrain" in capsys.readouterr().out
