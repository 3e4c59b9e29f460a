"""A retraining without Airflow: the jobs' order, ids and arguments, with scripted jobs in the place of `jobs`."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from recthinker.cli.retrain import plan_arguments, retrain, steps_of
from recthinker.errors import ConfigError, JobError
from recthinker.settings import Settings
from recthinker.training.retrain_plan import RetrainPlan

DS = "1998-04-22"
NAMES = (
    "build_features",
    "plan_retrain",
    "train_base",
    "collect_rollouts",
    "select_episodes",
    "train_sft",
    "train_rl",
    "register_challenger",
    "evaluate_model",
    "evaluate_model",
    "promote_model",
    "write_retrain_report",
)
JOB = """\
import json, pathlib, sys, time
name = {name!r}
with open("calls.jsonl", "a") as file:
    print(json.dumps([name, *sys.argv[1:]]), file=file)
run_dir = pathlib.Path("var/runs", sys.argv[2], sys.argv[4])
(run_dir / "stages").mkdir(parents=True, exist_ok=True)
(run_dir / "retrain").mkdir(exist_ok=True)
if name == "plan_retrain" and "--dry-run" not in sys.argv:
    (run_dir / "retrain" / "retrain_plan.json").write_text({plan!r})
if name == "promote_model":
    (run_dir / "gate.json").write_text('{{"headline": "refused (not_better): no gain"}}')
stage = {{"stage": name, "seconds": 1.5, "summary": name + " went well", "ended_at": time.time()}}
(run_dir / "stages" / (name + ".json")).write_text(json.dumps(stage))
if name == {failing!r}:
    sys.exit(name + " failed: no luck")
print(name + " as it is")
print(name + " done in 1.5 s: went well")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # `python -m jobs.x` looks into the working directory first
    return tmp_path


def write_jobs(folder: Path, failing: str = "") -> None:
    fields = {
        "ds": DS,
        "run_id": "any",
        "stages": ["base", "collect", "select", "sft", "rl"],
        "champion": "recthinker/1",
        "champion_path": "model",
        "promote": True,
        "mlflow_run": "1",
        "settings": {},
    }
    (folder / "jobs").mkdir(exist_ok=True)
    (folder / "jobs" / "__init__.py").touch()
    for name in NAMES:
        text = JOB.format(name=name, plan=json.dumps(fields), failing=failing)
        (folder / "jobs" / f"{name}.py").write_text(text, encoding="utf-8")


def calls(folder: Path) -> list[list[str]]:
    return [json.loads(line) for line in (folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()]


def test_jobs_run_in_order_for_one_run(folder: Path, settings: Settings) -> None:
    write_jobs(folder)
    console = Console(record=True, width=200)
    retrain(settings, DS, console)
    made = calls(folder)
    assert [call[0] for call in made] == list(NAMES)
    assert {tuple(call[1:4]) for call in made} == {("--ds", DS, "--run-id")}
    [run_id] = {call[4] for call in made}
    given = [call[5:] for call in made]
    assert given[0] == ["--cut=holdout_last:11", "--cut=holdout_last:1", "--with-candidates"]
    assert given[8:10] == [[], ["--alias=challenger"]]
    assert not any(given[1:8] + given[10:])
    shown = console.export_text()
    assert "train_rl went well" in shown
    assert "gate    refused (not_better): no gain" in shown
    assert f"var/runs/{DS}/{run_id}/retrain_report.html" in shown


def test_dry_run_shows_all_of_the_plan(folder: Path, settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    write_jobs(folder)
    console = Console(record=True, width=200)
    retrain(settings, DS, console, arguments=["--seed=3", "--dry-run"])
    assert [[call[0], *call[5:]] for call in calls(folder)] == [["plan_retrain", "--seed=3", "--dry-run"]]
    assert "plan_retrain as it is" in capfd.readouterr().out
    assert "report" not in console.export_text()
    write_jobs(folder, failing="plan_retrain")
    with pytest.raises(JobError, match="plan_retrain exited 1"):
        retrain(settings, DS, console, arguments=["--dry-run"])


def test_failed_job_ends_the_run_and_it_goes_on_as_planned(folder: Path, settings: Settings) -> None:
    write_jobs(folder, failing="train_rl")
    console = Console(record=True, width=200)
    with pytest.raises(JobError, match="no luck"):
        retrain(settings, DS, console)
    assert [call[0] for call in calls(folder)] == list(NAMES[:7])
    run_id = calls(folder)[0][4]
    assert f"recthinker retrain --ds {DS} --run-id {run_id}" in console.export_text()
    (folder / "calls.jsonl").unlink()
    write_jobs(folder)
    retrain(settings, DS, Console(), run_id=run_id)
    assert [call[0] for call in calls(folder)] == list(NAMES[1:])
    assert {call[4] for call in calls(folder)} == {run_id}


def test_run_that_goes_on_takes_no_other_plan(folder: Path, settings: Settings) -> None:
    write_jobs(folder)
    with pytest.raises(ConfigError, match="goes on as it was planned, found --seed=3"):
        retrain(settings, DS, Console(), arguments=["--seed=3"], run_id="before")
    with pytest.raises(ConfigError, match="run plan_retrain"):
        retrain(settings, DS, Console(), run_id="before")
    assert not (folder / "calls.jsonl").exists()


def test_only_what_the_plan_holds_runs() -> None:
    def names(*stages: str, champion: str | None = "recthinker/1") -> list[str]:
        plan = RetrainPlan(DS, "any", stages, champion, None, True, "1", {})
        return [name for name, *_ in steps_of(plan, "challenger")]

    closing = ["register_challenger", "evaluate_model", "evaluate_model", "promote_model", "write_retrain_report"]
    assert names("sft", "rl") == ["train_sft", "train_rl", *closing]
    # What serves is measured by the gate's time: a plan without champion may be that of a first run, done again.
    assert names("sft", champion=None) == ["train_sft", *closing]
    # No model comes out: nothing to decide.
    assert names("collect", "select") == ["collect_rollouts", "select_episodes", closing[-1]]
    assert names("base") == ["train_base", closing[-1]]


def test_what_is_not_given_is_left_to_the_settings() -> None:
    options = {"stages": "sft,rl", "algorithm": "", "rl-steps": 0, "seed": None}
    assert plan_arguments(options, promote=True, dry_run=False) == ["--stages=sft,rl", "--rl-steps=0"]
    assert plan_arguments({}, promote=False, dry_run=True) == ["--no-promote", "--dry-run"]
