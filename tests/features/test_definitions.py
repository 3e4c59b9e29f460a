"""What changes a definition and what does not."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from recthinker.errors import TableContractError
from recthinker.features.built import BUILT_TABLES
from recthinker.features.definitions import (
    FIELDS,
    MODULES,
    PACKAGE,
    READS,
    candidates_definition,
    definition,
    source_files,
)
from recthinker.settings import FeatureSettings, load_settings
from recthinker.tables import schemas
from recthinker.tables.schemas import Column, Table

SETTINGS = load_settings("test", environ={})
ALL = pytest.mark.parametrize("table", BUILT_TABLES, ids=lambda table: table.name)
OTHER_VALUES = {"event_weights": {"view": 7.0}}
WITHOUT_EFFECT = {"lock_timeout_s"}
"""Settings that say how a build runs, not what comes out."""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package's source files."""
    for name in ("features", "candidates"):
        shutil.copytree(PACKAGE / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def changed(package: Path) -> set[str]:
    """Tables whose definition differs between the copy and the original."""
    return {
        table.name
        for table in BUILT_TABLES
        if definition(table, SETTINGS.features, package=package) != definition(table, SETTINGS.features)
    }


def test_copy_of_the_code_has_the_same_definitions(package: Path) -> None:
    assert changed(package) == set()
    assert re.fullmatch("[0-9a-f]{16}", definition(schemas.USER_HISTORY, SETTINGS.features))


def test_tables_have_different_definitions() -> None:
    assert len({definition(table, SETTINGS.features) for table in BUILT_TABLES}) == len(BUILT_TABLES)


def test_words_and_layout_do_not_count(package: Path) -> None:
    file = package / "features" / "order.py"
    edit(file, '"""The one order of a user\'s events', '"""In other words: the one order of events')
    edit(
        file,
        "def tie_break(seed: int, *columns: str) -> Column:",
        "# a remark\ndef tie_break(\n    seed: int, *columns: str,\n) -> Column:",
    )
    assert changed(package) == set()


def test_code_of_a_table_counts_for_it(package: Path) -> None:
    edit(package / "features" / "user_history.py", '"rating")', '"rating", "source")')
    assert changed(package) == {"user_history"}


def test_code_that_many_tables_import_counts_for_each(package: Path) -> None:
    edit(package / "features" / "order.py", "F.xxhash64(", "F.crc32(")
    importing = {t.name for t in BUILT_TABLES if PACKAGE / "features" / "order.py" in source_files(t)}
    assert changed(package) == importing
    assert {"user_history", "item_relation", "co_interaction"} <= importing


def test_what_an_event_is_known_by_counts_for_all_that_read_events(package: Path) -> None:
    edit(package / "features" / "known.py", "F.greatest", "F.least")
    assert changed(package) == {name for name, read in READS.items() if "interactions" in read}


def test_all_files_of_a_package_count(package: Path) -> None:
    file = package / "features" / "user_history.py"
    folder = package / "features" / "user_history"
    text = file.read_text()
    file.unlink()
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text(text)
    (folder / "inner" / "parts.py").write_text("N = 1\n")
    names = [path.name for path in source_files(schemas.USER_HISTORY, package=package)]
    assert {"__init__.py", "parts.py", "order.py"} <= set(names)


def test_orchestration_does_not_count(package: Path) -> None:
    file = package / "features" / "user_history.py"
    file.write_text("from recthinker.features.build import build_features\n" + file.read_text())
    names = [path.name for path in source_files(schemas.USER_HISTORY, package=package)]
    assert "user_history.py" in names
    assert "build.py" not in names


def test_columns_count_and_their_docs_do_not() -> None:
    table = schemas.USER_HISTORY
    before = definition(table, SETTINGS.features)
    reworded = tuple(replace(column, doc="in other words") for column in table.columns)
    assert definition(_with(table, reworded), SETTINGS.features) == before
    more = (*table.columns, Column("more", schemas.LONG, "one more"))
    assert definition(_with(table, more), SETTINGS.features) != before
    loose = tuple(replace(column, nullable=True) for column in table.columns)
    assert definition(_with(table, loose), SETTINGS.features) != before


def _with(table: Table, columns: tuple[Column, ...]) -> Table:
    return replace(table, columns=columns)


@pytest.mark.parametrize("field", list(FeatureSettings.model_fields))
def test_a_setting_changes_the_tables_that_declare_it_and_no_others(field: str) -> None:
    value = getattr(SETTINGS.features, field)
    other = SETTINGS.features.model_copy(update={field: OTHER_VALUES.get(field) or value + 1})
    differing = {t.name for t in BUILT_TABLES if definition(t, other) != definition(t, SETTINGS.features)}
    assert differing == {name for name, fields in FIELDS.items() if field in fields}
    assert bool(differing) == (field not in WITHOUT_EFFECT)


@ALL
def test_declared_settings_are_named_by_the_code(table: Table) -> None:
    text = "\n".join(file.read_text() for file in source_files(table))
    missing = [field for field in FIELDS[table.name] if not re.search(rf"\b{field}\b", text)]
    assert missing == []


@ALL
def test_declared_modules_exist(table: Table) -> None:
    folder = PACKAGE / "features"
    assert [m for m in MODULES[table.name] if not (folder / f"{m}.py").is_file() and not (folder / m).is_dir()] == []


@ALL
def test_settings_that_the_code_takes_are_declared(table: Table) -> None:
    module = MODULES[table.name][0]
    own = PACKAGE / "features" / f"{module}.py"
    files = [own] if own.is_file() else sorted(own.with_suffix("").rglob("*.py"))
    taken = {name for file in files for name in re.findall(r"\bsettings\.(\w+)", file.read_text())}
    declared = {field for name, fields in FIELDS.items() if MODULES[name][0] == module for field in fields}
    assert taken & set(FeatureSettings.model_fields) <= declared


@ALL
def test_what_a_table_reads_are_landing_tables(table: Table) -> None:
    assert set(READS[table.name]) <= {landing.name for landing in schemas.LANDING}


def test_order_of_event_weights_does_not_count() -> None:
    weights = {"view": 1.0, "cart": 3.0, "purchase": 5.0}
    backwards = dict(reversed(weights.items()))
    one, two = (SETTINGS.features.model_copy(update={"event_weights": w}) for w in (weights, backwards))
    assert definition(schemas.CO_INTERACTION, one) == definition(schemas.CO_INTERACTION, two)


def test_candidates_depend_on_their_own_code_settings_and_what_they_read(package: Path) -> None:
    features, candidates = SETTINGS.features, SETTINGS.candidates
    before = candidates_definition(features, candidates)
    assert candidates_definition(features, candidates, package=package) == before
    assert candidates_definition(features, candidates.model_copy(update={"rrf_k": 21})) != before
    assert candidates_definition(features.model_copy(update={"history_max_events": 7}), candidates) != before
    assert candidates_definition(features.model_copy(update={"similar_top_k": 7}), candidates) == before
    edit(package / "candidates" / "merge.py", "1.0 / (", "2.0 / (")
    assert candidates_definition(features, candidates, package=package) != before


def test_table_that_is_not_built_has_no_definition() -> None:
    with pytest.raises(TableContractError, match="no definition is known of table items"):
        definition(schemas.ITEMS, SETTINGS.features)
