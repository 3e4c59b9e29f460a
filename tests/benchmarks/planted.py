"""Planted bad challengers, put to the gate as any other: each has to be refused, for what is wrong with it.

`python -m tests.benchmarks.planted [--ds D]` makes each of `planted_models`, measures it and the
champion on the evaluation's users, and lets the gate decide. Needs a champion and the cuts of D. Writes
var/bench/planted.json, and keeps models and figures under var/bench/planted: what is there is used again. Exit code 1
where one is promoted or refused for another reason, or where the control is refused.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from recthinker.evaluation import Decision, Reason, UserFigures, bootstrap_mean, decide, target_hashes
from recthinker.evaluation.targets import TARGETS_FILE
from recthinker.inference.offline import evaluate_model
from recthinker.registry import Registry
from recthinker.settings import Settings, load_settings
from recthinker.training.stage import MODEL
from tests.benchmarks import planted_models as models
from tests.benchmarks.planted_models import Ground

CHAMPION, FIGURES = "champion", "users.parquet"
CONTROL = "control: the champion, where nothing serves"
HEART, HONEST_LEAK = "knows_by_heart", "knows_by_heart, and tells"
"""The same model: with a record that lies, and with one that holds what it was taught."""
SHARES = (0.02, 0.05, 0.1, 0.2, 0.4, models.KNOWN_SHARE)
"""Of the users whom a liar knows by heart."""
WORSE = (Reason.SLOWER, Reason.SEGMENT_WORSE, Reason.NOT_BETTER)
"""What a valid model may be refused for that calls too little or too much."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A bad challenger."""

    name: str
    make: Callable[[Ground, Path], None]
    own: tuple[Reason, ...]
    """Reasons that are its own: the first that the gate gives has to be one of them."""


PLANTED = (
    Planted("random_weights", models.random_weights, (Reason.AT_CHANCE, Reason.COPIES_ORDER)),
    Planted("copies_order", models.copies_order, (Reason.COPIES_ORDER,)),
    Planted(HEART, models.knows_by_heart, (Reason.KNOWS_BLIND,)),
    Planted("never_calls", models.never_calls, (Reason.AT_CHANCE, *WORSE)),
    Planted("calls_everything", models.calls_everything, WORSE),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What the gate said of one."""

    name: str
    figures: UserFigures
    decision: Decision
    own: tuple[Reason, ...]
    """Reasons that would be right; none: it should be promoted."""

    @property
    def is_right(self) -> bool:
        """Whether the gate said what it should."""
        return self.decision.reasons[0] in self.own if self.decision.reasons else not self.own


def main() -> None:
    """Make and measure in child processes, one engine each; then let the gate decide."""
    arguments = _arguments()
    settings = load_settings()
    ds = arguments.ds or str(settings.demo.ds)
    champion = Registry(settings).resolve()
    ground = Ground(champion.path, settings, ds)
    folder = settings.paths.var / "bench" / "planted" / f"{ds}-{champion.name}-{champion.version}"
    if arguments.make:
        maker = next(one.make for one in PLANTED if one.name == arguments.make)
        maker(ground, folder / arguments.make / MODEL)
        return
    if arguments.measure:
        _measure(ground, folder / arguments.measure)
        return
    for name in (CHAMPION, *(one.name for one in PLANTED)):
        if name != CHAMPION and not (folder / name / MODEL / TARGETS_FILE).is_file():
            _child(ds, "--make", name)
        if not (folder / name / FIGURES).is_file():
            _child(ds, "--measure", name)
    told, doses = judged(folder, settings), dose_curve(folder, settings)
    rows = [
        {"name": one.name, "is_right": one.is_right, **_decided(one.figures, one.decision, settings)} for one in told
    ]
    written = {"ds": ds, "champion": str(champion), "planted": rows, "known_by_heart": doses}
    (folder.parents[1] / "planted.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    _print(rows, doses)
    sys.exit(0 if all(one.is_right for one in told) else 1)


def judged(folder: Path, settings: Settings) -> list[Told]:
    """What the gate says of each, and of the control."""
    figures, records = _kept(folder)
    figures[HONEST_LEAK] = heart = figures[HEART]
    known = models.known_users(len(heart.users), settings, models.KNOWN_SHARE)
    taught = target_hashes([heart.users[user] for user in known], [heart.targets[user] for user in known])
    records[HONEST_LEAK] = np.union1d(records[HEART], taught)

    def told(name: str, own: tuple[Reason, ...]) -> Told:
        return Told(name, figures[name], _decide(figures[name], figures[CHAMPION], settings, records[name]), own)

    champion = figures[CHAMPION]
    control = _decide(champion, champion.by_popularity(), settings, records[HEART])
    return [
        *(told(one.name, one.own) for one in PLANTED),
        told(HONEST_LEAK, (Reason.LEAKED_TARGETS,)),
        Told(CONTROL, champion, control, ()),
    ]


def dose_curve(folder: Path, settings: Settings) -> list[dict[str, Any]]:
    """What the gate says of a liar, by the share of the users whom it knows by heart."""
    figures, records = _kept(folder)
    points = []
    for share in SHARES:
        liar = partly_known(figures[HEART], figures[CHAMPION], settings, share)
        decision = _decide(liar, figures[CHAMPION], settings, records[HEART])
        points.append({"share": share, **_decided(liar, decision, settings)})
    return points


def partly_known(heart: UserFigures, champion: UserFigures, settings: Settings, share: float) -> UserFigures:
    """A liar that knows a share of the users by heart, and does as the champion does for all others."""
    known = models.known_users(len(champion.users), settings, share)
    return mixed(heart, champion, np.isin(np.arange(len(champion.users)), known))


def mixed(one: UserFigures, other: UserFigures, is_first: np.ndarray) -> UserFigures:
    """The figures of a model that is `one` for the users where `is_first`, (U,), and `other` for the rest."""
    names = ("ndcg", "blind_ndcg", "ranked", "calls", "order_correlation")
    parts = {name: np.where(is_first, getattr(one, name), getattr(other, name)) for name in names}
    return replace(other, **parts)


def _kept(folder: Path) -> tuple[dict[str, UserFigures], dict[str, np.ndarray]]:
    """Figures and records of training by name."""
    names = [one.name for one in PLANTED]
    figures = {name: UserFigures.read(folder / name / FIGURES) for name in (CHAMPION, *names)}
    return figures, {name: np.load(folder / name / MODEL / TARGETS_FILE) for name in names}


def _decide(new: UserFigures, old: UserFigures, settings: Settings, record: np.ndarray) -> Decision:
    return decide(new, old, settings.gate, settings.evaluation, trained_on=record)


def _decided(figures: UserFigures, decision: Decision, settings: Settings) -> dict[str, Any]:
    """The figures of one and what became of it, as JSON."""
    evaluation = settings.evaluation
    ndcg = bootstrap_mean(figures.ndcg, draws=evaluation.bootstrap_draws, seed=evaluation.seed)
    return {
        "ndcg": ndcg._asdict(),
        "calls": decision.calls[0],
        "is_promoted": decision.is_promoted,
        "reasons": list(decision.reasons),
        "headline": decision.headline,
    }


def _measure(ground: Ground, folder: Path) -> None:
    model = ground.champion if folder.name == CHAMPION else folder / MODEL
    evaluated = evaluate_model(model, ground.settings, ds=ground.ds, folder=folder / "snapshots")
    evaluated.users.write(folder / FIGURES)
    shutil.rmtree(folder / "snapshots")


def _child(ds: str, what: str, name: str) -> None:
    print(f"{what.removeprefix('--')} {name}", flush=True)
    subprocess.run([sys.executable, "-m", "tests.benchmarks.planted", "--ds", ds, what, name], check=True)


def _print(told: Sequence[Mapping[str, Any]], doses: Sequence[Mapping[str, Any]]) -> None:
    for title, rows in (("challenger", told), ("users known by heart", doses)):
        table = Table(title, "NDCG@10, 95 %", "calls", "decision", "reasons")
        for row in rows:
            name = f"{row['share']:.0%}" if "share" in row else row["name"]
            ndcg = row["ndcg"]
            interval = f"{ndcg['mean']:.4f} [{ndcg['low']:.4f}, {ndcg['high']:.4f}]"
            decision = "promoted" if row["is_promoted"] else "refused"
            wrong = "" if row.get("is_right", True) else " (wrong)"
            table.add_row(name, interval, f"{row['calls']:.2f}", decision + wrong, ", ".join(row["reasons"]))
        Console().print(table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.planted", description=__doc__)
    parser.add_argument("--ds", help="date of the cuts (default: the demo's)")
    parser.add_argument("--make", help=argparse.SUPPRESS)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
