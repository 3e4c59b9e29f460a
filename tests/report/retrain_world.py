"""A retraining as it lies on disk: plan, results of the stages, decision, stage times, evaluations.

The numbers that tests look for are chosen by hand; the curves are noise around a line, from a seed. A title in the
sample and a plan are attacks on the page.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from recthinker.evaluation import Check, Decision, Interval, Reason
from recthinker.settings import load_settings
from recthinker.training.retrain_plan import SECTIONS, STAGES, RetrainPlan
from recthinker.training.stage import Curve, StageResult, stage_folder

DS, RUN_ID, PARENT = "1998-04-22", "manual__1998-04-29", "4f1c0de"
CHALLENGER, CHAMPION = "recthinker/5", "recthinker/4"
ATTACK = "<script>alert(1)</script>"
SECONDS = {
    **{"plan_retrain": 2.1, "train_base": 3.0, "collect_rollouts": 61.5, "select_episodes": 4.5, "train_sft": 58.0},
    **{"train_rl": 180.0, "register_challenger": 6.0, "evaluate_model": 45.0, "promote_model": 3.9},
}
SAMPLE = (
    f"Rank for this user Heat {ATTACK} <think>\n"
    "[[known history missing together <call> co_interactions]] B 9 8\n"
    "[[<rank> B]]"
)
PLANS = (
    "  drawn     kept  plan\n"
    " 50.00%   60.00%  co_interactions\n"
    " 30.00%   40.00%  user_history > co_interactions\n"
    f" 20.00%    0.00%  {ATTACK} > item_info"
)


def plan(stages: tuple[str, ...] = STAGES, *, promote: bool = True, **sections: Any) -> RetrainPlan:
    """The plan; `sections` hold what is changed of the default settings."""
    settings = load_settings("base", environ={}, overrides=sections).model_dump(mode="json")
    return RetrainPlan(
        ds=DS,
        run_id=RUN_ID,
        stages=stages,
        champion=CHAMPION,
        champion_path=None,
        promote=promote,
        mlflow_run=PARENT,
        settings={name: settings[name] for name in SECTIONS},
    )


def results() -> dict[str, StageResult]:
    """What each stage left, by stage."""
    rng = np.random.default_rng(3)
    base = StageResult("base", "taken as it is from base-1a2b3c", {"parameters": 1438720.0, "final_loss": 0.71234})
    base = replace(base, curves={"loss": curve(rng, 1250, 7.6, 0.7, 0.05)}, texts={"plans.txt": "40\tco_interactions"})
    collect = StageResult("collect", "7,544 rollouts of 1,886 requests", {"rollouts": 7544.0, "valid_share": 0.9904})
    collect = replace(collect, params={"drawn_by": CHAMPION})
    select = StageResult("select", "40 of 100 rollouts are learned from", {"rollouts": 100.0, "kept": 40.0})
    select = replace(select, texts={"plans.txt": PLANS, "samples.txt": SAMPLE})
    sft = StageResult("sft", "trained on 40 episodes", {"final_loss": 0.31})
    sft = replace(sft, curves={"loss": curve(rng, 24, 0.6, 0.31, 0.02)})
    rl = StageResult("rl", "60 steps of 16 x 8 rollouts", {"ndcg": 0.71}, curves=rl_curves(rng))
    tables = {"user_history": 7, "rollouts": 2}
    made = {one.stage: one for one in (base, collect, select, sft, rl)}
    return {stage: replace(one, tables=tables, cut="holdout_last_11") for stage, one in made.items()}


def rl_curves(rng: np.random.Generator) -> dict[str, Curve]:
    """Everything that RL watches."""
    ends = {
        **{"ndcg": (0.6, 0.71, 0.02), "reward_ranking": (0.58, 0.7, 0.03), "reward_efficiency": (0.5, 0.62, 0.02)},
        **{"reward_validity": (-0.02, 0.0, 0.004), "calls": (1.9, 1.4, 0.08), "broken_calls": (0.04, 0.01, 0.01)},
        **{"valid_share": (0.97, 0.995, 0.004), "written_tokens": (22, 17, 0.5), "flat_groups": (0.2, 0.35, 0.04)},
        **{
            "answer_divergence": (0.08, 0.06, 0.01),
            "kl": (0, 0.02, 0.001),
            "entropy": (0.9, 0.6, 0.03),
            "grad_norm": (0.5, 0.3, 0.1),
        },
        **{"loss": (0, 0, 0.004), "probe_difference": (1e-5, 3e-5, 4e-6)},
    }
    return {name: curve(rng, 60, *span) for name, span in ends.items()}


def curve(rng: np.random.Generator, steps: int, first: float, last: float, noise: float) -> Curve:
    """From `first` to `last`, fast at first."""
    rise = 1 - np.exp(-np.linspace(0, 4, steps))
    values = first + (last - first) * rise + rng.normal(0, noise, steps)
    return [(step, float(value)) for step, value in enumerate(values, start=1)]


def decision(*, slower: bool = False, difference: float = 0.0123) -> Decision:
    """What the gate decided; refused where the challenger is `slower`."""
    gain = Interval(difference, difference - 0.0053, difference + 0.0055)
    late = 0.0098 if slower else 0.0041
    checks = (
        Check(Reason.LEAKED_TARGETS, 0.0, 0.0, True, "0 of the 900 targets were targets in its training"),
        Check(Reason.KNOWS_BLIND, -0.021, 0.05, True, "without any tool it leads popularity by -0.0200 NDCG"),
        Check(Reason.COPIES_ORDER, 0.012, 0.3, True, "its ranks correlate with the order shown by +0.020"),
        Check(Reason.TOO_FEW_USERS, 900.0, 100.0, True, "900 users were evaluated, asked are 100"),
        Check(Reason.AT_CHANCE, 0.64, 0.2272, True, "its NDCG is 0.6600 [0.6400, 0.6800]"),
        Check(Reason.LESS_VALID, 0.9967, 0.9861, True, "99.67% of its episodes end in an answer of its own"),
        Check(Reason.SLOWER, late, 0.0063, not slower, f"a user takes {1000 * late:.1f} ms, allowed are 6.3"),
        Check(Reason.SEGMENT_WORSE, 0.0031, -0.02, True, "short histories (225 users): NDCG differs by +0.0031"),
        Check(Reason.SEGMENT_WORSE, -0.0112, -0.02, True, "rare targets (225 users): NDCG differs by -0.0112"),
        Check(Reason.NOT_BETTER, gain.low, 0.005, True, f"NDCG differs by {difference:+.4f}, all of it above 0.005"),
    )
    failed = [check for check in checks if not check.is_met]
    return Decision(
        is_promoted=not failed,
        headline="",
        checks=checks,
        users=900,
        ndcg=(0.66 + difference, 0.66),
        calls=(1.42, 1.91),
        difference=gain,
        calls_over_allowed=Interval(-0.11, -0.16, -0.06),
    )


def evaluation(ndcg: float, *, requests: str = "r1", **more: Any) -> dict[str, Any]:
    """evaluation.json of a version whose agent has `ndcg`."""

    def system(name: str, value: float) -> dict[str, Any]:
        return {
            **{"name": name, "ndcg": value, "ndcg_low": value - 0.02, "ndcg_high": value + 0.02},
            **{"hr": 0.9, "hr_low": 0.88, "hr_high": 0.92},
        }

    others = {"EASE": 0.65, "ItemKNN": 0.64, "popularity": 0.55}
    paired = [
        {"against": name, "difference": ndcg - value, "low": ndcg - value - 0.01, "high": ndcg - value + 0.01}
        for name, value in others.items()
    ]
    inside = [{"name": "agent", "ndcg": ndcg - 0.1}, {"name": "EASE", "ndcg": 0.53}]
    return {
        "protocol": "Each user's last interaction among 20 candidates.",
        "users": 900,
        "left_out": 43,
        "k": 10,
        "chance": {"ndcg": 0.2272, "hr": 0.5},
        "systems": [system("agent", ndcg), *(system(name, value) for name, value in others.items())],
        "paired": paired,
        "segments": [
            {"name": "rare targets", "rule": "at most 5 events", "users": 225, "systems": inside, "paired": []}
        ],
        "command": "recthinker evaluate",
        "requests": requests,
        **more,
    }


def write(
    run_dir: Path,
    chosen: RetrainPlan,
    made: dict[str, StageResult],
    decided: Decision | None,
    jobs: dict[str, float] | None = None,
    *,
    champion: str | None = None,
) -> None:
    """The run as its jobs leave it; the gate compared with `champion`, where it was not the plan's any more."""
    chosen.write(run_dir)
    for stage, result in made.items():
        result.write(stage_folder(run_dir, stage))
    if decided:
        gate = {"challenger": CHALLENGER, "champion": champion or chosen.champion or "popularity", **decided.as_dict()}
        (run_dir / "gate.json").write_text(json.dumps(gate), encoding="utf-8")
    folder = run_dir / "stages"
    folder.mkdir()
    for place, (name, taken) in enumerate((SECONDS if jobs is None else jobs).items()):
        stage = {"stage": name, "seconds": taken, "summary": "", "ended_at": float(place)}
        (folder / f"{name}.json").write_text(json.dumps(stage), encoding="utf-8")
