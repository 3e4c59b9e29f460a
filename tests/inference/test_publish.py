"""The checks before publish, on a night of two shards and three users, broken in one way at a time."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recthinker.errors import SnapshotError, TableContractError
from recthinker.inference.publish import Night, check_night
from recthinker.tables.schemas import RECOMMENDATIONS, TRAJECTORIES
from tests.inference.night import DS, RUN_ID, edit_rows, write_night


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """u1 and u2 in shard 0, u3 in shard 1; three candidates each, lists of two."""
    write_night(tmp_path, {0: ["u1", "u2"], 1: ["u3"]})
    return tmp_path


def check(run_dir: Path, max_failed_share: float = 0.0) -> Night:
    return check_night(run_dir, ds=DS, run_id=RUN_ID, top_n=2, max_failed_share=max_failed_share)


def test_whole_night_passes(run_dir: Path) -> None:
    night = check(run_dir)
    assert (night.users, night.outcomes, night.recommendations) == (3, {"ranked": 3}, 6)
    assert night.files(TRAJECTORIES)[1].endswith("shards/1/trajectories.parquet")


def test_night_holds_the_sums_over_its_shards(run_dir: Path) -> None:
    metrics = check(run_dir).metrics
    # a prompt token and a written one for each of 3 users, at 4 users a second
    assert (metrics["tokens.prompt"], metrics["tokens.generated"], metrics["seconds"]) == (3, 3, 3 / 4)
    assert (metrics["users_per_s"], metrics["cache_hit_share"]) == (4, 0)


def test_summary_of_another_release_is_refused(run_dir: Path) -> None:
    path = run_dir / "shards/1/summary.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    del told["tool_faults"]
    path.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(TableContractError, match=r"shard 1 of .*found no tool_faults.*run jobs.infer_shard --shard 1"):
        check(run_dir)


def test_user_with_fewer_candidates_gets_all_of_them(run_dir: Path) -> None:
    edit_rows(run_dir, 1, TRAJECTORIES, lambda rows: [{**row, "ranking": ["a"]} for row in rows])
    edit_rows(run_dir, 1, RECOMMENDATIONS, lambda rows: rows[:1])
    assert check(run_dir).recommendations == 5  # 2 + 2 + 1


def test_missing_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="no inference plan"):
        check(tmp_path)


@pytest.mark.parametrize(("key", "value"), [("ds", "1998-04-21"), ("run_id", "other")])
def test_plan_of_another_run_is_refused(run_dir: Path, key: str, value: str) -> None:
    edit_json(run_dir / "inference_plan.json", {key: value})
    with pytest.raises(TableContractError, match=f"found .*{value}"):
        check(run_dir)


def test_plan_without_shards_is_refused(run_dir: Path) -> None:
    edit_json(run_dir / "inference_plan.json", {"shards": []})
    with pytest.raises(TableContractError, match="has no shard"):
        check(run_dir)


def test_missing_shard_is_named(run_dir: Path) -> None:
    (run_dir / "shards/1/recommendations.parquet").unlink()
    with pytest.raises(TableContractError, match="planned shard 1 is missing"):
        check(run_dir)


def test_truncated_file_is_refused(run_dir: Path) -> None:
    path = run_dir / "shards/1/trajectories.parquet"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(TableContractError, match="cannot be read"):
        check(run_dir)


def test_file_with_other_columns_is_refused(run_dir: Path) -> None:
    pq.write_table(pa.table({"ds": [DS]}), run_dir / "shards/0/trajectories.parquet")
    with pytest.raises(TableContractError, match="should have the columns of trajectories"):
        check(run_dir)


def test_more_users_planned_than_served_is_refused(run_dir: Path) -> None:
    edit_json(run_dir / "inference_plan.json", {"users": 4})
    with pytest.raises(TableContractError, match=r"4 users were planned .* hold 3, 3 of them distinct"):
        check(run_dir)


def test_user_in_two_shards_is_refused(tmp_path: Path) -> None:
    write_night(tmp_path, {0: ["u1", "u2"], 1: ["u2"]})
    with pytest.raises(TableContractError, match="hold 3, 2 of them distinct"):
        check(tmp_path)


def test_summary_that_does_not_fit_the_rows_is_refused(run_dir: Path) -> None:
    edit_json(run_dir / "shards/0/summary.json", {"outcomes": {"ranked": 1}})
    with pytest.raises(TableContractError, match=r"its summary says 2 users"):
        check(run_dir)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:3], "1 users with a list of the wrong length, such as user u2"),
        (lambda rows: rows[:2], "1 users with no list, such as user u2"),
        (lambda rows: [*rows, {**rows[0], "user_id": "u9"}], "a list but no trajectory, such as user u9"),
        (lambda rows: [rows[0], {**rows[1], "item_id": "a"}, *rows[2:]], "an item twice, such as user u1"),
        (
            lambda rows: [{**row, "rank": row["rank"] - 1} for row in rows],
            "2 users with ranks that are not 1..n",
        ),
        (lambda rows: [{**row, "rank": 1} for row in rows], "2 users with ranks that are not 1..n"),
        (
            lambda rows: [{**rows[0], "score": float("nan")}, *rows[1:]],
            "1 rows whose score is no finite number",
        ),
        (
            lambda rows: [{**rows[0], "score": float("inf")}, *rows[1:]],
            "1 rows whose score is no finite number",
        ),
        (lambda rows: [{**row, "ds": "1998-04-21"} for row in rows], "rows should carry 1998-04-22"),
        (lambda rows: [{**row, "run_id": "other"} for row in rows], "rows should carry r1, found"),
    ],
)
def test_broken_list_is_refused(
    run_dir: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], message: str
) -> None:
    edit_rows(run_dir, 0, RECOMMENDATIONS, change)
    with pytest.raises(TableContractError, match=message):
        check(run_dir)


def test_user_without_candidates_is_refused(run_dir: Path) -> None:
    edit_rows(run_dir, 1, TRAJECTORIES, lambda rows: [{**row, "ranking": []} for row in rows])
    edit_rows(run_dir, 1, RECOMMENDATIONS, lambda rows: [])
    with pytest.raises(TableContractError, match="no candidates, such as user u3"):
        check(run_dir)


def test_fallbacks_up_to_the_share_pass_and_above_are_refused(tmp_path: Path) -> None:
    write_night(tmp_path, {0: ["u1", "u2"], 1: ["u3"]}, status={"u3": "fallback_timeout"})
    assert check(tmp_path, max_failed_share=0.34).outcomes == {"ranked": 2, "fallback_timeout": 1}
    with pytest.raises(TableContractError, match=r"1 of 3 users .* fallback"):  # 1/3 > 0.33
        check(tmp_path, max_failed_share=0.33)


def edit_json(path: Path, changes: dict[str, Any]) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")
