"""Retraining: base model, rollouts, selection, SFT, reinforcement learning; then the gate decides who serves.

- Param `day` (`YYYY-MM-DD`): D; without it, the run's logical date, else the last complete UTC day. The others say what
  differs from the settings, or from the run `like`; `dry_run` only prints the plan. An unknown param fails the run.
- Reads: the landing tables and the champion, resolved once by `plan_retrain`. Writes: training cuts of D, table
  rollouts, a model version with the alias of the challenger, MLflow runs, retrain_report.html in the run's folder.
- Nothing after a failed task runs, so the champion stays; only `promote_model`, at the end, moves its alias.
- Safe to run again. To go on after a failure, clear the failed task: what is done stays done.
- Tasks that train, collect or evaluate take the whole inference pool: no night's shard runs beside them.
- By hand: `airflow dags trigger retrain_recthinker -c '{"day": "1998-04-22", "rl_steps": 20, "promote": false}'`.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, Param, TriggerRule, chain, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from dags._jobs import command, dag_arguments, job_task, resolve_day, run_id, run_job, whole_pool
from recthinker.settings import load_settings

SETTINGS = load_settings()
CRON = SETTINGS.orchestration.retrain_schedule
STAGES = ("base", "collect", "select", "sft", "rl")
TRAINED = ("sft", "rl")
PARAMS = {
    "stages": Param(
        None,
        type=["null", "array"],
        items={"type": "string", "enum": list(STAGES)},
        minItems=1,
        uniqueItems=True,
        examples=list(STAGES),
        description="stages that run, each with those before it that it starts from; null: all",
    ),
    "algorithm": Param(
        None, type=["null", "string"], enum=[None, "grpo", "dr_grpo", "dapo"], description="null: rl.algorithm"
    ),
    "rl_steps": Param(None, type=["null", "integer"], minimum=1, maximum=100_000, description="null: rl.steps"),
    "requests": Param(
        None, type=["null", "integer"], minimum=1, maximum=100_000_000, description="null: collect.requests"
    ),
    "seed": Param(None, type=["null", "integer"], minimum=0, maximum=2**31 - 1, description="null: training.seed"),
    "like": Param(
        None,
        type=["null", "string"],
        pattern="^[0-9a-f]{32}$",
        description="MLflow run of an earlier retraining, which this one repeats; given without the params above",
    ),
    "promote": Param(True, type="boolean", description="false: the gate only says what it would do"),
    "dry_run": Param(False, type="boolean", description="print the plan, and do nothing"),
}


def plan_arguments(params: Mapping[str, Any]) -> list[str]:
    """The params as `plan_retrain` takes them."""
    given = {
        "stages": ",".join(stage for stage in STAGES if stage in (params["stages"] or ())),
        "algorithm": params["algorithm"],
        "rl-steps": params["rl_steps"],
        "requests": params["requests"],
        "seed": params["seed"],
        "like": params["like"],
    }
    options = [f"--{name}={value}" for name, value in given.items() if value not in (None, "")]
    return [*options, *["--no-promote"] * (not params["promote"]), *["--dry-run"] * params["dry_run"]]


@task
def build_cuts(day: str) -> str:
    """The training cut, and the one that models are measured on; skipped on a dry run."""
    if get_current_context()["params"]["dry_run"]:
        raise AirflowSkipException("a dry run builds nothing")
    cuts = (SETTINGS.training.cut, SETTINGS.evaluation.cut)
    return run_job("build_features", day, *(f"--cut={cut}" for cut in cuts), "--with-candidates")


@task.short_circuit(trigger_rule=TriggerRule.NONE_FAILED)
def plan_retrain(day: str) -> bool:
    """What the run is, fixed here once and printed; on a dry run all after it is skipped."""
    params = get_current_context()["params"]
    run_job("plan_retrain", day, *plan_arguments(params))
    return not params["dry_run"]


def planned_task(name: str, *arguments: str, of: tuple[str, ...], task_id: str = "", **options: Any) -> Any:
    """A task that runs job `name` when the plan has one of the stages `of`, and is skipped otherwise."""
    options = {"trigger_rule": TriggerRule.NONE_FAILED, **options}

    @task(task_id=task_id or name, doc_md=command(name, *arguments), **options)
    def job(day: str) -> str:
        if not set(of) & set(_plan(day)["stages"]):
            raise AirflowSkipException(f"the plan has none of the stages {', '.join(of)}")
        return run_job(name, day, *arguments)

    return job


def _plan(day: str) -> dict[str, Any]:
    """The plan of this run, as `plan_retrain` wrote it."""
    path = SETTINGS.paths.runs / day / run_id() / "retrain" / "retrain_plan.json"
    plan: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return plan


@dag(
    dag_id="retrain_recthinker",
    doc_md=__doc__,
    schedule=CronTriggerTimetable(CRON, timezone="UTC", run_immediately=timedelta(0)) if CRON else None,
    tags=["recthinker", "training"],
    # Without a start date a new schedule waits for its next time, instead of catching up with the last one at once.
    **dag_arguments(SETTINGS, PARAMS) | {"start_date": None},
)
def retrain_recthinker() -> None:
    """The stages, the comparison and the gate, one after the other."""
    day: Any = resolve_day()  # an XComArg here, a string inside the tasks
    alone = whole_pool(SETTINGS)
    challenger = f"--alias={SETTINGS.gate.challenger}"
    chain(
        build_cuts(day),
        plan_retrain(day),
        planned_task("train_base", of=("base",), **alone)(day),
        planned_task("collect_rollouts", of=("collect",), **alone)(day),
        planned_task("select_episodes", of=("select",))(day),
        planned_task("train_sft", of=("sft",), **alone)(day),
        planned_task("train_rl", of=("rl",), **alone)(day),
        planned_task("register_challenger", of=TRAINED)(day),
        planned_task("evaluate_model", of=TRAINED, task_id="evaluate_champion", **alone)(day),
        planned_task("evaluate_model", challenger, of=TRAINED, task_id="evaluate_challenger", **alone)(day),
        planned_task("promote_model", of=TRAINED)(day),
        job_task("write_retrain_report", trigger_rule=TriggerRule.NONE_FAILED)(day),
    )


retrain_recthinker()
