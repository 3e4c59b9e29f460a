"""Whether the pipeline makes an agent that adapts its effort where the data reward it.

`python -m tests.benchmarks.adapts [--users 600] [--seed 1]` lands the world of `two_kinds` in a `var` of its own,
builds its tables, trains a first model and retrains it, job by job as on any data, and measures both with
`--ablations`. Prints and writes to var/bench/adapts.json how often each calls again where it would be wrong after its
first call and where it would be right, and calls and NDCG by kind of user. What is there under var/bench/adapts is used
again: a run that was stopped goes on after its last job.
"""

import argparse
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from recthinker.evaluation import UserFigures, bootstrap_mean
from recthinker.evaluation.kept import kept_figures, kept_users
from recthinker.settings import EvaluationSettings
from tests.benchmarks.retrainings.pipeline import bench_folder, run_pipeline
from tests.benchmarks.retrainings.world import RetrainWorld
from tests.benchmarks.two_kinds import KINDS, TwoKinds, write_files

SETTINGS: Mapping[str, str] = {
    # Of some thirty events a user, most are left to the statistics.
    "TRAINING__HOLDOUT_LAST": "6",
    # As the evaluation asks: among random items.
    "TRAINING__HARD_SHARE": "0",
    # Less of everything than for real data: titles say nothing, and episodes are short.
    "TRAINING__BASE_SHORT_EPISODES": "8000",
    "TRAINING__BASE_EPISODES": "4000",
    "TRAINING__SFT_EPISODES": "1200",
    "COLLECT__REQUESTS": "800",
    "RL__STEPS": "50",
    "RL__REQUESTS_PER_STEP": "8",
    "EVALUATION__SHUFFLES": "1",
    "TRAINING__THREADS": "1",
    "INFERENCE__THREADS": "1",
}
"""What differs from base.yaml."""
MODELS = {"first model": "recthinker/1", "retrained": "recthinker/2"}


def main() -> None:
    """Run what is not done yet, then tell."""
    arguments = _arguments()
    world = TwoKinds(users=arguments.users, seed=arguments.seed)
    made = world_of(world)
    files = made.var / "data"
    write_files(world, files)
    run_pipeline(made, files)
    told = {name: figures(made, model) for name, model in MODELS.items()}
    (bench_folder() / "adapts.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    _print(told)


def world_of(world: TwoKinds) -> RetrainWorld:
    """Its `var`, made or not."""
    folder = bench_folder() / "adapts" / f"{world.users}-{world.seed}"
    return RetrainWorld(folder, world.last_day.isoformat(), "local", SETTINGS)


def figures(made: RetrainWorld, model: str) -> dict[str, Any]:
    """Of one model, `name/version`: what its evaluation says of effort, and calls and NDCG by kind of user."""
    evaluation = kept_figures(made.run_dir, model)
    if evaluation is None:
        raise SystemExit(f"{made.run_dir} holds no evaluation of {model}; remove {made.var} and run again")
    kept = ("systems", "further_calls", "call_curve", "adaptivity", "ablations")
    kinds = by_kind(kept_users(made.run_dir, model), made.settings.evaluation)
    return {"kinds": kinds, **{name: evaluation[name] for name in kept}}


def by_kind(users: UserFigures, settings: EvaluationSettings) -> dict[str, dict[str, Any]]:
    """Users of each kind, and their mean calls and NDCG with intervals."""
    found = {}
    for letter, kind in KINDS.items():
        inside = np.array([user.startswith(letter) for user in users.users])
        means = {
            name: bootstrap_mean(values[inside], draws=settings.bootstrap_draws, seed=settings.seed)._asdict()
            for name, values in (("calls", users.calls), ("ndcg", users.ndcg))
        }
        found[kind] = {"users": int(inside.sum()), **means}
    return found


def _print(told: Mapping[str, dict[str, Any]]) -> None:
    table = Table("", *told)
    first = next(iter(told.values()))
    for place, system in enumerate(first["systems"]):
        row = (f"{one['systems'][place]['ndcg']:.3f}" for one in told.values())
        table.add_row(f"NDCG of {system['name']}", *row)
    for kind in KINDS.values():
        for name in ("calls", "ndcg"):
            row = (_interval(one["kinds"][kind][name], "mean") for one in told.values())
            table.add_row(f"{kind}: {name}", *row)
    for name in ("wrong", "right", "difference"):
        row = (_interval(one["further_calls"][0]["further"][name], "value") for one in told.values())
        table.add_row(f"calls again, {name} after 1", *row)
    row = (_interval(one["further_calls"][0]["gain"], "value") for one in told.values())
    table.add_row("NDCG that calling again adds", *row)
    Console(width=max(Console().width, 110)).print(table)


def _interval(figure: Mapping[str, float] | None, name: str) -> str:
    return f"{figure[name]:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]" if figure else "not told"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.adapts", description=__doc__)
    parser.add_argument("--users", type=int, default=TwoKinds.users, help="of both kinds together")
    parser.add_argument("--seed", type=int, default=TwoKinds.seed, help="of the world")
    return parser.parse_args()


if __name__ == "__main__":
    main()
