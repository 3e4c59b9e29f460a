"""State tables: what a build needs of an earlier one so that it reads new events only. Not for readers outside.

Order of a user's, or an item's, events here is the order in which they became known: by day known
(`features.known`), then time, then seeded hash. So an event that arrives late comes last, and what was counted before
stays as it is.
"""

import pyarrow as pa

from recthinker.tables.schemas.base import COUNTS, DATE, DS, INT, ITEM, LONG, STRINGS, USER, Column, Table

RATING_TOTAL = pa.decimal128(28, 6)
"""Sums of ratings: exact, whatever the order of terms."""

USER_STATE = Table(
    "user_state",
    "A user's sums and newest items. State of a build.",
    ("ds", "user_id"),
    ("ds",),
    (
        DS,
        USER,
        Column("rating_count", LONG, "events with a rating"),
        Column("rating_total", RATING_TOTAL, "sum of their ratings"),
        Column("category_counts", COUNTS, "events by category of their item"),
        Column("last_day", DATE, "day on which the newest of the events below became known; null: none", nullable=True),
        Column(
            "recent",
            STRINGS,
            "items of the newest events of a weight above 0, oldest first; at most the larger of `features.co_window` "
            "and `features.similar_items`",
        ),
    ),
)
ITEM_STATE = Table(
    "item_state",
    "An item's sums and newest users. State of a build.",
    ("ds", "item_id"),
    ("ds",),
    (
        DS,
        ITEM,
        Column("number", INT, "what the item is called in `co_interaction_pairs`; fixed from its first event on"),
        Column("events", LONG, "events"),
        Column("paired", LONG, "events of a weight above 0"),
        Column("rating_count", LONG, "events with a rating"),
        Column("rating_total", RATING_TOTAL, "sum of their ratings"),
        Column(
            "recent_users",
            pa.list_(LONG),
            "hashes (xxHash64) of the users of the newest events of a weight above 0, oldest first; at most "
            "`features.similar_users_per_item`",
        ),
    ),
)
CO_INTERACTION_PAIRS = Table(
    "co_interaction_pairs",
    "Pairs of items that events of D added; of a date built from scratch: all of them. The pairs of D are the sum "
    "over the dates from the last one built from scratch to D. State of a build.",
    ("ds", "item", "neighbour"),
    ("ds", "block"),
    (
        DS,
        Column(
            "block", INT, "remainder of `item` by the number of blocks; a block's files are sorted by item, neighbour"
        ),
        Column("item", INT, "number of the item"),
        Column("neighbour", INT, "number of the other item; each pair stands here both ways"),
        Column("support", LONG, "events of the one within `features.co_window` events after the other, either way"),
        Column("next_weight", LONG, "of the neighbour after the item, in units of 2^-20"),
    ),
)

STATE = (USER_STATE, ITEM_STATE, CO_INTERACTION_PAIRS)
