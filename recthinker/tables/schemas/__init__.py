"""Every table, once: its key, partitions and columns (contract). docs/tables.md is generated from here.

All ids are strings, all times are UTC microseconds.
"""

from recthinker.tables.schemas.base import (
    ATTRIBUTES,
    COUNTS,
    DATE,
    DOUBLE,
    DS,
    INT,
    ITEM,
    LONG,
    SECONDS,
    STRING,
    STRINGS,
    TIME,
    USER,
    Column,
    Table,
)
from recthinker.tables.schemas.features import (
    CANDIDATES,
    CO_INTERACTION,
    FEATURES,
    HELD_OUT,
    ITEM_METADATA,
    ITEM_RELATION,
    SIMILAR_USERS,
    USER_HISTORY,
    USER_PROFILE,
)
from recthinker.tables.schemas.landing import INTERACTIONS, ITEM_RELATIONS, ITEMS, LANDING, QUARANTINE, USERS
from recthinker.tables.schemas.outputs import OUTPUTS, RECOMMENDATIONS, RUN_MANIFEST, TRAJECTORIES

__all__ = [
    "ATTRIBUTES",
    "CANDIDATES",
    "COUNTS",
    "CO_INTERACTION",
    "DATE",
    "DOUBLE",
    "DS",
    "FEATURES",
    "HELD_OUT",
    "INT",
    "INTERACTIONS",
    "ITEM",
    "ITEMS",
    "ITEM_METADATA",
    "ITEM_RELATION",
    "ITEM_RELATIONS",
    "LANDING",
    "LONG",
    "OUTPUTS",
    "QUARANTINE",
    "RECOMMENDATIONS",
    "RUN_MANIFEST",
    "SECONDS",
    "SIMILAR_USERS",
    "STRING",
    "STRINGS",
    "TABLES",
    "TIME",
    "TRAJECTORIES",
    "USER",
    "USERS",
    "USER_HISTORY",
    "USER_PROFILE",
    "Column",
    "Table",
]

TABLES = {table.name: table for table in (*LANDING, *FEATURES, CANDIDATES, *OUTPUTS, HELD_OUT)}
"""All tables by name."""
