"""Reading the answer off the labels beside writing it out: users per second, and how good the rankings are.

It takes the model that serves in the configured `var`, and its evaluation's users. Where there is none the section is
left out: training one takes many times as long as all that is measured here.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from recthinker.errors import RegistryError, TableContractError
from recthinker.evaluation import bootstrap_mean
from recthinker.registry import Registry
from recthinker.settings import EvaluationSettings, load_settings
from recthinker.tables.arrow import table_dates, table_version
from recthinker.tables.schemas import HELD_OUT
from tests.benchmarks.figures import Bench, Figure

NAME = "inference.labels_over_generate"
CUT = "holdout_last_1"
RANKINGS = ("labels", "generate")


def figures(bench: Bench) -> list[Figure]:
    """The ratio of both speeds; none where there is no model, or no cut to evaluate it on."""
    settings = load_settings()
    cut = settings.paths.cut(CUT)
    try:
        model = Registry(settings).resolve()
        ds = max(table_dates(cut, HELD_OUT, version=table_version(cut, HELD_OUT)))
    except (RegistryError, TableContractError) as error:
        bench.console.out(f"{NAME}: {error}; left out, `make nightly` makes a model and its cuts", highlight=False)
        return []
    var = settings.paths.var.absolute()
    for ranking in RANKINGS:
        bench.run("tests.benchmarks.answer_gains", ranking, ds, str(bench.folder), var=var)
    labels, written = (_read(bench.folder, ranking) for ranking in RANKINGS)
    return [compared(labels, written, settings.evaluation, {"model": str(model), "ds": ds})]


def compared(
    labels: dict[str, Any], written: dict[str, Any], settings: EvaluationSettings, context: dict[str, Any]
) -> Figure:
    """The figure, from what `tests.benchmarks.answer_gains` wrote of the same users in the same order."""
    gains = [np.array(one["gains"]) for one in (labels, written)]
    paired = bootstrap_mean(gains[0] - gains[1], draws=settings.bootstrap_draws, seed=settings.seed)
    rates = [len(one["gains"]) / one["seconds"] for one in (labels, written)]
    told = [
        f"{rate:.1f} users/s, {one['cpu_seconds']:.1f} s of processor, NDCG@{settings.k} {gain.mean():.4f}, "
        f"{one['outcomes']}"
        for rate, gain, one in zip(rates, gains, (labels, written), strict=True)
    ]
    difference = f"{paired.mean:+.4f} [{paired.low:+.4f}, {paired.high:+.4f}], 95 %, bootstrap over users"
    return Figure(
        NAME,
        rates[0] / rates[1],
        "ratio",
        {
            **context,
            "users": len(gains[0]),
            **dict(zip(RANKINGS, told, strict=True)),
            f"NDCG@{settings.k} labels - generate": difference,
        },
    )


def _read(folder: Path, ranking: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / f"{ranking}.json").read_text(encoding="utf-8"))
    return told
