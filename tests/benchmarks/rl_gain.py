"""What reinforcement learning adds to the SFT model, over several seeds, on users that no training saw.

`python -m tests.benchmarks.rl_gain [--of demo] [--run R] [--seeds 1 2 3] [--lists 8]` takes the SFT model of a
retraining (the newest one of the data's date, or `--run`), trains it by that run's `rl:` once for each seed, which
decides requests, orders and sampling, and measures all of them on the evaluation's users, each target among several
draws of other items. Data are the demo's, or what `tests.benchmarks.grocery` or `adapts` left. Writes figures and
curves to var/bench/rl_gain/<data>.json and .svg, and keeps the models beside them: what is there is used again.
"""

import argparse
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from rich.console import Console
from rich.table import Table

from recthinker.agent import Agent
from recthinker.evaluation import Protocol, bootstrap_mean
from recthinker.evaluation.metrics import ndcg
from recthinker.inference.agent_run import AgentRun, run_agent
from recthinker.inference.engine import Engine
from recthinker.inference.engines import open_engine
from recthinker.inference.evidence_weights import EvidenceWeights
from recthinker.inference.trial import open_trial
from recthinker.settings import Settings, load_settings
from recthinker.training.base_model import WEIGHTS
from recthinker.training.planned_cut import read_planned_cut
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.rl import train_rl
from recthinker.training.stage import MODEL, require_model_of
from recthinker.training.training_requests import stage_seed, training_requests
from tests.benchmarks.adapts import world_of
from tests.benchmarks.grocery import grocery
from tests.benchmarks.processes import python
from tests.benchmarks.retrainings.pipeline import bench_folder
from tests.benchmarks.retrainings.world import RetrainWorld
from tests.benchmarks.two_kinds import TwoKinds

Figures = dict[str, np.ndarray]
"""Of a model, by name of `WATCHED_OF_USER`, for each user, (U,)."""
WORLDS: Mapping[str, Callable[[], RetrainWorld]] = {"grocery": grocery, "adapts": lambda: world_of(TwoKinds())}
DEMO = "demo"
WATCHED = {"ndcg": "NDCG@10 of what was drawn", "calls": "tool calls an episode", "entropy": "entropy, nats a token"}
SFT, SEED = "sft", "seed-"
WATCHED_OF_USER = ("ndcg", "calls", "ranked")
SMOOTHED = 10
"""Steps that a point of a curve is the mean of."""


def main() -> None:
    """Train and measure in child processes, one engine each; then tell."""
    arguments = _arguments()
    settings, ds = data_of(arguments.of)
    run_dir = _run_dir(settings.paths.runs / ds, arguments.run)
    kept = bench_folder() / "rl_gain" / arguments.of
    folder = kept / run_dir.name
    if arguments.train:
        _train(settings, run_dir, folder / arguments.train, seed=int(arguments.train.removeprefix(SEED)))
        return
    if arguments.measure:
        _measure(settings, run_dir, folder / arguments.measure, arguments.lists)
        return
    names = [f"{SEED}{seed}" for seed in arguments.seeds]
    for name in names:
        if not (folder / name / "curves.json").is_file():
            _child(arguments, run_dir, "--train", name)
    for name in (SFT, *names):
        if not figures_file(folder / name, arguments.lists).is_file():
            _child(arguments, run_dir, "--measure", name)
    figures = {name: _read_figures(figures_file(folder / name, arguments.lists)) for name in (SFT, *names)}
    told = {name: compared(figures[SFT], [figures[name]], settings) for name in names}
    told["all seeds"] = compared(figures[SFT], [figures[name] for name in names], settings)
    kept.with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    curves = {name: json.loads((folder / name / "curves.json").read_text(encoding="utf-8")) for name in names}
    draw(curves, kept.with_suffix(".svg"))
    _print(told)


def compared(sft: Figures, trained: Sequence[Figures], settings: Settings) -> dict[str, Any]:
    """The mean of trained models against the SFT model, paired by user."""
    mean = {name: np.mean([one[name] for one in trained], axis=0) for name in WATCHED_OF_USER}
    evaluation = settings.evaluation
    gain = bootstrap_mean(mean["ndcg"] - sft["ndcg"], draws=evaluation.bootstrap_draws, seed=evaluation.seed)
    figures = {name: {"sft": float(sft[name].mean()), "rl": float(mean[name].mean())} for name in WATCHED_OF_USER}
    return {"users": len(sft["ndcg"]), **figures, "gain": gain._asdict()}


def draw(curves: Mapping[str, dict[str, list[list[float]]]], path: Path) -> None:
    """What was watched while each seed learned, smoothed."""
    matplotlib.rcParams["svg.hashsalt"] = path.stem  # the same figures, the same file
    figure, axes = plt.subplots(1, len(WATCHED), figsize=(9, 2.8), layout="constrained")
    for place, (name, label) in zip(axes, WATCHED.items(), strict=True):
        for seed, watched in curves.items():
            steps, values = zip(*watched[name], strict=True)
            width = min(SMOOTHED, len(values))
            smooth = np.convolve(values, np.ones(width) / width, mode="valid")
            place.plot(steps[width - 1 :], smooth, label=seed.replace("-", " "))
        place.set(xlabel="step", title=label)
        place.title.set_fontsize(9)
        place.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def data_of(name: str) -> tuple[Settings, str]:
    """Settings and logical date of the demo, or of a pipeline that a benchmark has run."""
    if name == DEMO:
        settings = load_settings()
        return settings, str(settings.demo.ds)
    made = WORLDS[name]()
    return made.settings, made.ds


def figures_file(folder: Path, lists: int) -> Path:
    """Of a model, measured on so many lists."""
    return folder / f"lists-{lists}.npz"


def _child(arguments: argparse.Namespace, run_dir: Path, what: str, name: str) -> None:
    same = ("--of", arguments.of, "--lists", str(arguments.lists), "--run", run_dir.name)
    subprocess.run(python("tests.benchmarks.rl_gain", *same, what, name), check=True)


def _measure(settings: Settings, run_dir: Path, folder: Path, lists: int) -> None:
    """Keep the means over the lists for each user, (U,)."""
    plan = RetrainPlan.read(run_dir)
    settings = plan.apply(settings)
    model = require_model_of(run_dir, "sft") if folder.name == SFT else folder / MODEL
    agent = Agent.load(model, settings.agent, settings.tools)
    engine = open_engine(model, agent, settings)
    runs = [_run(engine, agent, settings, plan.ds, number, folder / "snapshots") for number in range(lists)]
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        figures_file(folder, lists),
        ndcg=np.mean([ndcg(run.ranks, settings.evaluation.k) for run in runs], axis=0),
        calls=np.mean([run.calls for run in runs], axis=0),
        ranked=np.mean([run.ranked for run in runs], axis=0),
    )


def _run(engine: Engine, agent: Agent, settings: Settings, ds: str, number: int, folder: Path) -> AgentRun:
    """All users of the evaluation, with other items and another order for each `number`."""
    drawn = settings.evaluation.model_copy(update={"seed": settings.evaluation.seed + number})
    protocol = Protocol.parse(drawn.protocol)
    trial = open_trial(settings.model_copy(update={"evaluation": drawn}), protocol, ds=ds, folder=folder)
    in_order = agent.settings.model_copy(update={"seed": agent.settings.seed + number})
    run = run_agent(
        engine,
        Agent(agent.chat, agent.toolbox, in_order),
        trial.snapshot.items,
        trial.rows,
        trial.target,
        max_in_flight=settings.inference.max_in_flight,
        on_episode=lambda episode: None,
    )
    print(f"list {number + 1}: NDCG {ndcg(run.ranks, drawn.k).mean():.4f}", flush=True)
    return run


def _read_figures(path: Path) -> Figures:
    with np.load(path) as kept:
        return {name: kept[name] for name in WATCHED_OF_USER}


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

    weights = EvidenceWeights.read(require_model_of(run_dir, "base") / WEIGHTS)
    curves = train_rl(require_model_of(run_dir, "sft"), asked, settings, weights, folder=folder, on_step=told)
    (folder / "curves.json").write_text(json.dumps(curves), encoding="utf-8")


def _run_dir(runs: Path, run: str | None) -> Path:
    found = (
        [runs / run] if run else sorted(runs.glob("*/retrain/sft/result.json"), key=lambda path: path.stat().st_mtime)
    )
    if not found:
        raise SystemExit(
            f"no retraining under {runs} has an SFT model: run `recthinker retrain` or the data's benchmark"
        )
    return found[-1] if run else found[-1].parents[2]


def _print(told: Mapping[str, dict[str, Any]]) -> None:
    table = Table("", "NDCG@10 SFT", "RL", "difference, 95 %", "calls SFT", "RL", "own answers SFT", "RL")
    for seed, one in told.items():
        gain = one["gain"]
        numbers = [f"{one[name][which]:.4f}" for name in ("ndcg", "calls", "ranked") for which in ("sft", "rl")]
        interval = f"{gain['mean']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}]"
        table.add_row(seed, *numbers[:2], interval, *numbers[2:])
    # Wide enough where the output is no terminal.
    Console(width=max(Console().width, 110)).print(table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.rl_gain", description=__doc__)
    parser.add_argument("--of", choices=(DEMO, *WORLDS), default=DEMO, help="data")
    parser.add_argument("--run", help="run id of a retraining")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    lists = "draws of the other items and of the order shown; their mean is less noisy than the evaluation's one"
    parser.add_argument("--lists", type=int, default=8, help=lists)
    parser.add_argument("--train", help=argparse.SUPPRESS)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
