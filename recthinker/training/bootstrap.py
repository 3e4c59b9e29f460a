"""The first champion: train, measure on targets that it never saw, register.

One MLflow run holds the settings, the table versions, the loss curves, a demonstration with its trained tokens marked
and the model; the model carries its evaluation.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recthinker.errors import TrainingError
from recthinker.inference import BatchProgress
from recthinker.inference.offline import SUBJECT, evaluate_model
from recthinker.lookup.cut import read_cut
from recthinker.registry import ModelVersion, Registry
from recthinker.registry.runs import Run
from recthinker.settings import Settings
from recthinker.training.first_model import FirstModel, train_first_model

LOGGED_SECTIONS = {"training", "model", "agent", "tools", "features", "evaluation"}

OnProgress = Callable[[str, int, int, float | None], None]
"""Called with (stage, done, total, loss or None)."""


def make_first_champion(
    registry: Registry, settings: Settings, *, ds: str, folder: Path, on_progress: OnProgress
) -> tuple[ModelVersion, dict[str, Any]]:
    """A registered model under the serving alias, and its evaluation.

    Args:
        folder: where everything is made; removed when the model is registered.

    Raises:
        TrainingError: the model ranks no better than chance; it is registered, but serves nothing.
    """
    shutil.rmtree(folder, ignore_errors=True)
    with registry.training_run("first model", {"ds": ds}) as run:
        run.log_params(settings.model_dump(mode="json", include=LOGGED_SECTIONS))
        name, grace_h = f"holdout_last_{settings.training.holdout_last}", settings.features.arrival_grace_h
        cut, features, versions = read_cut(settings.paths, name, ds, grace_h=grace_h)
        run.log_table_versions(versions, cut=name)
        curve = _Curve(run, on_progress)
        made = train_first_model(cut, features, settings, ds=ds, folder=folder, on_step=curve)
        curve.flush()
        _log_training(run, made, folder)

        def measured(progress: BatchProgress) -> None:
            on_progress("evaluation", progress.done, progress.total, None)

        evaluation = evaluate_model(
            made.folder, settings, ds=ds, folder=folder / "evaluation", on_progress=measured
        ).figures
        serves = is_better_than_chance(evaluation)
        version = registry.register(
            made.folder,
            run.run_id,
            metrics=headline(evaluation),
            tags={"ds": ds, "made_by": "first model"},
            evaluation=evaluation,
            alias=settings.model.alias if serves else None,
        )
    if not serves:
        raise TrainingError(
            f"the first model ranks no better than chance ({headline(evaluation)}); it is registered as {version} but "
            "serves nothing. Raise training.base_episodes, or look at the data"
        )
    shutil.rmtree(folder, ignore_errors=True)
    return version, evaluation


def headline(evaluation: dict[str, Any]) -> dict[str, float]:
    """NDCG and HR of every system, as metrics."""
    k = evaluation["k"]
    return {
        f"{metric}_at_{k}_{system['name'].lower().replace(' ', '_')}": float(system[metric])
        for system in evaluation["systems"]
        for metric in ("ndcg", "hr")
    }


def is_better_than_chance(evaluation: dict[str, Any]) -> bool:
    """Whether the whole interval of the agent's NDCG lies above that of a random order."""
    agent = next(system for system in evaluation["systems"] if system["name"] == SUBJECT)
    return bool(agent["ndcg_low"] > evaluation["chance"]["ndcg"])


def _log_training(run: Run, made: FirstModel, folder: Path) -> None:
    run.log_params({"parameters": made.base.parameters, "base_model": made.base.folder.name})
    run.log_metrics({f"{stage}_final_loss": loss for stage, loss in made.losses.items()})
    plans = "\n".join(f"{count}\t{plan}" for plan, count in made.base.plans.items())
    for name, text in (("demonstration.txt", made.sample), ("plans.txt", plans)):
        path = folder / name
        path.write_text(text + "\n", encoding="utf-8")
        run.log_artifact(path)


class _Curve:
    """Passes progress on, and keeps the mean loss of every ten steps for MLflow."""

    EVERY = 10

    def __init__(self, run: Run, on_progress: OnProgress) -> None:
        self._run = run
        self._on_progress = on_progress
        self._recent: dict[str, list[float]] = {}
        self._points: list[tuple[str, int, float]] = []

    def __call__(self, stage: str, step: int, steps: int, loss: float | None) -> None:
        self._on_progress(stage, step, steps, loss)
        if loss is not None:
            recent = self._recent.setdefault(stage, [])
            recent.append(loss)
            if step % self.EVERY == 0 or step == steps:
                self._points.append((stage, step, sum(recent) / len(recent)))
                recent.clear()

    def flush(self) -> None:
        """Write the curves; at the end, so that training waits for no database."""
        for stage, step, loss in self._points:
            self._run.log_metrics({f"{stage}_loss": loss}, step)
        self._points.clear()
