"""The whole training on a handful of episodes: what it leaves, not how good it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recthinker.agent import Agent
from recthinker.errors import TrainingError
from recthinker.evaluation import read_targets, target_hashes
from recthinker.inference.evidence_weights import EvidenceWeights
from recthinker.settings import Settings, load_settings
from recthinker.training import base_model
from recthinker.training.first_model import train_first_model
from tests import little_world as world
from tests.inference import small_trial

TAKEN = {"ann": ["i3", "i4"], "bob": ["i5", "i6"], "cat": ["i1"]}
"""Position 1 first; it belongs to evaluation."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(
        "test",
        environ={},
        overrides={
            "paths": {"var": str(tmp_path / "var")},
            "candidates": {"max_items": 4},
            "tools": {"privacy_min_users": world.MIN_USERS},
            "model": {"hidden_size": 32, "layers": 1, "heads": 1, "intermediate_size": 32, "vocabulary": 400},
            "training": {
                "base_episodes": 2,
                "sft_episodes": 2,
                "base_short_episodes": 2,
                "batch_size": 2,
                "threads": 1,
                "holdout_last": 2,
                "hard_share": 0,
            },
        },
    )


def recorded(called: Callable[..., Any], options: list[dict[str, Any]]) -> Callable[..., Any]:
    """The function, whose keyword arguments are kept, call by call."""

    def call(*arguments: Any, **given: Any) -> Any:
        options.append(given)
        return called(*arguments, **given)

    return call


@pytest.mark.slow
def test_a_model_serves_and_tells_what_it_was_trained_on(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages: set[str] = set()
    options: list[dict[str, Any]] = []
    monkeypatch.setattr(base_model, "demonstrate", recorded(base_model.demonstrate, options))
    made = train_first_model(
        small_trial.cut(TAKEN),
        world.features(),
        settings,
        ds=world.DS,
        folder=tmp_path / "made",
        on_step=lambda stage, step, steps, loss: stages.add(stage),
    )

    assert Agent.load(made.folder, settings.agent, settings.tools).chat.name == "compact"
    assert {"base episodes", "base", "sft episodes"} <= stages
    assert set(made.losses) == {"base", "sft"}
    weights = EvidenceWeights.read(made.base.folder / base_model.WEIGHTS)
    assert [given["weights"] for given in options] == [weights, weights]
    # Only the base model should know what it would answer too early.
    assert [bool(given["hasty_share"]) for given in options] == [True, False]
    told = read_targets(made.folder)
    assert told is not None
    assert list(told) == list(target_hashes(["ann", "bob"], ["i4", "i6"]))


def test_a_cut_without_targets_for_training_says_so(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(TrainingError, match="positions 2 to 2"):
        train_first_model(
            small_trial.cut({"ann": ["i3"]}),
            world.features(),
            settings,
            ds=world.DS,
            folder=tmp_path,
            on_step=lambda *step: None,
        )
