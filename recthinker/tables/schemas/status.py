"""What is known of each table and date that was built: freshness, lineage, and what an up-to-date row is."""

from recthinker.tables.schemas.base import COUNTS, DOUBLE, DS, LONG, STRING, STRINGS, TIME, Column, Table

TABLE_STATUS = Table(
    "table_status",
    "One row for each table and date that was built: when, by which run, how, from which versions.",
    ("ds", "table"),
    ("ds",),
    (
        DS,
        Column("table", STRING, "table that was built"),
        Column("run_id", STRING, "run that built it"),
        Column("built_at", TIME, "when it was committed"),
        Column("hours_late", DOUBLE, "hours from the end of D to `built_at`"),
        Column("built", STRING, "`full`: from scratch; `incremental`: from the rows of `base_ds`"),
        Column("base_ds", STRING, "date whose rows were carried on; null: none", nullable=True),
        Column("definition", STRING, "fingerprint of code, settings and columns (`recthinker.features.definitions`)"),
        Column("inputs", COUNTS, "Delta version by table read"),
        Column("version", LONG, "Delta version of the commit"),
        Column("rows", LONG, "rows of D"),
        Column("events", LONG, "events known before the end of D; null where the table reads none", nullable=True),
        Column("late_events", LONG, "events of D or before that arrived too late to count", nullable=True),
        Column("newest_event", TIME, "time of the newest event known", nullable=True),
        Column("seconds", DOUBLE, "wall seconds of the build of this table, as far as they can be told apart"),
        Column("checks", LONG, "checks of its rows that passed; null: it was not audited", nullable=True),
        Column("warnings", STRINGS, "checks that warned, as `check: rule (count rows), such as {...}`"),
    ),
)
