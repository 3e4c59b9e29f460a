"""Each filter on rollouts made by hand: 4 candidates, target at label 0."""

import math
from dataclasses import replace

import pytest

from recthinker.settings import SelectionSettings
from recthinker.training import needless_calls
from recthinker.training.rollout import Rollout
from recthinker.training.selection import (
    best_of_request,
    plan_limit,
    rank_bar,
    select,
    spread_over_plans,
    spread_over_users,
    target_rank,
    without_repeats,
)

SCORES = {1: (4.0, 3.0, 2.0, 1.0), 2: (3.0, 4.0, 2.0, 1.0), 3: (2.0, 4.0, 3.0, 1.0), 4: (1.0, 4.0, 3.0, 2.0)}
"""By the target's rank."""
SETTINGS = SelectionSettings(easy_rank=1, hard_rank=3, per_request=2, per_user=8, max_plan_share=1)


def rollout(rank: int, plan: str = "", *, sample: int = 0, key: str = "ann#2.0", user: str = "ann") -> Rollout:
    """One that ended well, with a tool for each letter of `plan` and tokens of its own."""
    ids = [*range(100 * sample, 100 * sample + 4), 7, 9]
    return Rollout(
        key=key,
        sample=sample,
        user_id=user,
        status="ranked",
        stop_reason="answered",
        plan=tuple(plan),
        broken_calls=0,
        ids=ids,
        mask=[0, 0, 1, 1, 1, 0],
        logprobs=[0.0] * 6,
        prompt_length=2,
        answer_at=4,
        labels=("i1", "i2", "i3", "i4"),
        target=0,
        scores=SCORES[rank],
    )


def numbered(*rollouts: Rollout) -> list[Rollout]:
    """With the samples 0, 1, ..., each with tokens of its own."""
    return [replace(one, sample=place, ids=rollout(1, sample=place).ids) for place, one in enumerate(rollouts)]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": "repaired"},
        {"status": "fallback_invalid", "scores": ()},
        {"stop_reason": "call_limit"},
        {"broken_calls": 1},
    ],
    ids=lambda fault: "-".join(fault),
)
def test_only_an_answer_of_the_agents_own_without_a_broken_call_ended_well(fault: dict[str, object]) -> None:
    assert rollout(1, "ab").ended_well
    assert not replace(rollout(1, "ab"), **fault).ended_well  # type: ignore[arg-type]


def test_equal_scores_share_the_mean_of_their_places() -> None:
    assert [target_rank(rollout(rank)) for rank in (1, 2, 3, 4)] == [1, 2, 3, 4]
    # Places 1 to 4, and places 2 and 3.
    assert target_rank(replace(rollout(1), scores=(1.0, 1.0, 1.0, 1.0))) == 2.5
    assert target_rank(replace(rollout(1), scores=(2.0, 3.0, 2.0, 1.0))) == 2.5
    assert target_rank(replace(rollout(1), scores=())) == float("inf")


def test_the_bar_sinks_as_the_target_is_put_first_more_rarely() -> None:
    def bar(*ranks: int) -> float:
        return rank_bar([rollout(rank) for rank in ranks], SETTINGS)

    # 3 - (3 - 1) times the share of first places.
    assert [bar(1, 1, 1, 1), bar(1, 1, 2, 2), bar(1, 3, 3, 3), bar(2, 2, 4, 4)] == [1.0, 2.0, 2.5, 3.0]
    # What ended by a fault of ours says nothing about the request.
    broken = replace(rollout(4), status="fallback_timeout", scores=())
    assert rank_bar([rollout(1), broken], SETTINGS) == 1.0


def test_a_hard_request_accepts_what_an_easy_one_does_not() -> None:
    easy = numbered(rollout(1, "a"), rollout(1, "b"), rollout(1, "c"), rollout(2, "d"))
    hard = [replace(one, key="bob#2.0", user_id="bob") for one in numbered(rollout(2, "a"), rollout(4, "b"))]
    chosen = select(
        [easy, hard], SETTINGS, call_price=0.005, is_tidy=lambda one: True, has_leak=lambda one: False, seed=1
    )
    assert [(one.key, target_rank(one)) for one in chosen.kept] == [("ann#2.0", 1), ("ann#2.0", 1), ("bob#2.0", 2)]
    assert chosen.dropped["ranked_low"] == 2


def test_the_same_tokens_are_kept_once_whatever_label_was_drawn() -> None:
    first = rollout(1, "a")
    other_label = replace(first, sample=1, ids=[*first.ids[:4], 8, 9])
    other_tokens = replace(first, sample=2, ids=[5, *first.ids[1:]])
    assert without_repeats([first, other_label, other_tokens]) == [first, other_tokens]


def test_of_a_request_different_plans_come_before_more_of_one() -> None:
    group = numbered(rollout(1, "a"), rollout(1, "a"), rollout(2, "b"), rollout(3, "c"))
    assert best_of_request(group, 2) == [group[0], group[2]]
    assert best_of_request(group, 3) == [group[0], group[2], group[3]]
    assert best_of_request(group, 4) == group


def test_of_a_request_fewer_calls_do_not_come_first() -> None:
    group = numbered(rollout(1, "ab"), rollout(1, "c"), rollout(1, ""))
    assert best_of_request(group, 2) == group[:2]


def test_of_a_plan_the_best_stands_for_it() -> None:
    group = numbered(rollout(2, "a"), rollout(1, "a"))
    assert best_of_request(group, 1) == [group[1]]


def test_no_user_has_more_than_a_share_of_the_whole() -> None:
    of_ann = [rollout(1, key=f"ann#{n}", sample=n) for n in range(5)]
    of_bob = [rollout(1, key="bob#1", user="bob")]
    kept = spread_over_users([*of_ann, *of_bob], 2, seed=3)
    assert [one.user_id for one in kept] == ["ann", "ann", "bob"]
    assert kept == spread_over_users([*of_ann, *of_bob], 2, seed=3)
    drawn = {tuple(one.key for one in spread_over_users([*of_ann, *of_bob], 2, seed=seed)) for seed in range(20)}
    assert len(drawn) > 1


@pytest.mark.parametrize(
    ("counts", "share", "limit"),
    [
        ((6, 4), 0.6, 6),  # 6 of 10
        ((9, 4), 0.6, 6),  # 6 of 10; 7 of 11 is more
        ((9, 4, 3), 0.5, 7),  # 7 of 14
        ((9, 9, 1), 0.4, 2),  # 2 of 5; 3 of 7 is more
        ((9,), 0.6, 9),  # one plan is all there is
        ((9, 1), 0.3, 1),  # two plans: none above one half
        ((), 0.6, 0),
    ],
)
def test_the_limit_of_a_plan_is_its_share_of_what_is_left(counts: tuple[int, ...], share: float, limit: int) -> None:
    assert plan_limit({(str(n),): count for n, count in enumerate(counts)}, share) == limit


def test_the_surplus_of_a_plan_goes_in_seeded_order() -> None:
    many = [rollout(1, "a", key=f"u{n}") for n in range(9)]
    few = [rollout(1, "b", key=f"v{n}") for n in range(4)]
    kept = spread_over_plans([*many, *few], 0.6, seed=5)
    assert [one.plan for one in kept] == [("a",)] * 6 + [("b",)] * 4
    assert kept == spread_over_plans([*many, *few], 0.6, seed=5)
    assert kept[:6] != many[:6]


def test_every_rollout_is_kept_or_counted_at_the_filter_that_dropped_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needless_calls, "FEWEST_REQUESTS", 1)
    ann = numbered(
        rollout(1, "a"),
        rollout(1, "ac"),  # needless calls, as the next lines say
        rollout(4, "a"),  # ranked low
        replace(rollout(1, "z"), status="fallback_error", scores=()),  # ended badly, leaked or not
        rollout(1, "y"),  # untidy
        rollout(1, "z"),  # leaked
    )
    ann[1] = replace(ann[1], ids=[*ann[0].ids[:2], 8, 8, 7, 9])  # goes on from the first one's prompt
    ann = [*ann, replace(ann[0], sample=6)]  # repeated
    cat = [replace(rollout(4, ""), key="cat#2.0"), replace(rollout(1, "a"), key="cat#2.0", sample=1)]  # hasty, and kept
    crowd = [
        [replace(one, key=f"bob#{n}.0", user_id="bob") for one in numbered(rollout(1, "d"), *[rollout(1, "e")] * 2)]
        for n in range(4)
    ]
    settings = SETTINGS.model_copy(update={"per_request": 1, "per_user": 3, "max_plan_share": 0.5})
    chosen = select(
        [ann, cat, *crowd],
        settings,
        call_price=0.005,
        is_tidy=lambda one: one.plan != ("y",),
        has_leak=lambda one: one.plan == ("z",),
        seed=1,
    )
    assert dict(chosen.dropped) == {
        "leaked": 1,
        "ended_badly": 1,
        "untidy": 1,
        "needless_calls": 1,
        "hasty": 1,
        "ranked_low": 1,
        "repeated": 1,
        # Two of three of each of bob's requests; then one request of four; then one of three, as half may be d.
        "beyond_per_request": 8,
        "beyond_per_user": 1,
        "beyond_plan_share": 1,
    }
    assert [one.plan for one in chosen.kept] == [("a",), ("a",), ("d",), ("d",)]
    assert chosen.enough == {0: math.inf, 1: pytest.approx(1.0, abs=1e-3)}


@pytest.mark.parametrize(
    ("call_price", "leaked", "enough"),
    [(0.005, (), {0: math.inf}), (0.6, (), {0: pytest.approx(1.0, abs=1e-3)}), (0.005, ("a",), {})],
    ids=["it pays", "it is too dear", "a rollout that may know its target does not say"],
)
def test_what_a_call_is_worth_hangs_on_its_price_and_on_rollouts_without_a_leak(
    monkeypatch: pytest.MonkeyPatch, call_price: float, leaked: tuple[str, ...], enough: dict[int, float]
) -> None:
    monkeypatch.setattr(needless_calls, "FEWEST_REQUESTS", 1)
    group = [rollout(4, ""), rollout(1, "a")]
    chosen = select(
        [group],
        SETTINGS,
        call_price=call_price,
        is_tidy=lambda one: True,
        has_leak=lambda one: bool(leaked) and one.plan == leaked,
        seed=1,
    )
    assert chosen.enough == enough
