"""Versions of a cut's tables, of blank rows: what is looked at is where rows are."""

from pathlib import Path

import pytest
from deltalake import DeltaTable

from recthinker.errors import TableContractError
from recthinker.lookup.cut_versions import cut_versions, require_versions
from recthinker.settings import Settings
from tests.training.blank_retraining import CUT, DS, build_cut


def test_versions_are_those_of_now_and_can_be_read(settings: Settings) -> None:
    build_cut(settings.paths)
    first = cut_versions(settings.paths, CUT, DS)
    assert set(first.values()) == {0}
    assert {"user_history", "held_out", "candidates", "interactions"} <= first.keys()
    build_cut(settings.paths)
    assert {**first, **dict.fromkeys(first, 1), "interactions": 0} == cut_versions(settings.paths, CUT, DS)
    require_versions(settings.paths, CUT, DS, first)


def test_cut_that_was_not_built_for_the_date(settings: Settings) -> None:
    with pytest.raises(TableContractError, match="is not under"):
        cut_versions(settings.paths, CUT, DS)
    build_cut(settings.paths)
    with pytest.raises(TableContractError, match=f"no rows for ds 2024-03-11; dates there: {DS}"):
        cut_versions(settings.paths, CUT, "2024-03-11")


def test_version_whose_files_upkeep_removed_can_no_longer_be_read(settings: Settings) -> None:
    build_cut(settings.paths)
    then = cut_versions(settings.paths, CUT, DS)
    build_cut(settings.paths)
    table = DeltaTable(Path(settings.paths.cut(CUT)) / "user_history")
    assert table.vacuum(0, dry_run=False, enforce_retention_duration=False)
    with pytest.raises(
        TableContractError, match=r"user_history .* can no longer be read at version 0.* 1 of its 1 files"
    ):
        require_versions(settings.paths, CUT, DS, then)
    require_versions(settings.paths, CUT, DS, cut_versions(settings.paths, CUT, DS))
