"""The stages of a retraining that make a model: base, SFT, RL. Each leaves its model and then its result."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from recthinker.evaluation import read_targets, write_targets
from recthinker.inference.evidence_weights import EvidenceWeights
from recthinker.registry import require_model
from recthinker.settings import Settings
from recthinker.training.base_model import WEIGHTS, keep_base
from recthinker.training.planned_cut import read_planned_cut
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.rl import train_rl
from recthinker.training.select_stage import EXAMPLES
from recthinker.training.sft import train_sft
from recthinker.training.stage import MODEL, Curve, StageResult, require_model_of, require_result, stage_folder
from recthinker.training.training_requests import stage_seed, training_requests

OnProgress = Callable[[str, int, int, float | None], None]
"""Called with (what, done, total, loss or NDCG or None)."""


def make_base(plan: RetrainPlan, settings: Settings, run_dir: Path, on_progress: OnProgress) -> StageResult:
    """The model that SFT starts from: `model.path` where it is set, else the tiny one from scratch."""
    folder = stage_folder(run_dir, "base")
    if settings.model.path is not None:
        _link(require_model(settings.model.path), folder / MODEL)
        result = StageResult("base", f"pretrained model {settings.model.path}", {})
        result.write(folder)
        return result
    cut, features, versions = read_planned_cut(plan, settings)
    curve = _LossCurve("base", on_progress)
    base, was_made = keep_base(cut, features, settings, ds=plan.ds, on_step=curve)
    _link(base.folder, folder / MODEL)
    how = "trained from scratch" if was_made else "kept: settings and data are as they were"
    result = StageResult(
        stage="base",
        summary=f"{base.folder.name}, {base.parameters} parameters, {how}",
        figures={"parameters": float(base.parameters), "loss": base.loss, "was_made": float(was_made)},
        params={"base_model": base.folder.name, **{f"profile.{name}": count for name, count in base.profile.items()}},
        curves=curve.curves,
        texts={"plans.txt": "\n".join(f"{count}\t{name}" for name, count in base.plans.items())},
        tables=versions,
        cut=plan.cut,
    )
    result.write(folder)
    return result


def make_sft(plan: RetrainPlan, settings: Settings, run_dir: Path, on_progress: OnProgress) -> StageResult:
    """The base model, fine-tuned on the selected rollouts."""
    start, folder, selected = require_model_of(run_dir, "base"), *(stage_folder(run_dir, n) for n in ("sft", "select"))
    # Examples are there before the hashes of their targets are, and the model must tell these.
    require_result(run_dir, "select")
    rows = pq.read_table(selected / EXAMPLES, columns=["input_ids", "labels"])
    examples = list(zip(rows["input_ids"].to_pylist(), rows["labels"].to_pylist(), strict=True))
    curve = _LossCurve("sft", on_progress)
    loss = train_sft(
        start, examples, settings, folder=folder, on_step=lambda step, steps, loss: curve("sft", step, steps, loss)
    )
    _pass_on_targets(folder / MODEL, start, selected)
    learned = sum(label >= 0 for _, labels in examples for label in labels)
    result = StageResult(
        stage="sft",
        summary=f"{len(examples)} episodes, {learned} learned tokens, mean loss {loss:.3f}",
        figures={"episodes": float(len(examples)), "learned_tokens": float(learned), "loss": loss},
        params={"lr": settings.training.sft_lr, "method": settings.rl.method},
        curves=curve.curves,
    )
    result.write(folder)
    return result


def make_rl(plan: RetrainPlan, settings: Settings, run_dir: Path, on_progress: OnProgress) -> StageResult:
    """The SFT model after reinforcement learning."""
    start = require_model_of(run_dir, "sft")
    folder, rl = stage_folder(run_dir, "rl"), settings.rl
    cut, features, versions = read_planned_cut(plan, settings)
    asked = training_requests(
        cut,
        features,
        settings,
        ds=plan.ds,
        folder=folder / "snapshot",
        count=rl.steps * rl.requests_per_step * rl.redraw,
        seed=stage_seed(settings.training.seed, "rl"),
    )
    curves = train_rl(
        start,
        asked,
        settings,
        EvidenceWeights.read(require_model_of(run_dir, "base") / WEIGHTS),
        folder=folder,
        on_step=lambda step, steps, ndcg: on_progress("rl", step, steps, ndcg),
    )
    write_targets(folder, asked.hashes)
    _pass_on_targets(folder / MODEL, start, folder)
    shutil.rmtree(folder / "snapshot")
    ends = {f"{name}_{when}": _mean(curve, when) for name, curve in curves.items() for when in ("first", "last")}
    result = StageResult(
        stage="rl",
        summary=(
            f"{rl.algorithm}, {rl.steps} steps of {rl.requests_per_step * rl.rollouts} episodes: NDCG "
            f"{ends['ndcg_first']:.3f} to {ends['ndcg_last']:.3f}, calls {ends['calls_first']:.2f} to "
            f"{ends['calls_last']:.2f}"
        ),
        figures=ends,
        params=rl.model_dump(),
        curves=curves,
        tables=versions,
        cut=plan.cut,
    )
    result.write(folder)
    # With the optimizer's state they are several times the model.
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return result


def _pass_on_targets(model: Path, *sources: Path) -> None:
    """Let a model tell all targets that it and those it was made from learned."""
    known = [hashes for source in sources if (hashes := read_targets(source)) is not None]
    if known:
        write_targets(model, np.unique(np.concatenate(known)))


def _link(source: Path, target: Path) -> None:
    """`source` under a second name; whoever trains on reads it there and does not write."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    target.symlink_to(source.resolve(), target_is_directory=True)


def _mean(curve: Curve, when: str) -> float:
    """Over the first or the last tenth."""
    count = max(1, len(curve) // 10)
    part = curve[:count] if when == "first" else curve[-count:]
    return sum(value for _, value in part) / len(part)


class _LossCurve:
    """Passes progress on, and keeps the mean loss of every ten steps."""

    EVERY = 10

    def __init__(self, stage: str, on_progress: OnProgress) -> None:
        self._stage, self._on_progress = stage, on_progress
        self._recent: list[float] = []
        self.curves: dict[str, Curve] = {"loss": []}

    def __call__(self, what: str, step: int, steps: int, loss: float | None) -> None:
        self._on_progress(what, step, steps, loss)
        if what == self._stage and loss is not None:
            self._recent.append(loss)
            if step % self.EVERY == 0 or step == steps:
                self.curves["loss"].append((step, sum(self._recent) / len(self._recent)))
                self._recent.clear()
