import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from recthinker.errors import ConfigError
from recthinker.settings import Settings
from recthinker.training.plan_text import plan_text, stage_seconds
from recthinker.training.retrain_plan import SECTIONS, RetrainPlan
from tests.training.blank_retraining import DS, RUN_ID, build_cut, finish


def plan(settings: Settings, **changes: object) -> RetrainPlan:
    fields = {
        **{"ds": DS, "run_id": RUN_ID, "stages": ("base", "collect", "rl"), "champion": None, "champion_path": None},
        **{"promote": True, "mlflow_run": "", "settings": settings.model_dump(mode="json", include=set(SECTIONS))},
    }
    return RetrainPlan(**fields | changes)  # type: ignore[arg-type]  # passed through


def ran(runs: Path, run_id: str, job: str, seconds: float, at: int) -> None:
    path = runs / DS / run_id / "stages" / f"{job}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"seconds": seconds}), encoding="utf-8")
    os.utime(path, (at, at))


def test_text_tells_sizes_what_is_done_and_what_lacks(settings: Settings) -> None:
    build_cut(settings.paths)
    finish(settings.paths.runs / DS / RUN_ID, "sft", text="m")
    ran(settings.paths.runs, "earlier", "train_rl", 600.0, at=1)
    text = "\n".join(plan_text(plan(settings), settings))
    assert "champion   none yet: the scripted planner draws the rollouts" in text
    assert "cut holdout_last_11, built\n" in text
    assert f"cut holdout_last_1, not built: python -m jobs.build_features --ds {DS} --cut holdout_last:1 --wi" in text
    assert "up to 1,886 requests x 4 rollouts = 7,544 episodes at temperature 1\n" in text
    assert "select     left out" in text
    assert "sft        done" in text
    rl = settings.rl
    learned = rl.steps * rl.requests_per_step * rl.rollouts
    assert (
        f"{rl.algorithm}, {rl.steps} steps x {rl.requests_per_step} requests x {rl.rollouts} rollouts = {learned:,} "
        f"episodes learned from, {learned * rl.redraw:,} drawn; took 10 min" in text
    )
    assert text.endswith("moves the alias where the challenger is better")
    assert plan_text(plan(settings, promote=False), settings)[-1].endswith("only says what it would do")


def test_time_of_a_stage_is_the_longest_of_the_last_five_runs(tmp_path: Path) -> None:
    for number, seconds in enumerate([900.0, 30.0, 0.1, 40.0, 0.1, 0.1]):
        ran(tmp_path, f"r{number}", "train_sft", seconds, at=number)
    assert stage_seconds(tmp_path) == {"sft": 40.0}


def test_a_plan_of_code_with_other_settings_cannot_go_on(settings: Settings) -> None:
    sections = settings.model_dump(mode="json", include=set(SECTIONS))
    del sections["rl"]["answer_weight"]
    sections["collect"]["speed"] = 3
    with pytest.raises(ConfigError, match=rf"{RUN_ID} of {DS} was planned by other code.* in collect.speed, rl.a"):
        replace(plan(settings), settings=sections).apply(settings)
