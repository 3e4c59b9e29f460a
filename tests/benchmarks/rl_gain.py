"""What reinforcement learning adds to the SFT model, over several seeds, on users that no training saw.

`python -m tests.benchmarks.rl_gain [--run R] [--seeds 1 2 3]` takes the SFT model of a retraining (the newest of the
demo's date, or `--run`), trains it by that run's `rl:` once for each seed, which decides requests, orders and sampling,
and measures all of them on the evaluation's users. Writes docs/rl.svg and var/bench/rl_gain.json, and keeps the models
under var/bench/rl_gain: what is there is used again.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from rich.console import Console
from rich.table import Table

from recthinker.evaluation import UserFigures, bootstrap_mean
from recthinker.inference.offline import evaluate_model
from recthinker.settings import Settings, load_settings
from recthinker.training.planned_cut import read_planned_cut
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.rl import train_rl
from recthinker.training.stage import MODEL, require_model_of
from recthinker.training.training_requests import stage_seed, training_requests

OUT = Path("docs/rl.svg")
WATCHED = {"ndcg": "NDCG@10 of what was drawn", "calls": "tool calls an episode", "entropy": "entropy, nats a token"}
SFT, SEED, FIGURES = "sft", "seed-", "users.parquet"
SMOOTHED = 10
"""Steps that a point of a curve is the mean of."""


def main() -> None:
    """Train and measure in child processes, one engine each; then tell."""
    arguments = _arguments()
    settings = load_settings()
    run_dir = _run_dir(settings, arguments.run)
    folder = settings.paths.var / "bench" / "rl_gain" / run_dir.name
    if arguments.train:
        _train(settings, run_dir, folder / arguments.train, seed=int(arguments.train.removeprefix(SEED)))
        return
    if arguments.measure:
        _measure(settings, run_dir, folder / arguments.measure)
        return
    names = [f"{SEED}{seed}" for seed in arguments.seeds]
    for name in names:
        if not (folder / name / "curves.json").is_file():
            _child(run_dir, "--train", name)
    for name in (SFT, *names):
        if not (folder / name / FIGURES).is_file():
            _child(run_dir, "--measure", name)
    told = [compared(folder, seed, settings) for seed in arguments.seeds]
    (folder.parents[1] / "rl_gain.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    draw({one["seed"]: one["curves"] for one in told}, OUT)
    _print(told)


def compared(folder: Path, seed: int, settings: Settings) -> dict[str, Any]:
    """A seed's model against the SFT model, paired by user."""
    sft, trained = (UserFigures.read(folder / name / FIGURES) for name in (SFT, f"{SEED}{seed}"))
    evaluation = settings.evaluation
    gain = bootstrap_mean(trained.ndcg - sft.ndcg, draws=evaluation.bootstrap_draws, seed=evaluation.seed)
    return {
        "seed": seed,
        "users": len(sft.users),
        "ndcg": {"sft": float(sft.ndcg.mean()), "rl": float(trained.ndcg.mean())},
        "gain": {"mean": gain.mean, "low": gain.low, "high": gain.high},
        "calls": {"sft": float(sft.calls.mean()), "rl": float(trained.calls.mean())},
        "ranked": {"sft": float(sft.ranked.mean()), "rl": float(trained.ranked.mean())},
        "curves": json.loads((folder / f"{SEED}{seed}" / "curves.json").read_text(encoding="utf-8")),
    }


def draw(curves: dict[int, dict[str, list[list[float]]]], path: Path) -> None:
    """What was watched while each seed learned, smoothed."""
    matplotlib.rcParams["svg.hashsalt"] = path.stem  # the same figures, the same file
    figure, axes = plt.subplots(1, len(WATCHED), figsize=(9, 2.8), layout="constrained")
    for place, (name, label) in zip(axes, WATCHED.items(), strict=True):
        for seed, watched in curves.items():
            steps, values = zip(*watched[name], strict=True)
            width = min(SMOOTHED, len(values))
            smooth = np.convolve(values, np.ones(width) / width, mode="valid")
            place.plot(steps[width - 1 :], smooth, label=f"seed {seed}")
        place.set(xlabel="step", title=label)
        place.title.set_fontsize(9)
        place.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _child(run_dir: Path, what: str, name: str) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.rl_gain", "--run", run_dir.name, what, name]
    subprocess.run(command, check=True)


def _measure(settings: Settings, run_dir: Path, folder: Path) -> None:
    plan = RetrainPlan.read(run_dir)
    model = require_model_of(run_dir, "sft") if folder.name == SFT else folder / MODEL
    evaluated = evaluate_model(model, plan.apply(settings), ds=plan.ds, folder=folder / "snapshots")
    evaluated.users.write(folder / FIGURES)


def _train(settings: Settings, run_dir: Path, folder: Path, *, seed: int) -> None:
    plan = RetrainPlan.read(run_dir)
    settings = plan.apply(settings)
    training = settings.training.model_copy(update={"seed": seed})
    settings = settings.model_copy(update={"training": training})
    cut, features, _ = read_planned_cut(plan, settings)
    rl = settings.rl
    asked = training_requests(
        cut,
        features,
        settings,
        ds=plan.ds,
        folder=folder / "snapshot",
        count=rl.steps * rl.requests_per_step * rl.redraw,
        seed=stage_seed(seed, "rl"),
    )

    def told(step: int, steps: int, ndcg: float) -> None:
        print(f"seed {seed}: step {step} of {steps}, NDCG {ndcg:.3f}", flush=True)

    curves = train_rl(require_model_of(run_dir, "sft"), asked, settings, folder=folder, on_step=told)
    (folder / "curves.json").write_text(json.dumps(curves), encoding="utf-8")


def _run_dir(settings: Settings, run: str | None) -> Path:
    runs = settings.paths.runs / str(settings.demo.ds)
    found = (
        [runs / run] if run else sorted(runs.glob("*/retrain/sft/result.json"), key=lambda path: path.stat().st_mtime)
    )
    if not found:
        raise SystemExit(f"no retraining under {runs} has an SFT model: run `recthinker retrain` first")
    return found[-1] if run else found[-1].parents[2]


def _print(told: Sequence[dict[str, Any]]) -> None:
    table = Table("seed", "NDCG@10 SFT", "RL", "difference, 95 %", "calls SFT", "RL", "own answers SFT", "RL")
    for one in told:
        gain = one["gain"]
        numbers = [f"{one[name][which]:.4f}" for name in ("ndcg", "calls", "ranked") for which in ("sft", "rl")]
        interval = f"{gain['mean']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}]"
        table.add_row(str(one["seed"]), *numbers[:2], interval, *numbers[2:])
    Console().print(table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.rl_gain", description=__doc__)
    parser.add_argument("--run", help="run id of a retraining")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--train", help=argparse.SUPPRESS)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
