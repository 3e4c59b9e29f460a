"""Every table, once: its key, partitions and columns (contract: design section 4).

The types are Arrow's, so that this file needs no Spark; `recthinker.tables.spark` turns them into Spark schemas and
docs/tables.md is generated from here. All ids are strings, all times are UTC microseconds.
"""

from dataclasses import dataclass

import pyarrow as pa

STRING = pa.string()
LONG = pa.int64()
INT = pa.int32()
DOUBLE = pa.float64()
TIME = pa.timestamp("us", tz="UTC")
DATE = pa.date32()
STRINGS = pa.list_(STRING)
ATTRIBUTES = pa.map_(STRING, STRING)
COUNTS = pa.map_(STRING, LONG)
SECONDS = pa.map_(STRING, DOUBLE)


def _rows(**fields: pa.DataType) -> pa.DataType:
    """A list of structs, the type of every nested column here."""
    return pa.list_(pa.struct([pa.field(name, type_) for name, type_ in fields.items()]))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    type: pa.DataType
    doc: str
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table's contract."""

    name: str
    doc: str
    key: tuple[str, ...]
    """Columns that identify a row; empty where rows have no identity."""
    partition_by: tuple[str, ...]
    columns: tuple[Column, ...]

    def arrow_schema(self) -> pa.Schema:
        """The columns as an Arrow schema, in their order."""
        return pa.schema([pa.field(c.name, c.type, nullable=c.nullable) for c in self.columns])

    @property
    def column_names(self) -> list[str]:
        """The names of the columns, in their order."""
        return [c.name for c in self.columns]


DS = Column(
    "ds", STRING, "logical date D, `YYYY-MM-DD`; the row sees exactly what was known before the end of D"
)
USER = Column("user_id", STRING, "user")
ITEM = Column("item_id", STRING, "item")

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
        Column("ingested_at", TIME, "when it arrived, where the source knows", nullable=True),
        Column("source", STRING, "reader and file it came from"),
        Column("event_date", DATE, "UTC date of `event_time`; the partition"),
    ),
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
USER_PROFILE = Table(
    "user_profile",
    "A user in one row.",
    ("ds", "user_id"),
    ("ds",),
    (
        DS,
        USER,
        Column("attributes", ATTRIBUTES, "from `users`; may be empty"),
        Column("interaction_count", LONG, "events known before the end of D"),
        Column("first_time", TIME, "time of the first of them"),
        Column("last_time", TIME, "time of the last of them"),
        Column("top_categories", STRINGS, "categories of the user's items, most frequent first"),
        Column("mean_rating", DOUBLE, "mean of the ratings given; null where none", nullable=True),
    ),
)
USER_HISTORY = Table(
    "user_history",
    "A user's newest events.",
    ("ds", "user_id"),
    ("ds",),
    (
        DS,
        USER,
        Column(
            "events",
            _rows(item_id=STRING, event_time=TIME, event_type=STRING, rating=DOUBLE),
            "newest first, at most `features.history_max_events`; ties in time in seeded hash order",
        ),
    ),
)
ITEM_METADATA = Table(
    "item_metadata",
    "An item in one row.",
    ("ds", "item_id"),
    ("ds",),
    (
        DS,
        ITEM,
        Column("title", STRING, "name shown to people; the id where the source has none"),
        Column("categories", STRINGS, "from `items`"),
        Column("attributes", ATTRIBUTES, "from `items`"),
        Column("popularity", LONG, "events known before the end of D; 0 for an unseen item"),
        Column("popularity_rank", INT, "1 = most events; ties in seeded hash order"),
        Column("mean_rating", DOUBLE, "mean of its ratings; null where none", nullable=True),
    ),
)
ITEM_RELATION = Table(
    "item_relation",
    "An item's knowledge-graph neighbourhood.",
    ("ds", "item_id"),
    ("ds",),
    (
        DS,
        ITEM,
        Column(
            "neighbours",
            _rows(relation=STRING, label=STRING, item_id=STRING),
            "edges by relation, then label (the tail's label, or its id); `item_id` null where the tail is no item; "
            "at most `features.relation_max_neighbours`, rarer tails first",
        ),
    ),
)
CO_INTERACTION = Table(
    "co_interaction",
    "Items that the same users interact with, within `features.co_window` events of each other.",
    ("ds", "item_id"),
    ("ds",),
    (
        DS,
        ITEM,
        Column(
            "neighbours",
            _rows(item_id=STRING, support=LONG, cosine=DOUBLE, lift=DOUBLE, next_weight=DOUBLE),
            "strongest cosine first, at most `features.co_top_k`: support = pairs of events, cosine = support / "
            "sqrt(events of both), lift = support * all events / (product of both), next_weight = sum over pairs in "
            "which the neighbour came later of 2^-(distance-1)/`features.co_half_life`",
        ),
    ),
)
SIMILAR_USERS = Table(
    "similar_users",
    "Users with the most similar sets of items (cosine).",
    ("ds", "user_id"),
    ("ds",),
    (DS, USER, Column("neighbours", _rows(user_id=STRING, similarity=DOUBLE), "most similar first")),
)
CANDIDATES = Table(
    "candidates",
    "Items to rank for a user: merged sources, none that the user already has.",
    ("ds", "user_id"),
    ("ds",),
    (
        DS,
        USER,
        Column(
            "items",
            _rows(item_id=STRING, sources=STRINGS, score=DOUBLE),
            "best first, at most `candidates.max_items`; score = reciprocal rank fusion over the sources",
        ),
    ),
)
TRAJECTORIES = Table(
    "trajectories",
    "What the agent did for a user, token by token.",
    ("ds", "user_id"),
    ("ds",),
    (
        DS,
        USER,
        Column(
            "status",
            STRING,
            "ranked, repaired, fallback_invalid, fallback_timeout, fallback_error or unchanged",
        ),
        Column(
            "stop_reason", STRING, "why the episode ended: answered, forced, invalid, timeout, error: ..."
        ),
        Column(
            "turns", _rows(role=STRING, text=STRING), "the episode as text; role is prompt, agent or tool"
        ),
        Column("token_ids", pa.list_(INT), "the whole episode as the engine saw it"),
        Column("agent_mask", pa.list_(INT), "1 where the model wrote the token"),
        Column("logprobs", pa.list_(pa.float32()), "of the model's tokens; 0 elsewhere"),
        Column(
            "tool_calls",
            _rows(name=STRING, arguments=STRING, result=STRING, rows=INT, ok=pa.bool_()),
            "in order: arguments as JSON, result as the agent read it, rows found, whether the call was valid",
        ),
        Column(
            "tokens",
            pa.struct([pa.field("prompt", LONG), pa.field("cached", LONG), pa.field("generated", LONG)]),
            "summed over the episode's requests: prompt tokens, those of them served from cache, tokens written",
        ),
        Column("ranking", STRINGS, "all candidates, best first"),
        Column("scores", pa.list_(DOUBLE), "their scores, same order (log-probabilities of their labels)"),
        Column("versions", ATTRIBUTES, "model, prompt and table versions read"),
        Column("fingerprint", STRING, "hash of everything that the episode depended on"),
    ),
)
RECOMMENDATIONS = Table(
    "recommendations",
    "What apps read: the best items for each user.",
    ("ds", "user_id", "rank"),
    ("ds",),
    (
        DS,
        USER,
        Column("rank", INT, "1 = best; at most `agent.publish_top_n`"),
        ITEM,
        Column("score", DOUBLE, "higher is better; comparable within a user only"),
        Column("source", STRING, "agent, repaired or fallback"),
        Column("reason", STRING, "the evidence that spoke for the item, in a few words"),
        Column("model_version", STRING, "registered model and version"),
        Column("run_id", STRING, "run that wrote the row"),
    ),
)
RUN_MANIFEST = Table(
    "run_manifest",
    "One row a published night: what was read, by what, and how it went.",
    ("ds", "run_id"),
    ("ds",),
    (
        DS,
        Column("run_id", STRING, "run"),
        Column("model_version", STRING, "registered model and version"),
        Column("prompt_version", STRING, "hash of prompt, tools and format"),
        Column("users", LONG, "users asked for"),
        Column("outcomes", COUNTS, "users by outcome; they sum to `users`"),
        Column("row_counts", COUNTS, "rows by table written"),
        Column("table_versions", COUNTS, "Delta version by table read"),
        Column("seconds", SECONDS, "wall seconds by stage"),
        Column("published_at", TIME, "when the commit was made"),
    ),
)

HELD_OUT = Table(
    "held_out",
    "Events that a training cut takes away; lives in the warehouse of the cut, never in the serving one.",
    ("ds", "user_id", "position"),
    ("ds",),
    (
        DS,
        USER,
        Column("position", INT, "1 = the user's newest event; ties in time in seeded hash order"),
        ITEM,
        Column("event_time", TIME, "when it happened"),
        Column("event_type", STRING, "from `interactions`"),
        Column("rating", DOUBLE, "from `interactions`", nullable=True),
    ),
)

LANDING = (INTERACTIONS, ITEMS, USERS, ITEM_RELATIONS, QUARANTINE)
FEATURES = (USER_PROFILE, USER_HISTORY, ITEM_METADATA, ITEM_RELATION, CO_INTERACTION, SIMILAR_USERS)
OUTPUTS = (TRAJECTORIES, RECOMMENDATIONS, RUN_MANIFEST)
TABLES = {table.name: table for table in (*LANDING, *FEATURES, CANDIDATES, *OUTPUTS, HELD_OUT)}
