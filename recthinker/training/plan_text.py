"""A retraining's plan in words, before anything runs: what each stage would do, and about how long."""

import json
from collections.abc import Mapping
from pathlib import Path

from recthinker.errors import TableContractError
from recthinker.evaluation import Protocol
from recthinker.lookup.cut_versions import cut_versions
from recthinker.settings import PathSettings, Settings
from recthinker.training.retrain_plan import JOBS, STAGES, RetrainPlan
from recthinker.training.stage import read_result

RECENT = 5
"""Runs that a stage's time is told from; the longest counts, for one that was done already took no time."""


def plan_text(plan: RetrainPlan, settings: Settings) -> list[str]:
    """The plan, a line a thing.

    Args:
        settings: with the plan's sections in force.
    """
    seconds = stage_seconds(settings.paths.runs)
    evaluated = Protocol.parse(settings.evaluation.protocol).cut
    lines = [
        f"{'retraining':<11}of {plan.ds}, run {plan.run_id}",
        f"{'champion':<11}{plan.champion or 'none yet: the scripted planner draws the rollouts'}",
        f"{'learns on':<11}{_cut(settings.paths, plan.cut, plan.ds)}",
        f"{'measured':<11}{_cut(settings.paths, evaluated, plan.ds)}",
    ]
    for stage in STAGES:
        lines.append(f"{stage:<11}{_stage(plan, settings, stage, seconds)}")
    moves = "moves the alias where the challenger is better" if plan.promote else "only says what it would do"
    return [*lines, f"{'gate':<11}{moves}"]


def stage_seconds(runs: Path) -> dict[str, float]:
    """By stage, the wall seconds of its longest job of the last few runs; none of a stage that never ran."""
    found = {}
    for stage, job in JOBS.items():
        files = sorted(runs.glob(f"*/*/stages/{job}.json"), key=lambda path: path.stat().st_mtime)[-RECENT:]
        if files:
            found[stage] = max(float(json.loads(path.read_text(encoding="utf-8"))["seconds"]) for path in files)
    return found


def _cut(paths: PathSettings, cut: str, ds: str) -> str:
    try:
        cut_versions(paths, cut, ds)
    except TableContractError:
        built = f"not built: python -m jobs.build_features --ds {ds} --cut {_argument(cut)} --with-candidates"
    else:
        built = "built"
    return f"cut {cut}, {built}"


def _argument(cut: str) -> str:
    """`holdout_last_1` as build_features takes it."""
    rule, _, value = cut.rpartition("_")
    return f"{rule}:{value}"


def _stage(plan: RetrainPlan, settings: Settings, stage: str, seconds: Mapping[str, float]) -> str:
    if read_result(settings.paths.runs / plan.ds / plan.run_id, stage) is not None:
        return "done"
    if stage not in plan.stages:
        return "left out"
    took = seconds.get(stage)
    told = "" if took is None else f"; took {_duration(took)} lately"
    return f"{_does(settings)[stage]}{told}"


def _does(settings: Settings) -> dict[str, str]:
    training, collect, selection, rl = settings.training, settings.collect, settings.selection, settings.rl
    trained = rl.requests_per_step * rl.rollouts
    return {
        "base": f"{training.base_short_episodes:,} short and {training.base_episodes:,} whole demonstrations, unless a "
        "base model of these settings is there",
        "collect": f"up to {collect.requests:,} requests x {collect.rollouts} rollouts = "
        f"{collect.requests * collect.rollouts:,} episodes at temperature {collect.temperature:g}",
        "select": f"at most {selection.per_request} a request and {selection.per_user} a user, so at most "
        f"{collect.requests * min(selection.per_request, collect.rollouts):,} episodes",
        "sft": f"on what was selected, {training.batch_size} episodes a step, {rl.method}",
        "rl": f"{rl.algorithm}, {rl.steps} steps x {rl.requests_per_step} requests x {rl.rollouts} rollouts = "
        f"{rl.steps * trained:,} episodes learned from, {rl.steps * trained * rl.redraw:,} drawn",
    }


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
