"""What stages that make a model start from: never from what was cut off."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recthinker.errors import ConfigError, TrainingError
from recthinker.evaluation import read_targets, target_hashes
from recthinker.evaluation.targets import TARGETS_FILE
from recthinker.inference.evidence_weights import UNFITTED, EvidenceWeights, Fit, line
from recthinker.report.watched import KNOWN
from recthinker.settings import Settings
from recthinker.training import rl, stages
from recthinker.training.answer_head import Answers
from recthinker.training.base_model import WEIGHTS
from recthinker.training.rl import LOGGED, answers_of, for_engine, train_rl
from recthinker.training.select_stage import EXAMPLES
from recthinker.training.stage import MODEL, RESULT, require_model_of, stage_folder
from recthinker.training.stages import make_base, make_rl, make_sft
from recthinker.training.training_requests import TrainingRequests
from tests.training.blank_retraining import finish, model
from tests.training.test_plan_text import plan
from tests.training.tiny_world import save_tiny, tiny_settings


def test_sft_does_not_learn_from_a_selection_that_was_cut_off(settings: Settings, tmp_path: Path) -> None:
    finish(tmp_path, "base", text="base")
    folder = stage_folder(tmp_path, "select")
    folder.mkdir(parents=True)
    # Examples come first; the hashes of their targets, which the gate reads, and the result are missing.
    pq.write_table(pa.table({"input_ids": [[1, 2]], "labels": [[-100, 2]]}), folder / EXAMPLES)
    with pytest.raises(ConfigError, match=r"stage select .* is not done: run select_episodes first"):
        make_sft(plan(settings), settings, tmp_path, lambda *told: None)


@pytest.mark.parametrize(("engine_process", "threads"), [(False, 3), (True, 5)])
def test_an_engine_in_the_trainer_s_process_has_the_trainer_s_threads(
    settings: Settings, engine_process: bool, threads: int
) -> None:
    inference = settings.inference.model_copy(update={"threads": 5, "engine_process": engine_process})
    training = settings.training.model_copy(update={"threads": 3})
    sampling: Any = SimpleNamespace(settings=settings.agent.model_copy(update={"temperature": 1.0}))
    opened = for_engine(settings.model_copy(update={"inference": inference, "training": training}), sampling)
    assert (opened.inference.threads, opened.agent.temperature) == (threads, 1.0)


def test_answers_are_learned_by_their_weight_where_they_are_labels(settings: Settings) -> None:
    assert answers_of(settings, [3, 4]) == Answers([3, 4], settings.rl.answer_weight)
    unweighted = settings.rl.model_copy(update={"answer_weight": 0.0})
    written = settings.agent.model_copy(update={"ranking": "generate"})
    assert answers_of(settings.model_copy(update={"rl": unweighted}), [3, 4]) is None
    assert answers_of(settings.model_copy(update={"agent": written}), [3, 4]) is None


def test_rl_teaches_answers_by_the_weights_that_it_is_given(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an engine, rollouts and a trainer that only take down what they are given."""
    settings = settings.model_copy(update={"inference": settings.inference.model_copy(update={"engine": "vllm"})})
    start = save_tiny(tmp_path, tiny_settings())
    given: dict[str, Any] = {}

    def rollouts(engine: Any, agent: Any, requests: Any, rl: Any, teacher: Any, **options: Any) -> None:
        given["teacher"] = teacher

    def trainer(**options: Any) -> None:
        given.update(options)
        raise StopIteration

    for name, stand_in in (("open_engine", lambda *args: None), ("Handover", lambda *args, **options: None)):
        monkeypatch.setattr(rl, name, stand_in)
    monkeypatch.setattr(rl, "GroupRollouts", rollouts)
    monkeypatch.setattr(rl, "EpisodeTrainer", trainer)
    none: Any = None
    asked = TrainingRequests(snapshot=none, rows=[none] * settings.rl.requests_per_step, targets={}, hashes=none)
    fitted = EvidenceWeights({frozenset({"item_info"}): Fit({"item_info": (line(0.5), line(0.1))}, nats=-1.5)})
    for weights, sees_target in ((fitted, False), (UNFITTED, True)):
        with pytest.raises(StopIteration):
            train_rl(start, asked, settings, weights, folder=tmp_path, on_step=lambda *told: None)
        assert given["teacher"].sees_target == sees_target
        assert given["answers"].weight == settings.rl.answer_weight > 0


def test_the_report_knows_all_that_rl_watches() -> None:
    assert set(LOGGED.values()) <= set(KNOWN)


def test_rl_needs_the_requests_of_a_step(settings: Settings, tmp_path: Path) -> None:
    none: Any = None
    asked = TrainingRequests(
        snapshot=none, rows=[none] * (settings.rl.requests_per_step - 1), targets={}, hashes=np.array([])
    )
    with pytest.raises(TrainingError, match=r"rl.requests_per_step.*, but the training cut has"):
        train_rl(tmp_path, asked, settings, UNFITTED, folder=tmp_path, on_step=lambda *told: None)


def test_a_pretrained_base_is_linked_and_not_trained(settings: Settings, tmp_path: Path) -> None:
    pretrained = model(tmp_path / "pretrained")
    chosen = settings.model_copy(update={"model": settings.model.model_copy(update={"path": pretrained})})
    for _ in range(2):  # safe to run again
        made = make_base(plan(settings), chosen, tmp_path, lambda *told: None)
    assert require_model_of(tmp_path, "base").resolve() == pretrained.resolve()
    assert made.summary == f"pretrained model {pretrained}"


def test_rl_tells_the_targets_of_all_its_stages_and_the_ends_of_its_curves(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a trainer that only writes a model; it is given the weights beside the base model."""
    finish(tmp_path, "base", text="base")
    finish(tmp_path, "sft", text="sft")
    fitted = EvidenceWeights({frozenset({"item_info"}): Fit({"item_info": (line(0.5),)}, nats=-1.5)})
    fitted.write(require_model_of(tmp_path, "base") / WEIGHTS)
    folder = stage_folder(tmp_path, "rl")
    known, asked = target_hashes(["u0"], ["i5"]), target_hashes(["u1", "u2"], ["i1", "i2"])
    requests = SimpleNamespace(rows=[], hashes=asked)

    def drawn(*args: Any, folder: Path, count: int, **options: Any) -> Any:
        assert count == settings.rl.steps * settings.rl.requests_per_step * settings.rl.redraw
        folder.mkdir(parents=True)
        return requests

    def trained(start: Path, given: Any, settings: Any, weights: Any, *, folder: Path, on_step: Any) -> dict[str, Any]:
        assert (start, given, weights) == (require_model_of(tmp_path, "sft"), requests, fitted)
        model(folder / MODEL, "rl")
        (folder / "checkpoints").mkdir()
        curve = [(step, float(step)) for step in range(1, 21)]
        return {"ndcg": curve, "calls": curve}

    monkeypatch.setattr(stages, "read_planned_cut", lambda *args: (None, None, {"user_history": 3}))
    monkeypatch.setattr(stages, "training_requests", drawn)
    monkeypatch.setattr(stages, "train_rl", trained)
    made = make_rl(plan(settings), settings, tmp_path, lambda *told: None)

    found = read_targets(folder / MODEL)
    assert found is not None
    assert set(found) == {*known, *asked}
    # Means of the first and the last tenth.
    assert (made.figures["ndcg_first"], made.figures["ndcg_last"]) == (1.5, 19.5)
    assert (made.tables, made.cut) == ({"user_history": 3}, plan(settings).cut)
    assert {path.name for path in folder.iterdir()} == {MODEL, RESULT, TARGETS_FILE}
