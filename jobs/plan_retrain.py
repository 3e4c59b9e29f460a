"""Plan a retraining: its stages, the model that it starts from, its settings and table versions, once for all stages.

Reads the registry and the training cut of D (`python -m jobs.build_features --ds D --cut holdout_last:11 --cut
holdout_last:1 --with-candidates`). Opens the run `retrain D` in MLflow and writes <run_dir>/retrain/retrain_plan.json.
Safe to run again: a plan that is there stands, and arguments that differ from it are refused. `--dry-run` tells what
would be done and writes nothing; `--like` takes everything from an earlier retraining and tells what is not as it was.
`python -m jobs.plan_retrain --ds D --run-id R [--stages base,collect,select,sft,rl] [--like MLFLOW_RUN] [--dry-run]`
"""

import argparse
from collections.abc import Mapping
from typing import Any

from jobs._cli import Job, main
from recthinker.errors import ConfigError
from recthinker.registry import Registry, Retrainings
from recthinker.settings import Settings, load_settings
from recthinker.training.plan_text import plan_text
from recthinker.training.planning import make_plan, plan_like, read_earlier, start
from recthinker.training.retrain_plan import STAGES, RetrainPlan

SETTINGS = {
    "algorithm": ("rl", "algorithm"),
    "rl_steps": ("rl", "steps"),
    "requests": ("collect", "requests"),
    "seed": ("training", "seed"),
}
"""Arguments that take the place of a setting."""


def run(job: Job) -> str:
    """Plan a retraining: its stages, the model that it starts from, its settings and table versions."""
    there = RetrainPlan.find(job.run_dir)
    plan, settings, told = (there, there.apply(job.settings), ["the plan of this run stands"]) if there else _made(job)
    if not job.args.dry_run:
        plan = start(Retrainings(settings), settings.paths, plan, job.run_dir)
    _require_as_planned(plan, job.args)
    print("\n".join([*plan_text(plan, plan.apply(settings)), *told]), flush=True)
    if job.args.dry_run:
        return "dry run, nothing was written"
    kept = "plan kept as it was: " if there else ""
    return f"{kept}{', '.join(plan.stages)} from {plan.champion or 'the planner'}, MLflow run {plan.mlflow_run}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and what differs from the settings."""
    parser.add_argument("--stages", help=f"comma-separated, in order (default: {','.join(STAGES)})")
    parser.add_argument("--algorithm", help="of RL (default: rl.algorithm)")
    parser.add_argument("--rl-steps", type=int, help="optimizer steps of RL (default: rl.steps)")
    parser.add_argument("--requests", type=int, help="requests of the rollouts (default: collect.requests)")
    parser.add_argument("--seed", type=int, help="of everything random in training (default: training.seed)")
    parser.add_argument("--no-promote", action="store_true", help="the gate decides, and moves nothing")
    parser.add_argument("--dry-run", action="store_true", help="tell what each stage would do, write nothing")
    parser.add_argument(
        "--like", metavar="MLFLOW_RUN", help="plan as this retraining was; id of its run or of a stage's"
    )


def _made(job: Job) -> tuple[RetrainPlan, Settings, list[str]]:
    """A new plan, the settings with its sections in force, and what is to be told of it."""
    promote = not job.args.no_promote
    if job.args.like:
        return _like(job, job.args.like, promote=promote)
    settings = load_settings(overrides=_overrides(job.args))
    registry, stages = Registry(settings), _stages(job.args)
    plan = make_plan(registry, settings, ds=job.ds, run_id=job.run_id, stages=stages or STAGES, promote=promote)
    return plan, settings, []


def _like(job: Job, mlflow_run: str, *, promote: bool) -> tuple[RetrainPlan, Settings, list[str]]:
    given = [name for name in ("stages", *SETTINGS) if getattr(job.args, name) is not None]
    if given:
        raise ConfigError(f"--like takes {', '.join(given)} from that run; leave out --{given[0].replace('_', '-')}")
    earlier = read_earlier(Retrainings(job.settings), mlflow_run)
    settings = load_settings(overrides=earlier.plan.settings)
    plan, told = plan_like(earlier, Registry(settings), settings, ds=job.ds, run_id=job.run_id, promote=promote)
    return plan, settings, [f"not as in run {mlflow_run}: {line}" for line in told]


def _require_as_planned(plan: RetrainPlan, args: argparse.Namespace) -> None:
    """Each argument that is given says what the plan says: one that is there stands, whatever is asked later."""
    planned: dict[str, tuple[object, object]] = {"stages": (plan.stages, _stages(args)), "like": (plan.like, args.like)}
    planned |= {name: (plan.settings[section][key], getattr(args, name)) for name, (section, key) in SETTINGS.items()}
    planned |= {"no-promote": (not plan.promote, args.no_promote or None)}
    for name, (stands, asked) in planned.items():
        if asked is not None and asked != stands:
            raise ConfigError(
                f"run {plan.run_id} was planned with {name.replace('_', '-')} {_shown(stands)}, found {_shown(asked)}; "
                "leave the argument out to go on, or plan a new run"
            )


def _shown(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _stages(args: argparse.Namespace) -> tuple[str, ...] | None:
    return None if args.stages is None else tuple(stage.strip() for stage in args.stages.split(","))


def _overrides(args: argparse.Namespace) -> Mapping[str, Any]:
    """Arguments as settings; `load_settings` holds them to their bounds."""
    found: dict[str, dict[str, Any]] = {}
    for name, (section, key) in SETTINGS.items():
        if getattr(args, name) is not None:
            found.setdefault(section, {})[key] = getattr(args, name)
    return found


if __name__ == "__main__":
    main("plan_retrain", run, add_arguments)
