from collections.abc import Mapping
from pathlib import Path

import pytest

from recthinker.errors import TableContractError
from recthinker.report import Stage, TableChecks, read_episodes, read_manifest, read_night
from tests.report import night_world

NEEDED = ["trajectories", "recommendations", "run_manifest", "user_history", "item_metadata", "candidates"]


def test_night_holds_every_row_and_the_stages_in_order(tmp_path: Path) -> None:
    night_world.write(tmp_path)
    night_world.write_stages(tmp_path / "run")
    night = read_night(tmp_path, tmp_path / "run", night_world.DS, night_world.RUN_ID)
    assert night.rows.trajectories.num_rows == night_world.USERS
    assert night.rows.recommendations.num_rows == night_world.USERS * night_world.PUBLISHED
    assert [stage.name for stage in night.stages][:2] == ["ingest", "build_features"]
    assert night.manifest["outcomes"]["ranked"] == 56


def test_stage_times_come_from_the_manifest_where_the_run_left_no_files(tmp_path: Path) -> None:
    night_world.write(tmp_path)
    night = read_night(tmp_path, tmp_path / "nowhere", night_world.DS, night_world.RUN_ID)
    assert night.stages == (Stage("infer_shard-0", 61.4),)


@pytest.mark.parametrize("table", NEEDED)
def test_missing_table_is_named(tmp_path: Path, table: str) -> None:
    night_world.write(tmp_path, without=table)
    with pytest.raises(TableContractError, match=f"table {table}"):
        read_night(tmp_path, tmp_path / "run", night_world.DS, night_world.RUN_ID)


def test_missing_date_names_the_dates_that_are_there(tmp_path: Path) -> None:
    night_world.write(tmp_path)
    with pytest.raises(TableContractError, match=r"ds 1998-04-23.*1998-04-22"):
        read_night(tmp_path, tmp_path / "run", "1998-04-23", night_world.RUN_ID)


def test_unknown_run_names_those_that_published(tmp_path: Path) -> None:
    night_world.write(tmp_path)
    with pytest.raises(TableContractError, match=f"run_id=other for ds=.*found {night_world.RUN_ID}"):
        read_manifest(tmp_path, night_world.DS, "other")


def test_pinned_version_is_read_not_the_newest(tmp_path: Path) -> None:
    night_world.write(tmp_path)
    later = night_world.tables(seed=6)["candidates"]
    before = read_night(tmp_path, tmp_path / "run", night_world.DS, night_world.RUN_ID).rows.candidates
    night_world.overwrite(tmp_path, "candidates", later)
    after = read_night(tmp_path, tmp_path / "run", night_world.DS, night_world.RUN_ID).rows.candidates
    assert after.equals(before)
    assert not after.equals(later)


def test_night_holds_what_the_audit_said_of_its_own_date(tmp_path: Path) -> None:
    night_world.write(tmp_path)
    both = "mean_rating_jumped: rule (1 row), such as {}"
    rows = [
        {"table": "user_profile", "checks": 9, "warnings": [both]},
        {"table": "co_interaction", "checks": None, "warnings": [both, "a: rule (2 rows), such as {}"]},
    ]
    night_world.write_status(tmp_path, rows)
    night = read_night(tmp_path, tmp_path / "run", night_world.DS, night_world.RUN_ID)
    assert night.checks == (
        TableChecks("co_interaction", None, (both, "a: rule (2 rows), such as {}")),
        TableChecks("user_profile", 9, (both,)),
    )
    assert night.warnings == ("a: rule (2 rows), such as {}", both)


def test_episodes_are_whole_rows_of_the_users_chosen_in_their_order(tmp_path: Path) -> None:
    night_world.write(tmp_path)
    asked: dict[str, str] = {}

    def choose(statuses: Mapping[str, str]) -> list[str]:
        asked.update(statuses)
        return ["40", "2"]

    rows = read_episodes(tmp_path, night_world.DS, choose)
    assert (len(asked), asked["2"], asked["40"]) == (night_world.USERS, "repaired", "ranked")
    assert [row["user_id"] for row in rows] == ["40", "2"]
    assert rows[0]["token_ids"] == [1, 2, 3]
    assert rows[0]["versions"]["model"] == night_world.MODEL


def test_status_of_another_date_says_nothing_of_this_one(tmp_path: Path) -> None:
    night_world.write(tmp_path)
    night_world.write_status(tmp_path, [{"table": "user_profile", "checks": 9, "warnings": []}], ds="1998-04-21")
    assert read_night(tmp_path, tmp_path / "run", night_world.DS, night_world.RUN_ID).checks == ()
