"""The tables that `recthinker maintain` and `recthinker migrate` print."""

from datetime import UTC, datetime

from deltalake import DeltaTable, write_deltalake
from rich.console import Console

from recthinker.cli.maintain import show_upkeep
from recthinker.cli.migrate import show_migrations
from recthinker.settings import Settings
from recthinker.tables import schemas
from tests.features import built_world as world


def test_upkeep_tells_what_it_would_do_by_table(settings: Settings) -> None:
    root = settings.paths.warehouse
    for ds in [*world.days("2024-01-01", 4), "2024-04-02"]:
        world.overwrite(root, schemas.USER_HISTORY, [world.blank(schemas.USER_HISTORY, ds)], f"ds = '{ds}'")
    console = Console(record=True, width=200)
    show_upkeep(settings, console, now=datetime.now(UTC), run_id="u", dry_run=True)
    text = console.export_text()
    assert "what upkeep would do" in text
    assert "user_history" in text
    assert "3: 2024-01-01..2024-01-03" in text
    assert not settings.paths.mlflow.exists()


def test_migrating_an_older_warehouse_adds_its_constraints(settings: Settings) -> None:
    root = settings.paths.warehouse
    write_deltalake(root / "interactions", schemas.INTERACTIONS.arrow_schema().empty_table(), mode="append")
    console = Console(record=True, width=250)
    show_migrations(settings.paths, console, dry_run=True)
    assert "1 migrations to do" in console.export_text()
    show_migrations(settings.paths, console, dry_run=False)
    assert "add constraint rating_is_a_number" in console.export_text()
    assert "delta.constraints.rating_is_a_number" in DeltaTable(root / "interactions").metadata().configuration
