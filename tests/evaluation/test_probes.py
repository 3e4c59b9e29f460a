"""Each probe meets a planted leak, and the same without it."""

import numpy as np
import pytest

from recthinker.evaluation import probes
from recthinker.settings import EvaluationSettings, Settings

USERS, ITEMS = 300, 40
CANDIDATES = 20
CHANCE = 0.2272
"""NDCG@10 of a random order of 20 (test_metrics.py)."""


@pytest.fixture
def evaluation(settings: Settings) -> EvaluationSettings:
    return settings.evaluation


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_counts_that_lack_the_targets_own_event_are_found(evaluation: EvaluationSettings) -> None:
    # Every negative was taken by somebody, the target's only event is held out.
    target = np.arange(USERS) % CANDIDATES
    counts = np.full((USERS, CANDIDATES), 3.0)
    counts[np.arange(USERS), target] = 0
    found = probes.anti_popularity(counts, target, evaluation)
    assert found.is_alarm
    assert (found.value, found.bound) == (1.0, pytest.approx(CHANCE, abs=5e-5))


def test_honest_counts_are_quiet(evaluation: EvaluationSettings, rng: np.random.Generator) -> None:
    target = rng.integers(CANDIDATES, size=USERS)
    found = probes.anti_popularity(rng.random((USERS, CANDIDATES)), target, evaluation)
    assert not found.is_alarm
    assert found.value == pytest.approx(CHANCE, abs=0.06)


def test_targets_listed_first_are_found_and_a_shuffle_is_at_chance(
    evaluation: EvaluationSettings, rng: np.random.Generator
) -> None:
    planted = probes.input_order(np.zeros(USERS, np.int64), CANDIDATES, evaluation)
    assert planted.is_alarm
    assert planted.value == 1.0
    shuffled = probes.input_order(rng.integers(CANDIDATES, size=USERS), CANDIDATES, evaluation)
    assert not shuffled.is_alarm
    assert shuffled.value == pytest.approx(CHANCE, abs=0.06)


def test_counts_with_the_targets_in_them_are_found() -> None:
    counted = np.array([5, 2, 0])
    with_targets = counted + np.array([1, 0, 1])
    planted = probes.own_count(with_targets, counted)
    assert planted.is_alarm
    assert planted.value == 2
    assert not probes.own_count(counted, counted).is_alarm


def test_a_history_that_holds_the_target_is_found() -> None:
    target = np.array([1, 2])
    assert not probes.target_in_history([np.array([0]), np.array([0, 1])], target).is_alarm
    planted = probes.target_in_history([np.array([1, 0]), np.array([0, 1])], target)
    assert planted.is_alarm
    assert planted.value == 1


def test_evidence_made_from_the_target_is_found(rng: np.random.Generator) -> None:
    target = rng.integers(CANDIDATES, size=USERS)
    honest = rng.random((USERS, CANDIDATES))
    honest[np.arange(USERS), target] += 0.4
    planted = rng.random((USERS, CANDIDATES))
    planted[np.arange(USERS), target] = 2
    quiet = probes.strong_evidence({"next": honest}, target)
    assert not quiet.is_alarm
    assert 0.2 < quiet.value < 0.9
    found = probes.strong_evidence({"next": honest, "leaked": planted}, target)
    assert found.is_alarm
    assert (found.name, found.value) == ("strongest evidence: leaked", 1.0)


@pytest.mark.parametrize(("correlation", "is_alarm"), [(1.0, True), (-1.0, True), (0.1, False), (-0.1, False)])
def test_ranks_that_follow_the_order_shown_are_found(
    evaluation: EvaluationSettings, correlation: float, is_alarm: bool
) -> None:
    found = probes.follows_order(np.full(USERS, correlation), evaluation, bound=0.3)
    assert found.is_alarm is is_alarm
    assert found.value == pytest.approx(correlation)


def test_a_model_that_knows_the_targets_without_looking_is_found(evaluation: EvaluationSettings) -> None:
    popularity = np.full(USERS, 0.5)
    assert probes.knows_blind(np.full(USERS, 0.9), popularity, evaluation, bound=0.05).is_alarm
    assert not probes.knows_blind(np.full(USERS, 0.54), popularity, evaluation, bound=0.05).is_alarm


def test_strangers_rows_that_know_the_target_are_found(evaluation: EvaluationSettings) -> None:
    blind, popularity = np.full(USERS, 0.25), np.full(USERS, 0.5)
    planted = probes.strangers_rows(np.full(USERS, 0.65), blind, popularity, evaluation)
    assert planted.is_alarm
    assert planted.value == pytest.approx(0.15)
    # As good as popularity: what a stranger's rows say of everybody.
    assert not probes.strangers_rows(np.full(USERS, 0.51), blind, popularity, evaluation).is_alarm


def test_chance_alone_raises_no_alarm(evaluation: EvaluationSettings, rng: np.random.Generator) -> None:
    noisy = 0.05 + rng.normal(0, 0.5, USERS)  # around the bound: its interval holds it
    assert not probes.knows_blind(noisy, np.zeros(USERS), evaluation, bound=0.05).is_alarm
