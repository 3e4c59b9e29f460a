import pyarrow as pa
import pytest

from recthinker.errors import TableContractError
from recthinker.evaluation import CutRows, HeldOutUser, held_out_users, requests

ITEMS = [f"i{n}" for n in range(10)]
KEPT = {"u": ["i3", "i2", "i1"], "v": ["i9"], "w": []}
"""Newest first."""
TAKEN = {"u": ["i5", "i4"], "v": ["i8", "i7"], "w": ["i1", "i2"]}
"""Position 1 first."""


def rows(kept: dict[str, list[str]] = KEPT) -> CutRows:
    history = [{"user_id": u, "events": [{"item_id": i} for i in items]} for u, items in kept.items() if items]
    held = [
        {"user_id": u, "position": p, "item_id": i} for u, items in TAKEN.items() for p, i in enumerate(items, start=1)
    ]
    events = [{"user_id": u, "item_id": i} for u, items in kept.items() for i in items] or [
        {"user_id": "x", "item_id": "i0"}
    ]
    offered = [{"user_id": "u", "items": [{"item_id": i} for i in ("i5", "i6", "i7", "i8")]}]
    table = pa.Table.from_pylist
    return CutRows(
        table(
            history,
            pa.schema([("user_id", pa.string()), ("events", pa.list_(pa.struct([("item_id", pa.string())])))]),
        ),
        table(held),
        table(offered),
        table(events),
        table([{"item_id": i} for i in ITEMS]),
    )


def drawn(**options: object) -> list[dict[str, object]]:
    given = {"positions": range(1, 3), "negatives": 3, "hard_share": 0.0, "seed": 1} | options
    return requests(held_out_users(rows()), ITEMS, **given).to_pylist()  # type: ignore[arg-type]


def test_users_without_a_history_are_left_out() -> None:
    assert [user.user_id for user in held_out_users(rows())] == ["u", "v"]


def test_the_history_grows_up_to_the_target() -> None:
    by_target = {row["target"]: row["history"] for row in drawn()}
    assert by_target["i5"] == ["i4", "i3", "i2", "i1"]
    assert by_target["i4"] == ["i3", "i2", "i1"]


@pytest.mark.parametrize("hard_share", [0.0, 1.0])
def test_the_target_stands_among_items_that_the_user_does_not_have(hard_share: float) -> None:
    owned = {user: set(KEPT[user]) | set(TAKEN[user]) for user in KEPT}
    for row in drawn(hard_share=hard_share):
        others = set(row["candidates"]) - {row["target"]}  # type: ignore[call-overload]
        assert len(others) == 3
        assert len(row["candidates"]) == 4  # type: ignore[arg-type]
        assert not others & owned[row["user_id"]]  # type: ignore[index]


def test_hard_negatives_come_from_the_sources_which_offer_the_target() -> None:
    # The sources offer u i5, i6, i7 and i8, but not i4; and v nothing.
    asked = drawn(hard_share=1.0, count=3)
    assert [row["target"] for row in asked] == ["i5", "i5", "i5"]
    assert all(set(row["candidates"]) == {"i5", "i6", "i7", "i8"} for row in asked)  # type: ignore[call-overload]


def test_among_random_negatives_every_target_is_as_likely() -> None:
    # A draw with hard negatives whose target the sources do not offer becomes none with random ones: of the random
    # draws i5, the only target that is offered, has its quarter.
    asked = drawn(hard_share=0.5, count=2_000)
    random_ = [row["target"] for row in asked if set(row["candidates"]) != {"i5", "i6", "i7", "i8"}]  # type: ignore[call-overload]
    assert len(random_) == pytest.approx(1_600, abs=60)  # of 8 draws 4 random ones and 1 hard one are kept
    assert random_.count("i5") == pytest.approx(400, abs=60)


def test_without_a_count_each_event_is_drawn_at_most_once() -> None:
    assert [row["target"] for row in drawn(hard_share=1.0)] == ["i5"]


def test_without_a_target_that_is_offered_there_is_no_hard_list() -> None:
    assert drawn(hard_share=1.0, positions=range(2, 3), count=5) == []


def test_positions_out_of_range_are_never_targets() -> None:
    assert {row["target"] for row in drawn(positions=range(2, 3), count=20)} == {"i4", "i7"}


def test_keys_are_unique_over_rounds() -> None:
    keys = [row["key"] for row in drawn(count=11)]
    assert len(set(keys)) == 11


def test_the_same_seed_draws_the_same_requests() -> None:
    assert drawn(count=9) == drawn(count=9)
    assert drawn(count=9) != drawn(count=9, seed=2)


def test_what_a_user_comes_back_to_is_never_a_target() -> None:
    again = held_out_users(rows({"u": ["i3"], "v": ["i8", "i9"], "w": ["i2"]}))
    asked = requests(again, ITEMS, positions=range(1, 3), negatives=3, hard_share=0.0, seed=1).to_pylist()
    assert {(row["user_id"], row["target"]) for row in asked} == {("u", "i5"), ("u", "i4"), ("v", "i7"), ("w", "i1")}
    twice = HeldOutUser("x", ["i1", "i2", "i1"], ["i3"], frozenset({"i3"}), [])
    assert [twice.is_new(position) for position in (1, 2, 3)] == [False, True, True]


def test_no_user_left_is_an_error() -> None:
    with pytest.raises(TableContractError, match="takes fewer events away"):
        held_out_users(rows({"u": [], "v": [], "w": []}))
