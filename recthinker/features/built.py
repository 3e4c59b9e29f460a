"""What stands in a warehouse: what `table_status` says was built, and whether it still is what it was."""

from collections.abc import Mapping
from pathlib import Path

from recthinker.features.definitions import READS, definition
from recthinker.features.inputs import LandingCommits, same_events, same_rows
from recthinker.settings import FeatureSettings
from recthinker.tables import schemas
from recthinker.tables.log import DateChanges, date_changes
from recthinker.tables.schemas import Table
from recthinker.tables.status import TableStatus, read_status

BUILT_TABLES = (*schemas.FEATURES, *schemas.STATE)
"""The tables that a build of features makes."""
MISSING = "missing"
DEFINITION_CHANGED = "definition changed"
ROWS_CHANGED = "rows changed since they were built"


class Built:
    """What was built, as one look at the warehouse finds it; each log and each pair of versions is read once.

    Args:
        root: folder of the tables.
        settings: the settings to build with.
    """

    def __init__(self, root: Path, settings: FeatureSettings) -> None:
        self.root = root
        self.grace_h = settings.arrival_grace_h
        self.definitions = {table.name: definition(table, settings) for table in BUILT_TABLES}
        self._rows = {(row.ds, row.table): row for row in read_status(root)}
        self._commits = LandingCommits(root)
        self._changes: dict[str, DateChanges] = {}
        self._same: dict[tuple[str, int, int, str], bool] = {}

    def status(self, table: Table, ds: str) -> TableStatus | None:
        """What is recorded of a table and date."""
        return self._rows.get((ds, table.name))

    def dates_before(self, ds: str) -> list[str]:
        """Dates before `ds` of which something is recorded, newest first."""
        return sorted({date for date, _ in self._rows if date < ds}, reverse=True)

    def newest(self, table: Table, built: str) -> TableStatus | None:
        """The last build of a table, of any date, of a kind: `full` or `incremental`."""
        rows = [row for row in self._rows.values() if row.table == table.name and row.built == built]
        return max(rows, key=lambda row: row.built_at, default=None)

    def inputs(self, ds: str) -> Mapping[str, int]:
        """The versions of the landing tables that `ds` reads."""
        return self._commits.versions(ds, self.grace_h)

    def changes(self, table: Table) -> DateChanges:
        """What the log of a table tells."""
        if table.name not in self._changes:
            self._changes[table.name] = date_changes(self.root, table)
        return self._changes[table.name]

    def fault(self, table: Table, ds: str, expected: str | None = None) -> str | None:
        """Why the rows of a date are not those of today's definition, whatever their inputs; None: they are.

        Args:
            table: a table that is built.
            ds: logical date.
            expected: its definition today; None: that of a feature or state table.
        """
        row = self.status(table, ds)
        if row is None:
            return MISSING
        if row.definition != (expected or self.definitions[table.name]):
            return DEFINITION_CHANGED
        return None if self.changes(table).still_there(ds, row.version, row.rows) else ROWS_CHANGED

    def changed_input(self, table: Table, ds: str) -> str | None:
        """The first landing table that tells `ds` something else than when it was built; None: none does."""
        row, now = self.status(table, ds), self.inputs(ds)
        recorded = row.inputs if row else {}
        for name in READS[table.name]:
            if name not in recorded or not self.is_same(name, recorded[name], now[name], ds):
                return name
        return None

    def is_same(self, name: str, before: int, now: int, ds: str) -> bool:
        """Whether two versions of a landing table tell `ds` the same."""
        key = (name, before, now, ds)
        if key not in self._same:
            if name == schemas.INTERACTIONS.name:
                self._same[key] = same_events(self.root, before, now, ds=ds, grace_h=self.grace_h)
            else:
                self._same[key] = same_rows(self.root, schemas.TABLES[name], before, now)
        return self._same[key]
