"""Which base model is used again, and which is made anew."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from recthinker.errors import ConfigError
from recthinker.evaluation import CutRows
from recthinker.inference.evidence_weights import EvidenceWeights
from recthinker.settings import Settings, load_settings
from recthinker.training import base_model
from recthinker.training.base_model import WEIGHTS, BaseModel, keep_base
from recthinker.training.weights_fit import fit_weights
from tests import little_world as world
from tests.inference import small_trial

CUT = small_trial.cut({"ann": ["i3", "i4"], "bob": ["i5", "i6"], "cat": ["i1", "i2"]})


def settings(var: Path, **training: object) -> Settings:
    sizes = {"base_episodes": 1, "base_short_episodes": 2, "base_batch_size": 2, "threads": 1, "holdout_last": 2}
    overrides = {
        "paths": {"var": str(var)},
        "candidates": {"max_items": 4},
        "tools": {"privacy_min_users": world.MIN_USERS},
        "model": {"hidden_size": 32, "layers": 1, "heads": 1, "intermediate_size": 32, "vocabulary": 400},
        "training": {**sizes, "hard_share": 0, **training},
    }
    return load_settings("test", environ={}, overrides=overrides)


def kept(wanted: Settings, cut: CutRows = CUT) -> tuple[BaseModel, bool]:
    return keep_base(cut, world.features(), wanted, ds=world.DS, on_step=lambda *step: None)


@pytest.mark.slow
def test_it_is_made_once_for_settings_and_data_alike(tmp_path: Path) -> None:
    first, was_made = kept(settings(tmp_path))
    assert was_made
    assert kept(settings(tmp_path)) == (first, False)
    # What comes after the base model, the seed of it, and the machine do not change it.
    assert kept(settings(tmp_path, seed=99, sft_lr=0.5, sft_episodes=3, batch_size=5, threads=2)) == (first, False)

    other, was_made = kept(settings(tmp_path, base_seed=8))
    assert was_made
    assert other.folder != first.folder

    grown = replace(CUT, interactions=pa.concat_tables([CUT.interactions, CUT.interactions]))
    larger, was_made = kept(settings(tmp_path), grown)
    assert was_made
    # The one of before stays: a run that is under way may read it.
    assert kept(settings(tmp_path)) == (first, False)
    assert (first.folder / "model.safetensors").is_file()
    assert kept(settings(tmp_path), grown) == (larger, False)
    assert not list((tmp_path / "models").glob(".*"))


@pytest.mark.parametrize("missing", ["base.json", "planner.json"])
def test_one_that_was_cut_off_is_made_again(tmp_path: Path, missing: str) -> None:
    first, _ = kept(settings(tmp_path))
    (first.folder / missing).unlink()
    again, was_made = kept(settings(tmp_path))
    assert was_made
    assert again.folder == first.folder


def test_one_of_before_it_was_fitted_what_is_enough_is_made_again(tmp_path: Path) -> None:
    first, _ = kept(settings(tmp_path))
    (first.folder / WEIGHTS).write_text('[{"told": ["co_interactions"], "nats": -1, "weights": {}}]')
    _, was_made = kept(settings(tmp_path))
    assert was_made


def test_the_weights_by_which_the_planner_read_lie_beside_it(tmp_path: Path) -> None:
    base, _ = kept(settings(tmp_path, base_episodes=6))
    fits = EvidenceWeights.read(base.folder / WEIGHTS).fits
    assert fits.keys() >= {frozenset({"co_interactions"}), frozenset({"co_interactions", "similar_users"})}
    assert all(set(fit.weights) == told for told, fit in fits.items())


def test_the_planner_pays_the_price_of_a_call_that_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prices: list[float] = []

    def noted(toolbox: Any, asked: Any, price: float) -> EvidenceWeights:
        prices.append(price)
        return fit_weights(toolbox, asked, price)

    monkeypatch.setattr(base_model, "fit_weights", noted)
    kept(settings(tmp_path, call_price=0.25))
    assert prices == [0.25]


def test_only_the_compact_format_is_learned_from_scratch(tmp_path: Path) -> None:
    wanted = settings(tmp_path)
    agent = wanted.agent.model_copy(update={"chat_format": "hermes"})
    with pytest.raises(ConfigError, match="set it to compact, or"):
        kept(wanted.model_copy(update={"agent": agent}))
