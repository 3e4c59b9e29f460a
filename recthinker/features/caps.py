"""What the limits of the settings left out of a date's tables: nothing is dropped without being told.

The limits keep one popular item or one user with very many events from filling a machine. Their effect is counted on
the finished rows, so it costs one pass over a few columns.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from recthinker.settings import FeatureSettings
from recthinker.tables import schemas
from recthinker.tables.schemas import Table


class Capped(NamedTuple):
    """The effect of one limit."""

    table: str
    setting: str
    limit: int
    full: int
    """Users or items whose list has reached the limit."""
    left_out: int | None
    """Entries that are not listed for it; None: not known, the list was never longer."""

    def __str__(self) -> str:
        """One line for people."""
        left_out = "" if self.left_out is None else f", {self.left_out} left out"
        return f"{self.table} {self.full} lists at {self.setting} {self.limit}{left_out}"


LISTS: Mapping[Table, tuple[str, str]] = {
    schemas.CO_INTERACTION: ("neighbours.item_id", "co_top_k"),
    schemas.SIMILAR_USERS: ("neighbours.user_id", "similar_top_k"),
    schemas.ITEM_RELATION: ("neighbours.relation", "relation_max_neighbours"),
}
"""Tables of lists, with the column to count and the setting that limits it."""


def capped(rows: Callable[[Table], DataFrame], item_relations: DataFrame, settings: FeatureSettings) -> list[Capped]:
    """The effect of each limit on one date's tables.

    Args:
        rows: gives the rows of a feature table of the date.
        item_relations: the edges that `item_relation` was made from.
        settings: the limits.
    """
    found = []
    for table, (column, setting) in LISTS.items():
        limit = getattr(settings, setting)
        full, kept = _lists(rows(table), column, limit)
        left_out = item_relations.count() - kept if table is schemas.ITEM_RELATION else None
        found.append(Capped(table.name, setting, limit, full, left_out))
    limit = settings.history_max_events
    full, kept = _lists(rows(schemas.USER_HISTORY), "events.event_time", limit)
    events = rows(schemas.USER_PROFILE).agg(F.sum("interaction_count")).collect()[0][0] or 0
    found.append(Capped(schemas.USER_HISTORY.name, "history_max_events", limit, full, events - kept))
    return found


def _lists(rows: DataFrame, column: str, limit: int) -> tuple[int, int]:
    """Lists that are as long as the limit, and entries of all lists."""
    length = F.size(F.col(column))
    row = rows.agg(F.count_if(length >= limit).alias("full"), F.sum(length).alias("kept")).collect()[0]
    return row["full"], row["kept"] or 0
