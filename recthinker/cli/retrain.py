"""`recthinker retrain`: the jobs of a retraining in the order of the DAG, one child process each, without Airflow."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from recthinker.cli.bars import job_bars
from recthinker.cli.children import run_job
from recthinker.cli.nightly import log_file, new_run_id, stage_table
from recthinker.errors import ConfigError, JobError
from recthinker.registry import DECISION_FILE
from recthinker.settings import Settings
from recthinker.training.retrain_plan import JOBS, TRAINED, RetrainPlan

DRY_RUN = "--dry-run"


def plan_arguments(options: Mapping[str, str | int | None], *, promote: bool, dry_run: bool) -> list[str]:
    """Arguments of `plan_retrain`; an option that is None or empty is left to the settings."""
    given = [f"--{name}={value}" for name, value in options.items() if value not in (None, "")]
    return [*given, *["--no-promote"] * (not promote), *[DRY_RUN] * dry_run]


def retrain(settings: Settings, ds: str, console: Console, *, arguments: Sequence[str] = (), run_id: str = "") -> None:
    """Plan and run a retraining of `ds`, and say what was decided and where it stands.

    Args:
        settings: those in force.
        ds: logical date.
        console: for people.
        arguments: of `plan_retrain`.
        run_id: of a run that goes on as it was planned; empty: a new one.

    Raises:
        ConfigError: the run that should go on has no plan, or arguments would change it.
        JobError: a job failed; the jobs after it did not run.
    """
    if run_id and arguments:
        raise ConfigError(f"run {run_id} goes on as it was planned, found {' '.join(arguments)}; leave these out")
    is_new, run_id = not run_id, run_id or new_run_id()
    run_dir = settings.paths.runs / ds / run_id
    if DRY_RUN in arguments:
        _show_plan("--ds", ds, "--run-id", run_id, *arguments)
        return
    if not is_new:
        RetrainPlan.read(run_dir)
    with job_bars(console) as bars:
        bar = bars.progress.add_task("", total=None, more="")

        def step(name: str, *given: str) -> None:
            bars.progress.update(bar, description=" ".join((name, *given)))
            log = log_file(settings, run_id)
            run_job(name, "--ds", ds, "--run-id", run_id, *given, log=log, show=bars.show, tell=bars.tell)
            bars.progress.advance(bar)

        if is_new:
            step("build_features", *cut_arguments(settings))
        step("plan_retrain", *arguments)
        bars.show(f"to go on after a failure: recthinker retrain --ds {ds} --run-id {run_id}")
        steps = list(steps_of(RetrainPlan.read(run_dir), settings.gate.challenger))
        bars.progress.update(bar, total=len(steps), completed=0)
        for one in steps:
            step(*one)
    _print_summary(run_dir, console)


def _show_plan(*arguments: str) -> None:
    """The plan as the job prints it, all of it."""
    code = subprocess.run([sys.executable, "-m", "jobs.plan_retrain", *arguments], check=False).returncode
    if code:
        raise JobError(f"plan_retrain exited {code}: see above")


def cut_arguments(settings: Settings) -> list[str]:
    """Arguments of `build_features` for what a retraining learns on and is measured on."""
    return [f"--cut={settings.training.cut}", f"--cut={settings.evaluation.cut}", "--with-candidates"]


def steps_of(plan: RetrainPlan, challenger: str) -> Iterator[tuple[str, ...]]:
    """What runs after `plan_retrain`, in order: each job with its arguments.

    Args:
        plan: of the run.
        challenger: alias of the new model.
    """
    for stage in plan.stages:
        yield (JOBS[stage],)
    if set(TRAINED) & set(plan.stages):
        yield ("register_challenger",)
        # What serves by then: of a run like an earlier one it may be another model than the plan's champion.
        yield ("evaluate_model",)
        yield "evaluate_model", f"--alias={challenger}"
        yield ("promote_model",)
    yield ("write_retrain_report",)


def _print_summary(run_dir: Path, console: Console) -> None:
    console.print(stage_table([run_dir]))
    decision = run_dir / DECISION_FILE
    if decision.is_file():
        console.out(f"gate    {json.loads(decision.read_text(encoding='utf-8'))['headline']}")
    console.out(f"report  {run_dir / 'retrain_report.html'}")
