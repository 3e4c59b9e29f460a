"""Landing tables: outside data after validation."""

from recthinker.tables.schemas.base import (
    ATTRIBUTES,
    DATE,
    DOUBLE,
    ITEM,
    LONG,
    STRING,
    STRINGS,
    TIME,
    USER,
    Column,
    Table,
)

INTERACTIONS = Table(
    "interactions",
    "What users did, one row an event. Landing table.",
    ("user_id", "item_id", "event_time", "event_type"),
    ("event_date",),
    (
        USER,
        ITEM,
        Column("event_time", TIME, "when it happened"),
        Column("event_type", STRING, "`rating`, `view`, `purchase`, ... as the source names it"),
        Column("rating", DOUBLE, "the value given, where the event has one", nullable=True),
        Column(
            "ingested_at",
            TIME,
            "when it arrived, as the source tells or, of an event whose date features were built for already, when it "
            "was ingested; null: in time",
            nullable=True,
        ),
        Column("source", STRING, "reader and file it came from"),
        Column("event_date", DATE, "UTC date of `event_time`; the partition"),
    ),
    (("rating_is_a_number", "rating IS NULL OR NOT isnan(rating)"),),
)
ITEMS = Table(
    "items",
    "The catalogue. Landing table.",
    ("item_id",),
    (),
    (
        ITEM,
        Column("title", STRING, "name shown to people", nullable=True),
        Column("description", STRING, "longer text", nullable=True),
        Column("categories", STRINGS, "categories, most general first; may be empty"),
        Column("attributes", ATTRIBUTES, "anything else the source tells (year, brand, ...)"),
    ),
)
USERS = Table(
    "users",
    "What is known of users besides their events. Landing table.",
    ("user_id",),
    (),
    (USER, Column("attributes", ATTRIBUTES, "age, country, ... as the source tells; may be empty")),
)
ITEM_RELATIONS = Table(
    "item_relations",
    "Knowledge-graph edges whose head is an item. Landing table.",
    ("head_item_id", "relation", "tail_id"),
    (),
    (
        Column("head_item_id", STRING, "item the edge starts from"),
        Column("relation", STRING, "kind of edge (`directed_by`, `also_bought`, ...)"),
        Column("tail_id", STRING, "what it leads to"),
        Column("tail_label", STRING, "readable name of the tail, where known", nullable=True),
        Column("tail_item_id", STRING, "the tail as an item, where it is one", nullable=True),
    ),
)
QUARANTINE = Table(
    "quarantine",
    "Rows that broke a rule at ingest, whole, with the reason. Landing table.",
    (),
    (),
    (
        Column("table", STRING, "landing table the row was meant for"),
        Column("reason", STRING, "rule it broke"),
        Column("row_json", STRING, "the row as read, as JSON"),
        Column("source", STRING, "reader and file it came from"),
        Column("ingested_at", TIME, "when it was refused"),
    ),
)

INGESTS = Table(
    "ingests",
    "One row for each file, or version of a Delta table, that was ingested. Landing table.",
    ("fingerprint", "table", "path"),
    (),
    (
        Column("run_id", STRING, "run that ingested it"),
        Column("ingested_at", TIME, "when"),
        Column(
            "fingerprint",
            STRING,
            "of all that was ingested together, and how; the commit of `interactions` that ends the ingest carries it "
            "(`source=...`): without one, the ingest did not finish",
        ),
        Column("options", STRING, "fingerprint of reader, its options and the rules"),
        Column("reader", STRING, "`movielens`, `tabular`, `amazon_reviews`, `delta`"),
        Column("source", STRING, "as on the rows that came from it; null where the table was not made", nullable=True),
        Column("table", STRING, "landing table that it was read for"),
        Column("path", STRING, "where it lay"),
        Column("size", LONG, "bytes"),
        Column("sha256", STRING, "of the file; null: a Delta table", nullable=True),
        Column("table_id", STRING, "id of the Delta table; null: a file", nullable=True),
        Column("version", LONG, "version of the Delta table; null: a file", nullable=True),
        Column("read", LONG, "rows read for `table`, of all its files together"),
        Column("kept", LONG, "of them, rows kept"),
        Column("quarantined", LONG, "of them, rows quarantined; `read` = `kept` + `quarantined`"),
    ),
)

LANDING = (INTERACTIONS, ITEMS, USERS, ITEM_RELATIONS, QUARANTINE, INGESTS)
