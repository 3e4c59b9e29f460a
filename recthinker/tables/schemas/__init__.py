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
from recthinker.tables.schemas.landing import INGESTS, INTERACTIONS, ITEM_RELATIONS, ITEMS, LANDING, QUARANTINE, USERS
from recthinker.tables.schemas.learning import ROLLOUTS
from recthinker.tables.schemas.outputs import OUTPUTS, RECOMMENDATIONS, RUN_MANIFEST, TRAJECTORIES
from recthinker.tables.schemas.state import CO_INTERACTION_PAIRS, ITEM_STATE, STATE, USER_STATE
from recthinker.tables.schemas.status import TABLE_STATUS

__all__ = [
    "ATTRIBUTES",
    "CANDIDATES",
    "COUNTS",
    "CO_INTERACTION",
    "CO_INTERACTION_PAIRS",
    "DATE",
    "DOUBLE",
    "DS",
    "FEATURES",
    "HELD_OUT",
    "INGESTS",
    "INT",
    "INTERACTIONS",
    "ITEM",
    "ITEMS",
    "ITEM_METADATA",
    "ITEM_RELATION",
    "ITEM_RELATIONS",
    "ITEM_STATE",
    "LANDING",
    "LONG",
    "OUTPUTS",
    "QUARANTINE",
    "RECOMMENDATIONS",
    "ROLLOUTS",
    "RUN_MANIFEST",
    "SIMILAR_USERS",
    "STATE",
    "STRING",
    "STRINGS",
    "TABLES",
    "TABLE_STATUS",
    "TIME",
    "TRAJECTORIES",
    "USER",
    "USERS",
    "USER_HISTORY",
    "USER_PROFILE",
    "USER_STATE",
    "Column",
    "Table",
]

TABLES = {table.name: table for table in (*LANDING, *FEATURES, *STATE, CANDIDATES, *OUTPUTS, HELD_OUT, TABLE_STATUS)}
"""All tables by name."""
