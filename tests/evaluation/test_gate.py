"""Planted challengers against one champion: 400 users, half of them in each segment."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from recthinker.errors import ConfigError
from recthinker.evaluation import Decision, Reason, Segment, UserFigures, decide, target_hashes
from recthinker.settings import Settings

Ask = Callable[..., Decision]
"""Takes a challenger, what it was trained on, and settings that differ."""

USERS = 400
IDS = tuple(f"u{n}" for n in range(USERS))
TARGETS = tuple(f"i{n % 7}" for n in range(USERS))
FIRST_HALF = np.arange(USERS) < USERS // 2
OTHERS = target_hashes(["u0", "x"], ["i5", "i0"])
"""Training targets, none of them of the evaluation."""
CHANCE = 0.2272
NOISE = np.tile([0.1, -0.1], USERS // 2)
"""Of mean 0 in each half."""

CHAMPION = UserFigures(
    users=IDS,
    targets=TARGETS,
    requests="r",
    chance=CHANCE,
    ndcg=0.6 + NOISE,
    blind_ndcg=np.full(USERS, 0.25),
    popularity_ndcg=np.full(USERS, 0.5),
    ranked=np.ones(USERS),
    calls=np.full(USERS, 2.0),
    order_correlation=np.zeros(USERS),
    seconds_per_user=0.01,
    segments=(Segment("short histories", "", FIRST_HALF), Segment("rare targets", "", ~FIRST_HALF)),
)
BETTER = replace(CHAMPION, ndcg=CHAMPION.ndcg + 0.05)


@pytest.fixture
def gate(settings: Settings) -> Ask:
    def ask(challenger: UserFigures, trained_on: np.ndarray | None = OTHERS, **changes: object) -> Decision:
        asked = settings.gate.model_copy(update=changes)
        return decide(challenger, CHAMPION, asked, settings.evaluation, trained_on=trained_on)

    return ask


def test_a_better_one_is_promoted(gate: Ask) -> None:
    found = gate(BETTER)
    assert found.is_promoted
    assert found.reasons == ()
    # Every user gains the same: the interval has no width.
    assert found.difference.low == pytest.approx(0.05)
    assert found.headline.startswith("promoted: NDCG differs by +0.0500")


def test_a_gain_within_the_margin_is_not_enough(gate: Ask) -> None:
    challenger = replace(CHAMPION, ndcg=CHAMPION.ndcg + 0.004)
    assert gate(challenger, margin=0.003).is_promoted
    assert gate(challenger, margin=0.005).reasons == (Reason.NOT_BETTER,)


def test_a_mean_gain_that_may_be_chance_is_not_enough(gate: Ask) -> None:
    # One user in 40 gains 1, one loses 0.6: mean 0.01, sd about 0.18, interval about +-0.018.
    wild = np.zeros(USERS)
    wild[::40], wild[20::40] = 1.0, -0.6
    assert gate(replace(CHAMPION, ndcg=CHAMPION.ndcg + wild)).reasons == (Reason.NOT_BETTER,)


@pytest.mark.parametrize(("calls", "is_promoted"), [(1.5, True), (1.61, False), (2.0, False)])
def test_as_good_needs_clearly_fewer_calls(gate: Ask, calls: float, is_promoted: bool) -> None:
    # Of 2 calls, 20 % fewer are 1.6.
    found = gate(replace(CHAMPION, calls=np.full(USERS, calls)))
    assert found.is_promoted is is_promoted
    assert found.calls_over_allowed.mean == pytest.approx(calls - 1.6)


def test_fewer_calls_do_not_buy_a_loss(gate: Ask) -> None:
    cheap = replace(CHAMPION, calls=np.zeros(USERS), ndcg=CHAMPION.ndcg - 0.006)
    assert gate(cheap, margin=0.005).reasons == (Reason.NOT_BETTER,)
    assert gate(cheap, margin=0.007).is_promoted


def test_random_weights_are_at_chance(gate: Ask) -> None:
    ranks = np.random.default_rng(5).integers(1, 21, size=USERS)
    ndcg = np.where(ranks <= 10, 1 / np.log2(1 + ranks), 0)
    found = gate(replace(CHAMPION, ndcg=ndcg, blind_ndcg=ndcg))
    assert found.reasons[0] is Reason.AT_CHANCE
    assert found.headline.startswith("refused (at_chance): its NDCG is 0.2")


def test_a_copy_of_the_order_shown_is_told_from_random_weights(gate: Ask) -> None:
    copier = replace(CHAMPION, ndcg=np.full(USERS, CHANCE), order_correlation=np.ones(USERS))
    assert gate(copier).reasons[0] is Reason.COPIES_ORDER


def test_a_copy_that_would_score_well_is_refused_all_the_same(gate: Ask) -> None:
    assert gate(replace(BETTER, order_correlation=np.full(USERS, 0.9))).reasons == (Reason.COPIES_ORDER,)


def test_training_on_a_target_of_the_evaluation_is_refused(gate: Ask) -> None:
    leaked = np.union1d(OTHERS, target_hashes(IDS[3:5], TARGETS[3:5]))
    found = gate(BETTER, trained_on=leaked)
    assert found.reasons == (Reason.LEAKED_TARGETS,)
    assert found.checks[0].value == 2
    assert "2 of the 400 targets" in found.headline


def test_a_model_that_does_not_tell_its_targets_is_refused(gate: Ask) -> None:
    assert gate(BETTER, trained_on=None).reasons == (Reason.UNKNOWN_TARGETS,)


def test_memory_of_the_targets_is_found_though_the_record_is_clean(gate: Ask) -> None:
    # Without any tool it is better than popularity: it has seen these lists.
    assert gate(replace(BETTER, blind_ndcg=np.full(USERS, 0.65))).reasons == (Reason.KNOWS_BLIND,)


def test_a_gain_on_a_few_targets_learned_by_heart_is_found(gate: Ask) -> None:
    # One user in ten: popularity's 0.5 is far from 0.325 blind, but on the others nothing is gained.
    is_known = np.arange(USERS) % 10 == 0
    liar = replace(CHAMPION, ndcg=np.where(is_known, 1, CHAMPION.ndcg), blind_ndcg=np.where(is_known, 1, 0.25))
    found = gate(liar)
    assert found.reasons == (Reason.BLIND_GAIN,)
    assert "on the 360 users" in found.headline
    # As many lucky first places without a tool are no memory where the gain is everywhere.
    assert gate(replace(liar, ndcg=BETTER.ndcg)).is_promoted


def test_a_target_that_the_champion_too_ranks_first_blind_counts_for_neither(settings: Settings) -> None:
    # The challenger gains 0.3 on half of the users, and the champion ranks theirs first without any tool.
    champion = replace(CHAMPION, blind_ndcg=np.where(FIRST_HALF, 1, 0.25))
    challenger = replace(CHAMPION, ndcg=CHAMPION.ndcg + np.where(FIRST_HALF, 0.3, 0))
    found = decide(challenger, champion, settings.gate, settings.evaluation, trained_on=OTHERS)
    assert found.reasons == (Reason.BLIND_GAIN,)


def test_more_fallbacks_are_refused(gate: Ask) -> None:
    ranked = np.where(np.arange(USERS) < 3, 0.0, 1.0)  # 99.25 %
    assert gate(replace(BETTER, ranked=ranked), max_validity_loss=0.005).reasons == (Reason.LESS_VALID,)
    assert gate(replace(BETTER, ranked=ranked), max_validity_loss=0.01).is_promoted


def test_a_slower_one_is_refused(gate: Ask) -> None:
    assert gate(replace(BETTER, seconds_per_user=0.0151)).reasons == (Reason.SLOWER,)
    assert gate(replace(BETTER, seconds_per_user=0.0149)).is_promoted


def test_a_protected_segment_may_not_pay_for_the_others(gate: Ask) -> None:
    shifted = replace(CHAMPION, ndcg=CHAMPION.ndcg + np.where(FIRST_HALF, 0.15, -0.03))
    found = gate(shifted)
    assert found.reasons == (Reason.SEGMENT_WORSE,)
    assert found.headline.startswith("refused (segment_worse): rare targets (200 users): NDCG differs by -0.0300")
    assert gate(shifted, protected_segments=("short histories",)).is_promoted


def test_two_segments_that_lose_are_one_reason(gate: Ask) -> None:
    worse = gate(replace(CHAMPION, ndcg=CHAMPION.ndcg - 0.1))
    assert worse.reasons == (Reason.SEGMENT_WORSE, Reason.NOT_BETTER)


def test_too_few_users_decide_nothing(gate: Ask) -> None:
    assert gate(BETTER, min_users=401).reasons == (Reason.TOO_FEW_USERS,)


def test_other_requests_are_no_comparison(gate: Ask) -> None:
    with pytest.raises(ConfigError, match="same requests, found other and r"):
        gate(replace(BETTER, requests="other"))


def test_the_decision_is_json_with_all_its_numbers(gate: Ask) -> None:
    written = json.loads(json.dumps(gate(replace(BETTER, seconds_per_user=1.0)).as_dict(), allow_nan=False))
    assert written["reasons"] == ["slower"]
    assert written["is_promoted"] is False
    assert written["difference"] == {name: pytest.approx(0.05) for name in ("mean", "low", "high")}
    assert [check["reason"] for check in written["checks"]].count("segment_worse") == 2
    assert written["ndcg"] == [pytest.approx(0.65), pytest.approx(0.6)]
