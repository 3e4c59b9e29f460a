"""The job that plans a retraining, on a cut of blank rows and a real MLflow."""

from pathlib import Path

import pytest
from deltalake import DeltaTable
from mlflow.tracking import MlflowClient

from jobs._cli import EXIT_NO_RETRY
from recthinker.registry import ModelVersion, Registry
from recthinker.settings import load_settings
from recthinker.training.retrain_plan import STAGES
from recthinker.training.tracking import log_result
from tests.jobs.retraining import plan, run_dir, written
from tests.training.blank_retraining import CUT, DS, build_cut, register, result

pytestmark = pytest.mark.slow  # importing MLflow and migrating its database take seconds

Out = pytest.CaptureFixture[str]


def last(out: Out) -> str:
    return out.readouterr().out.splitlines()[-1]


def client(var: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{var / 'mlflow' / 'mlflow.db'}")


def test_plan_holds_what_serves_now_the_settings_and_the_tables(champion: ModelVersion, var: Path, capsys: Out) -> None:
    assert plan("--stages", "base,collect,select,sft", "--requests", "40", "--seed", "3", "--no-promote") == 0
    made = written(var)
    assert (made.champion, made.champion_path) == ("recthinker/1", str(champion.path))
    assert (made.stages, made.promote) == (("base", "collect", "select", "sft"), False)
    assert (made.settings["collect"]["requests"], made.settings["training"]["seed"]) == (40, 3)
    assert (made.tables["user_history"], made.tables["interactions"], made.cut) == (0, 0, CUT)
    run = client(var).get_run(made.mlflow_run)
    assert (run.info.status, run.data.params["collect.requests"]) == ("RUNNING", "40")
    assert run.inputs is not None
    assert len(run.inputs.dataset_inputs) == len(made.tables) == 9
    out = capsys.readouterr().out
    assert "up to 40 requests x 4 rollouts = 160 episodes" in out
    assert out.splitlines()[-1].endswith(f"base, collect, select, sft from recthinker/1, MLflow run {made.mlflow_run}")


def test_plan_without_a_champion_starts_from_the_planner(var: Path, capsys: Out) -> None:
    assert plan() == 0
    assert (written(var).champion, written(var).stages) == (None, STAGES)
    assert "from the planner" in last(capsys)


def test_plan_that_is_there_stands(champion: ModelVersion, var: Path, capsys: Out) -> None:
    assert plan("--rl-steps", "5") == 0
    first = written(var)
    register(Registry(load_settings()), var / "made" / "newer", "champion")
    assert plan("--rl-steps", "5") == 0
    assert plan() == 0
    assert written(var) == first
    out = capsys.readouterr().out
    assert "the plan of this run stands" in out
    assert "plan kept as it was: base, collect, select, sft, rl from recthinker/1" in out
    assert len(client(var).search_runs([client(var).get_run(first.mlflow_run).info.experiment_id])) == 3


def test_plan_whose_folder_was_lost_is_that_of_mlflow(champion: ModelVersion, var: Path) -> None:
    assert plan("--rl-steps", "5") == 0
    first = written(var)
    (run_dir(var) / "retrain" / "retrain_plan.json").unlink()
    assert plan("--rl-steps", "5") == 0
    assert written(var) == first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rl-steps", "9"], "was planned with rl-steps 5, found 9"),
        (["--stages", "base"], "was planned with stages base,collect,select,sft,rl, found base"),
        (["--no-promote"], "was planned with no-promote False, found True"),
        (["--like", "0" * 32], "was planned with like None, found 000"),
    ],
)
def test_arguments_that_differ_from_the_plan_of_the_run_are_refused(
    arguments: list[str], message: str, champion: ModelVersion, var: Path, capsys: Out
) -> None:
    assert plan("--rl-steps", "5") == 0
    first = written(var)
    for more in ([], ["--dry-run"]):
        assert plan(*arguments, *more) == EXIT_NO_RETRY
        assert message in last(capsys)
    assert written(var) == first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--stages", "base,grpo"], "found grpo"),
        (["--stages", "rl"], "add sft to --stages"),
        (["--algorithm", "ppo"], "rl.algorithm: Input should be 'grpo', 'dr_grpo' or 'dapo', found 'ppo'"),
        (["--rl-steps", "0"], "rl.steps: Input should be greater than or equal to 1, found 0"),
        (["--requests", "0"], "collect.requests: Input should be greater than or equal to 1, found 0"),
    ],
)
def test_arguments_that_cannot_be_meant_write_nothing(
    arguments: list[str], message: str, var: Path, capsys: Out
) -> None:
    assert plan(*arguments) == EXIT_NO_RETRY
    assert message in last(capsys)
    assert not (var / "mlflow").exists()
    assert not run_dir(var).exists()


def test_cut_that_was_not_built_opens_no_run(var: Path, capsys: Out) -> None:
    assert plan(ds="2024-03-11") == EXIT_NO_RETRY
    assert f"no rows for ds 2024-03-11; dates there: {DS}" in last(capsys)
    assert not (var / "mlflow").exists()


def test_dry_run_tells_and_writes_nothing(var: Path, capsys: Out) -> None:
    assert plan("--dry-run", "--rl-steps", "5", ds="2024-03-11") == 0
    out = capsys.readouterr().out
    assert "cut holdout_last_11, not built: python -m jobs.build_features --ds 2024-03-11" in out
    assert "dr_grpo, 5 steps" in out
    assert "dry run, nothing was written" in out
    assert sorted(path.name for path in var.iterdir()) == ["cuts", "warehouse"]


def test_like_takes_settings_stages_and_tables_of_then_and_tells_what_differs(
    champion: ModelVersion, var: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert plan("--stages", "collect,select", "--seed", "3") == 0
    then = written(var)
    stage = log_result(load_settings(), then, result("collect"))
    assert stage
    client(var).set_tag(then.mlflow_run, "mlflow.source.git.commit", "abc")
    build_cut(load_settings().paths)
    register(Registry(load_settings()), var / "made" / "newer", "champion")
    monkeypatch.setenv("RECTHINKER__COLLECT__REQUESTS", "1")

    assert plan("--like", stage, "--no-promote", run_id="again") == 0

    made = written(var, "again")
    assert (made.stages, made.settings, made.tables) == (then.stages, then.settings, then.tables)
    assert (made.champion, made.run_id, made.promote) == ("recthinker/1", "again", False)
    assert made.champion_path == str(champion.path)
    assert made.mlflow_run != then.mlflow_run
    assert made.like == stage
    assert client(var).get_run(made.mlflow_run).data.tags["like"] == stage
    out = capsys.readouterr().out
    assert f"not as in run {stage}: mlflow.source.git.commit: then abc, now " in out
    assert "table user_history: read at version 0 as then, today's is 1" in out
    assert "champion: starts from recthinker/1 as then, recthinker/2 serves today" in out
    assert "setting " not in out


def test_like_a_run_whose_tables_are_gone_is_refused(champion: ModelVersion, var: Path, capsys: Out) -> None:
    assert plan() == 0
    build_cut(load_settings().paths)
    DeltaTable(var / "cuts" / CUT / "held_out").vacuum(0, dry_run=False, enforce_retention_duration=False)
    assert plan("--like", written(var).mlflow_run, run_id="again") == EXIT_NO_RETRY
    assert "held_out" in (said := last(capsys))
    assert "can no longer be read at version 0" in said
    assert not run_dir(var, "again").exists()


def test_like_a_run_whose_model_is_gone_is_refused(champion: ModelVersion, var: Path, capsys: Out) -> None:
    assert plan() == 0
    (champion.path / "model.safetensors").unlink()
    assert plan("--like", written(var).mlflow_run, run_id="again") == EXIT_NO_RETRY
    assert "lacks model.safetensors" in last(capsys)


def test_like_what_cannot_be_meant(champion: ModelVersion, var: Path, capsys: Out) -> None:
    assert plan() == 0
    parent = written(var).mlflow_run
    assert plan("--like", parent, ds="2024-03-11") == EXIT_NO_RETRY
    assert f"is a retraining of {DS}, not of 2024-03-11; pass --ds {DS}" in last(capsys)
    assert plan("--like", parent, "--rl-steps", "2", run_id="again") == EXIT_NO_RETRY
    assert "leave out --rl-steps" in last(capsys)
    assert plan("--like", "nothing", run_id="again") == EXIT_NO_RETRY
    assert "run nothing" in last(capsys)
    [other] = [run for run in client(var).search_runs(["1"]) if run.info.run_name == "train"]
    assert plan("--like", other.info.run_id, run_id="again") == EXIT_NO_RETRY
    assert "holds no retrain_plan.json" in last(capsys)


def test_dry_run_like_an_earlier_run_writes_nothing(champion: ModelVersion, var: Path, capsys: Out) -> None:
    assert plan("--rl-steps", "5") == 0
    parent = written(var).mlflow_run
    runs = len(client(var).search_runs(["1"]))
    assert plan("--dry-run", "--like", parent, run_id="again") == 0
    assert "dr_grpo, 5 steps" in capsys.readouterr().out
    assert not run_dir(var, "again").exists()
    assert len(client(var).search_runs(["1"])) == runs
