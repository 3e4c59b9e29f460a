"""What the limits of the settings left out of a date's tables: nothing is dropped without being told.

The limits keep one popular item or one user with very many events from filling a machine. Their effect is counted on
the finished rows, so it costs one pass over a few columns.
"""

from collections.abc import Callable, Sequence
from functools import reduce
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


LISTS: Sequence[tuple[Table, str, str]] = (
    (schemas.CO_INTERACTION, "neighbours.support", "co_top_k"),
    (schemas.SIMILAR_USERS, "neighbours.similarity", "similar_top_k"),
    (schemas.ITEM_RELATION, "neighbours.relation", "relation_max_neighbours"),
    (schemas.USER_HISTORY, "events.event_time", "history_max_events"),
)
"""Tables of lists, with the column to count and the setting that limits it."""


def capped(rows: Callable[[Table], DataFrame], item_relations: DataFrame, settings: FeatureSettings) -> list[Capped]:
    """The effect of each limit on one date's tables.

    Args:
        rows: gives the rows of a feature table of the date.
        item_relations: the edges that `item_relation` was made from.
        settings: the limits.
    """
    queries = [_lists(rows(table), column, getattr(settings, name)) for table, column, name in LISTS]
    queries.append(rows(schemas.USER_PROFILE).select(F.lit(0), F.sum("interaction_count")))
    queries.append(item_relations.select(F.lit(0), F.count(F.lit(1))))
    # One query: each alone would cost more to plan than to run.
    *lists, (_, events), (_, edges) = reduce(DataFrame.unionAll, queries).collect()
    entries = {schemas.USER_HISTORY: events or 0, schemas.ITEM_RELATION: edges}
    return [
        Capped(table.name, name, getattr(settings, name), full, entries[table] - kept if table in entries else None)
        for (table, _, name), (full, kept) in zip(LISTS, lists, strict=True)
    ]


def _lists(rows: DataFrame, column: str, limit: int) -> DataFrame:
    """One row: lists that are as long as the limit, and entries of all lists."""
    length = F.size(F.col(column))
    return rows.agg(F.count_if(length >= limit), F.coalesce(F.sum(length), F.lit(0)))
