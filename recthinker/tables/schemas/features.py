"""Feature tables and candidates of a logical date, and the events that a training cut takes away."""

from recthinker.tables.schemas.base import (
    ATTRIBUTES,
    DOUBLE,
    DS,
    INT,
    ITEM,
    LONG,
    STRING,
    STRINGS,
    TIME,
    USER,
    Column,
    Table,
    rows,
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
            rows(item_id=STRING, event_time=TIME, event_type=STRING, rating=DOUBLE),
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
            rows(relation=STRING, label=STRING, item_id=STRING),
            "edges by relation, then label (the tail's label, or its id); `item_id` null where the tail is "
            "no item; at most `features.relation_max_neighbours`, rarer tails first",
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
            rows(item_id=STRING, support=LONG, cosine=DOUBLE, lift=DOUBLE, next_weight=DOUBLE),
            "strongest cosine first, at most `features.co_top_k`: support = pairs of events, cosine = "
            "support / sqrt(events of both), lift = support * all events / (product of both), next_weight = "
            "sum over pairs in which the neighbour came later of its event's weight * "
            "2^-((distance-1)/`features.co_half_life`); events of weight 0 are left out",
        ),
    ),
)
SIMILAR_USERS = Table(
    "similar_users",
    "Users who recently took up the items that a user took up last; as of the user's last active day.",
    ("ds", "user_id"),
    ("ds",),
    (
        DS,
        USER,
        Column(
            "neighbours",
            rows(user_id=STRING, similarity=DOUBLE),
            "most similar first, at most `features.similar_top_k`: similarity = share of the user's newest "
            "`features.similar_items` items, each weighing 1 / log2(1 + events), among whose newest "
            "`features.similar_users_per_item` events is one of the other user",
        ),
    ),
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
            rows(item_id=STRING, sources=STRINGS, score=DOUBLE),
            "best first, at most `candidates.max_items`; score = reciprocal rank fusion over the sources",
        ),
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

FEATURES = (USER_PROFILE, USER_HISTORY, ITEM_METADATA, ITEM_RELATION, CO_INTERACTION, SIMILAR_USERS)
