from pathlib import Path

import pytest

from recthinker.errors import TableContractError
from recthinker.lookup.cut import read_cut, version_cut
from recthinker.lookup.cut_versions import cut_versions
from recthinker.settings import Settings
from recthinker.tables import schemas
from tests.features import built_world as world
from tests.training.blank_retraining import CUT, DS, build_cut


def test_a_cut_that_does_not_tell_what_it_was_taken_of_is_to_be_built_again(tmp_path: Path) -> None:
    with pytest.raises(TableContractError, match="build the cut again"):
        version_cut(tmp_path, "2024-03-10")


def test_cut_is_read_at_the_versions_of_a_plan(settings: Settings) -> None:
    build_cut(settings.paths)
    then = cut_versions(settings.paths, CUT, DS)
    build_cut(settings.paths)
    root = Path(settings.paths.cut(CUT))
    blank = world.blank(schemas.USER_HISTORY, DS) | {"user_id": "later"}
    world.overwrite(root, schemas.USER_HISTORY, [blank], f"ds = '{DS}'")

    def users(versions: dict[str, int]) -> tuple[list[str], dict[str, int]]:
        _, features, read = read_cut(settings.paths, CUT, DS, grace_h=2, versions=versions)
        return features.user_history["user_id"].to_pylist(), read

    assert users({}) == (["later"], cut_versions(settings.paths, CUT, DS))
    found, read = users(then)
    assert found != ["later"]
    assert read == then
