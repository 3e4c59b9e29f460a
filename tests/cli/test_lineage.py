"""The tree of what a table comes from, over a warehouse built without Spark."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import CommitProperties, write_deltalake
from rich.console import Console

from recthinker.cli.lineage import show_lineage
from recthinker.errors import ConfigError, TableContractError
from recthinker.report.lineage import Origin, lineage
from recthinker.settings import Settings
from recthinker.tables import schemas
from recthinker.tables.status import write_status
from tests.features import built_world as world

DS = "2024-03-02"


@pytest.fixture
def root(settings: Settings) -> Path:
    """One date built, with candidates made from it."""
    root = settings.paths.warehouse
    world.land(root)
    values = pa.Table.from_pylist(
        [world.event("u9", "i1", "2024-03-02T01:00")], schema=schemas.INTERACTIONS.arrow_schema()
    )
    by = CommitProperties(custom_metadata={"userMetadata": "ingest-1 source=abc"})
    write_deltalake(root / "interactions", values, mode="append", partition_by=["event_date"], commit_properties=by)
    world.build(root, DS, settings.features)
    version = world.overwrite(root, schemas.CANDIDATES, [world.blank(schemas.CANDIDATES, DS)], f"ds = '{DS}'")
    inputs = {"user_history": 0, "interactions": 1}
    write_status(root, world.status(DS, "candidates", version, "cafe", inputs, run_id="r7"))
    return root


def named(origin: Origin, name: str) -> Origin:
    return next(source for source in origin.sources if source.name == name)


def publish(root: Path, **versions: int) -> None:
    row: dict[str, Any] = {
        "ds": DS,
        "run_id": "night-1",
        "model_version": "recthinker/3",
        "prompt_version": "p1",
        "users": 1,
        "outcomes": [],
        "row_counts": [],
        "table_versions": list(versions.items()),
        "seconds": [],
        "published_at": datetime(2024, 3, 3, 4, 5, tzinfo=UTC),
    }
    world.append(root, schemas.RUN_MANIFEST, [row])


def test_a_table_leads_through_its_inputs_to_the_commits_they_were_read_at(root: Path) -> None:
    origin = lineage(root, schemas.CANDIDATES, DS)
    assert origin.facts["run"] == "r7"
    assert origin.facts["definition"] == "cafe"
    assert origin.facts["rows"] == "1"
    history = named(origin, "user_history")
    assert history.facts["run"] == f"run-{DS}"
    events = named(history, "interactions")
    assert events.facts == {"version": "1"}
    newest, first = events.sources
    assert (newest.name, newest.facts["run"], newest.facts["data"]) == ("commit 1", "ingest-1", "source=abc")
    assert first.name == "commit 0"


def test_commits_after_the_version_that_was_read_are_left_out(root: Path) -> None:
    world.append(root, schemas.INTERACTIONS, [world.event("u9", "i2", "2024-03-05T01:00")])
    events = named(lineage(root, schemas.USER_HISTORY, DS), "interactions")
    assert [commit.name for commit in events.sources] == ["commit 1", "commit 0"]


def test_ingested_files_stand_below_their_commit(root: Path) -> None:
    files = [
        {
            "run_id": run,
            "table": table,
            "path": path,
            "size": 1200,
            "reader": "tabular",
            "sha256": "f" * 64,
            "version": None,
        }
        for run, table, path in (
            ("ingest-1", "interactions", "in/events.csv"),
            ("ingest-1", "items", "in/items.csv"),
            ("ingest-2", "interactions", "in/more.csv"),
        )
    ]
    fields = {"size": pa.int64(), "version": pa.int64()}
    schema = pa.schema([(name, fields.get(name, pa.string())) for name in files[0]])
    write_deltalake(root / "ingests", pa.Table.from_pylist(files, schema=schema))
    newest, first = named(lineage(root, schemas.USER_HISTORY, DS), "interactions").sources
    facts = {"bytes": "1,200", "reader": "tabular", "sha256": "ffffffffffff"}
    assert newest.sources == (Origin("in/events.csv", facts),)
    assert first.sources == ()


def test_recommendations_come_from_what_the_night_read(root: Path) -> None:
    publish(root, candidates=0, user_history=0, held_out=4)
    origin = lineage(root, schemas.RECOMMENDATIONS, DS)
    assert origin.facts["model"] == "recthinker/3"
    assert origin.facts["published"] == "2024-03-03 04:05"
    assert [source.name for source in origin.sources] == ["candidates", "held_out", "user_history"]
    assert named(origin, "held_out").facts["note"] == "not in table_status"
    assert named(named(origin, "candidates"), "user_history").sources


def test_table_that_was_built_again_after_it_was_read_says_so(root: Path, settings: Settings) -> None:
    publish(root, user_history=0)
    world.build(root, DS, settings.features, tables=[schemas.USER_HISTORY])
    history = named(lineage(root, schemas.TRAJECTORIES, DS), "user_history")
    assert history.facts["note"] == "read at version 0, built again since"


def test_date_that_was_not_built_is_refused(root: Path) -> None:
    with pytest.raises(TableContractError, match=r"user_history of ds 2024-03-09.*dates there: 2024-03-02..2024-03-02"):
        lineage(root, schemas.USER_HISTORY, "2024-03-09")


def test_unknown_table_is_refused(root: Path) -> None:
    with pytest.raises(ConfigError, match="found histories"):
        show_lineage("histories", DS, root, Console())


def test_tree_tells_a_table_once_and_text_from_data_styles_nothing(root: Path) -> None:
    world.append(root, schemas.ITEM_RELATIONS, [])
    by = CommitProperties(custom_metadata={"userMetadata": "[red]run\x1b[31m"})
    values = pa.Table.from_pylist([], schema=schemas.ITEMS.arrow_schema())
    for _ in range(6):
        write_deltalake(root / "items", values, mode="append", commit_properties=by)
    console = Console(record=True, width=200)
    show_lineage("items", DS, root, console)
    show_lineage("candidates", DS, root, console)
    text = console.export_text()
    assert "[red]run [31m" in text
    assert "\x1b" not in text
    assert "and 2 earlier commits" in text
    assert text.count("commit 1  at") == 1
    assert "interactions  version 1  see above" in text
