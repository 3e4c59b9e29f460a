"""Checks of a date's rows: the good world passes; each check finds what was made for it."""

import json
import logging
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from recthinker.errors import TableContractError
from recthinker.tables.check_files import NEW, ROW_COUNTS, Check, check_names, read_checks
from recthinker.tables.checks import audit, passed_checks, told_warnings
from tests.tables import audit_world as world
from tests.tables.test_checks import BROKEN as BROKEN_LANDING

pytestmark = pytest.mark.spark

NAN, INFINITY = float("nan"), float("inf")
OF_A_DATE = [check.name for check in read_checks() if not check.is_landing]

BROKEN: list[tuple[str, str, int, dict[str, Any]]] = [
    ("users_in_step", "user_profile", 0, {"user_id": "u9"}),
    ("users_in_step", "user_history", 0, {"user_id": "u2"}),
    ("users_in_step", "similar_users", 0, {"user_id": "u2"}),
    ("user_history_in_step", "user_profile", 0, {"last_time": world.OLD}),
    ("user_history_in_step", "user_profile", 0, {"interaction_count": 1}),
    ("user_history_in_step", "user_history", 0, {"events": [world.event("i1", world.NEW)] * 3}),
    ("user_history_in_step", "user_profile", 0, {"last_time": None}),
    ("user_history_in_step", "user_history", 0, {"events": [world.event("i1", at) for at in (world.OLD, world.NEW)]}),
    ("user_profile_values", "user_profile", 0, {"user_id": None}),
    ("user_profile_values", "user_profile", 0, {"attributes": None}),
    ("user_profile_values", "user_profile", 0, {"top_categories": None}),
    ("user_profile_values", "user_profile", 0, {"interaction_count": 0}),
    ("user_profile_values", "user_profile", 0, {"first_time": world.NEW, "last_time": world.OLD}),
    ("user_profile_values", "user_profile", 0, {"mean_rating": NAN}),
    ("user_history_in_step", "user_history", 0, {"events": []}),
    ("user_history_in_step", "user_history", 0, {"events": None}),
    ("user_history_in_step", "user_history", 0, {"events": [world.event("i1", world.NEW), world.event("i2", None)]}),
    ("user_history_of_unknown_items", "user_history", 0, {"events": [world.event("i9", world.NEW)]}),
    ("user_history_of_unknown_items", "user_history", 0, {"events": [world.event(None, world.NEW)]}),
    ("item_metadata_values", "item_metadata", 0, {"title": None}),
    ("item_metadata_values", "item_metadata", 0, {"popularity": -1}),
    ("item_metadata_ranks", "item_metadata", 0, {"popularity_rank": 2}),
    ("item_metadata_ranks", "item_metadata", 2, {"popularity_rank": 4}),
    ("item_metadata_ranks", "item_metadata", 0, {"popularity_rank": 0}),
    ("events_of_users_and_items", "item_metadata", 0, {"popularity": 4}),
    ("item_relation_edges", "item_relation", 0, {"neighbours": [world.edge("sequel", "i9")]}),
    ("item_relation_edges", "item_relation", 0, {"neighbours": [world.edge(None, None)]}),
    ("item_relation_edges", "item_relation", 0, {"neighbours": []}),
    ("items_in_step", "item_metadata", 0, {"item_id": "i2"}),
    ("items_in_step", "co_interaction", 0, {"item_id": "i2"}),
    ("items_in_step", "item_relation", 0, {"item_id": "i9"}),
    ("co_interaction_neighbours", "co_interaction", 0, world.neighbours("i1", "i9")),
    ("co_interaction_neighbours", "co_interaction", 0, world.neighbours("i1", "i1")),
    ("co_interaction_neighbours", "co_interaction", 0, world.neighbours("i1", "i2", support=0)),
    ("co_interaction_neighbours", "co_interaction", 0, world.neighbours("i1", "i2", cosine=0.0)),
    ("co_interaction_neighbours", "co_interaction", 0, world.neighbours("i1", "i2", cosine=NAN)),
    ("co_interaction_neighbours", "co_interaction", 0, world.neighbours("i1", "i2", lift=INFINITY)),
    ("co_interaction_neighbours", "co_interaction", 0, world.neighbours("i1", "i2", next_weight=None)),
    ("co_interaction_neighbours", "co_interaction", 0, {"neighbours": []}),
    ("similar_users_neighbours", "similar_users", 0, world.similar("u1", "u9")),
    ("similar_users_neighbours", "similar_users", 0, world.similar("u1", "u1")),
    ("similar_users_neighbours", "similar_users", 0, world.similar("u1", None)),
    ("similar_users_neighbours", "similar_users", 0, world.similar("u1", "u2", 0.0)),
    ("similar_users_neighbours", "similar_users", 0, world.similar("u1", "u2", 1.01)),
    ("similar_users_neighbours", "similar_users", 0, world.similar("u1", "u2", None)),
    ("user_states_in_step", "user_state", 0, {"user_id": "u9"}),
    ("user_states_in_step", "user_state", 0, {"user_id": "u2"}),
    ("user_states_in_step", "user_state", 0, {"rating_count": 3}),
    ("user_states_in_step", "user_state", 0, {"rating_count": 0}),
    ("user_state_values", "user_state", 0, {"rating_total": None}),
    ("user_state_values", "user_state", 0, {"recent": []}),
    ("user_state_values", "user_state", 0, {"category_counts": [("Drama", 0)]}),
    ("item_states_in_step", "item_state", 0, {"events": 4}),
    ("item_states_in_step", "item_state", 0, {"item_id": "i9"}),
    ("item_state_values", "item_state", 0, {"number": None}),
    ("item_state_values", "item_state", 0, {"paired": 4}),
    ("item_state_values", "item_state", 0, {"rating_count": -1}),
    ("item_state_numbers_twice", "item_state", 0, {"number": 1}),
    ("co_interaction_pairs_values", "co_interaction_pairs", 0, {"support": 0}),
    ("co_interaction_pairs_values", "co_interaction_pairs", 0, {"neighbour": 0}),
    ("co_interaction_pairs_one_way", "co_interaction_pairs", 0, world.pair(1, 0)),
    ("co_interaction_pairs_one_way", "co_interaction_pairs", 0, {"support": 2}),
    ("co_interaction_pairs_twice", "co_interaction_pairs", 0, world.pair(1, 0)),
    ("candidates_in_step", "candidates", 0, {"user_id": "u2"}),
    ("candidates_in_step", "candidates", 0, {"user_id": "u9"}),
    ("candidates_of_unknown_items", "candidates", 0, world.offer("u1", "i9")),
    ("candidates_values", "candidates", 0, world.offer("u1", "i3", "i3")),
    ("candidates_values", "candidates", 0, world.offer("u1", None)),
    ("candidates_values", "candidates", 0, {"items": []}),
    ("candidates_values", "candidates", 0, {"items": [{"item_id": "i3", "sources": ["als"], "score": NAN}]}),
    # the mean of 3, 1, 2 is 2, that of the date before 5 / 3: a fifth more; of 4, 1, 2 more than that
    ("events_per_user_jumped", "user_profile", 0, {"interaction_count": 4}),
    # (4.0 + 4.0 + 4.7) / 3 = 4.23 is 5.8 % above 4
    ("mean_rating_jumped", "user_profile", 0, {"mean_rating": 4.7}),
    # 3 / 5 before, now 6 / 8 = 0.75, above 0.6 + 0.12
    ("top_item_share_jumped", "item_metadata", 0, {"popularity": 6}),
]
"""Check, frame, place of its row, and what is written over it: one offending row or more, most often one."""


def break_row(name: str, place: int, change: dict[str, Any]) -> world.Rows:
    rows = world.rows()
    rows[name] = [row | change if n == place else row for n, row in enumerate(rows[name])]
    return rows


def read_by(check: Check) -> list[str]:
    """The frames to give to a check; rows of D that were not carried on are all rows of D here."""
    return sorted({name.removesuffix(NEW) for name in check.frames})


def run(spark: SparkSession, check: str, rows: world.Rows) -> Any:
    (named,) = read_checks([check])
    (result,) = audit(spark, world.frames(spark, rows, read_by(named)), names=[check])
    return result


def test_good_rows_pass_every_check(spark: SparkSession) -> None:
    rows = world.rows()
    results = audit(spark, world.frames(spark, rows, rows), names=OF_A_DATE)
    assert {result.name: result.offending for result in results if not result.has_passed} == {}


@pytest.mark.parametrize(("check", "name", "place", "change"), BROKEN)
def test_check_finds_its_row(spark: SparkSession, check: str, name: str, place: int, change: dict[str, Any]) -> None:
    rows = break_row(name, place, change)
    if read_checks([check])[0].severity == "warning":
        assert run(spark, check, rows).count == 1
    else:
        with pytest.raises(TableContractError, match=rf"1 of 1 checks failed\. {check}: "):
            run(spark, check, rows)


@pytest.mark.parametrize("missing", ["user_profile", "user_history"])
def test_user_without_profile_or_history_is_found(spark: SparkSession, missing: str) -> None:
    rows = world.rows()
    rows[missing] = rows[missing][:2]
    with pytest.raises(TableContractError, match='"user_id":"u3"'):
        run(spark, "users_in_step", rows)


def test_history_that_is_not_newest_first_is_found(spark: SparkSession) -> None:
    # three events counted, the newest of them first: only the order is wrong
    rows = break_row("user_profile", 0, {"interaction_count": 3})
    events = [world.event("i1", when) for when in (world.NEW, world.OLD, world.NEW)]
    rows["user_history"] = [{"user_id": "u1", "events": events}, *rows["user_history"][1:]]
    with pytest.raises(TableContractError, match=r'"user_id":"u1".*"unordered":true'):
        run(spark, "user_history_in_step", rows)


@pytest.mark.parametrize(("lists", "count"), [(2, 0), (1, 1), (3, 1)])
def test_share_of_users_without_similar_users(spark: SparkSession, lists: int, count: int) -> None:
    # 1 of 3 users had none the date before
    rows = world.rows()
    rows["similar_users"] = [world.similar(user, "u1") for user in ("u2", "u3", "u1")[:lists]]
    assert run(spark, "users_without_similar_jumped", rows).count == count


def band(spark: SparkSession, usual: list[int], today: int) -> dict[str, DataFrame]:
    """table_status of dates in March, oldest first, and the rows of today."""
    status = [{"ds": f"2024-03-{n:02d}", "table": "user_profile", "rows": n_rows} for n, n_rows in enumerate(usual, 1)]
    counts = spark.createDataFrame([("user_profile", today)], "`table` string, rows long")
    return {"table_status": world.frame(spark, "table_status", status), ROW_COUNTS: counts}


@pytest.mark.parametrize(
    ("usual", "today"),
    [
        ([90, 100, 130], 80),
        ([90, 100, 130], 150),
        # 80 % of 35 is 28, which doubles would miss
        ([35, 35, 35], 28),
        # two dates are too few to say what is usual
        ([100, 100], 1),
        # of the last seven the median is 10; of all nine it would be 100
        ([100, 100, 100, 100, 100, 10, 10, 10, 10], 10),
        ([0, 0, 0], 0),
    ],
)
def test_usual_number_of_rows_passes(spark: SparkSession, usual: list[int], today: int) -> None:
    results = audit(spark, band(spark, usual, today), names=["rows_dropped", "rows_jumped"])
    assert all(result.has_passed for result in results)


def test_too_few_rows_stop(spark: SparkSession) -> None:
    with pytest.raises(TableContractError, match=r'"rows":79,"usual_rows":100\.0'):
        audit(spark, band(spark, [90, 100, 130], 79), names=["rows_dropped", "rows_jumped"])


def test_too_many_rows_warn(spark: SparkSession) -> None:
    few, many = audit(spark, band(spark, [90, 100, 130], 151), names=["rows_dropped", "rows_jumped"])
    assert few.has_passed
    assert [json.loads(row) for row in many.offending] == [{"table": "user_profile", "rows": 151, "usual_rows": 100.0}]


def test_rows_are_counted_where_the_caller_does_not_say(spark: SparkSession) -> None:
    rows = world.rows()
    rows["similar_users"] = rows["similar_users"][:1]
    with pytest.raises(TableContractError, match=r'"table":"similar_users","rows":1,"usual_rows":2\.0'):
        audit(
            spark, world.frames(spark, rows, ("user_profile", "similar_users", "table_status")), names=["rows_dropped"]
        )


def test_count_is_of_all_rows_and_the_sample_of_a_few(spark: SparkSession) -> None:
    rows = {"user_profile": [world.profile("u1") | {"user_id": f"u{n}", "interaction_count": 0} for n in range(9)]}
    with pytest.raises(TableContractError) as caught:
        run(spark, "user_profile_values", rows)
    message = str(caught.value)
    assert "user_profile_values: A profile is whole" in message
    assert "(9 rows), such as " in message
    assert [f'"user_id":"u{n}"' in message for n in range(4)] == [True, True, True, False]
    assert "Nothing of this was published" in message


def test_warning_is_logged_told_and_stops_nothing(spark: SparkSession, caplog: pytest.LogCaptureFixture) -> None:
    rows = break_row("user_profile", 0, {"mean_rating": 4.7})
    frames = world.frames(spark, rows, ("user_profile", "user_profile_before", "user_history"))
    with caplog.at_level(logging.WARNING):
        results = audit(spark, frames, names=["mean_rating_jumped", "user_profile_values"])
    (warning,) = told_warnings(results, "user_profile")
    assert warning.startswith("mean_rating_jumped: The users' mean rating")
    assert "of the date before (1 row), such as {" in warning
    assert warning in caplog.text
    assert told_warnings(results, "user_history") == []
    assert (passed_checks(results, "user_profile"), passed_checks(results, "user_history")) == (1, 0)


def test_check_without_its_frame_is_skipped_and_says_so(spark: SparkSession) -> None:
    rows = break_row("user_profile", 0, {"mean_rating": 4.7})
    frames = world.frames(spark, rows, ("user_profile",))
    skipped, ran = audit(spark, frames, names=["mean_rating_jumped", "user_profile_values"])
    assert skipped.missing == ("user_profile_before",)
    assert skipped.is_skipped
    assert not skipped.has_passed
    assert ran.has_passed


def test_every_check_is_tried() -> None:
    elsewhere = {"interactions_missing", "rows_dropped", "rows_jumped", "users_without_similar_jumped"}
    assert set(check_names()) == {*BROKEN_LANDING, *(check for check, *_ in BROKEN), *elsewhere}
