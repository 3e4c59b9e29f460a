"""All feature tables of a logical date: reading what was known, building the six tables, writing them.

A table is independent of the others, so they are written side by side: while one commits, another computes.
"""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from recthinker.errors import TableContractError
from recthinker.features.co_interaction import co_interaction
from recthinker.features.cuts import Cut
from recthinker.features.item_metadata import item_metadata
from recthinker.features.item_relation import item_relation
from recthinker.features.known import known_before
from recthinker.features.similar_users import similar_users
from recthinker.features.user_history import user_history
from recthinker.features.user_profile import user_profile
from recthinker.settings import FeatureSettings
from recthinker.tables import schemas
from recthinker.tables.schemas import Table
from recthinker.tables.store import TableStore

logger = logging.getLogger(__name__)

WRITERS = 2
"""Tables written at once."""
MAY_BE_EMPTY = (schemas.ITEM_RELATION, schemas.CO_INTERACTION, schemas.SIMILAR_USERS)
"""Tables that have no rows where no item, or no user, has a neighbour."""


@dataclass(frozen=True, slots=True)
class Landing:
    """What features are made from."""

    interactions: DataFrame
    """The interactions that the features may see."""
    items: DataFrame
    users: DataFrame
    item_relations: DataFrame


@dataclass(frozen=True, slots=True)
class Target:
    """One set of feature tables to build: the serving one or that of a training cut."""

    name: str
    """`serving`, or the cut's name."""
    landing: Landing
    store: TableStore
    """Where its tables go."""
    held_out: DataFrame | None = None
    """Rows of `held_out`: what the cut took away."""


def targets(
    warehouse: TableStore,
    cuts: Sequence[Cut],
    *,
    cuts_root: Path,
    ds: str,
    settings: FeatureSettings,
    cutoff: datetime | None = None,
) -> Iterator[Target]:
    """The serving target or, where cuts are named, each cut in turn; the interactions stay cached until the
    next.

    Args:
        warehouse: the landing tables, and where the serving tables go.
        cuts: training cuts to build instead of the serving tables.
        cuts_root: folder with one warehouse a cut.
        ds: logical date.
        settings: uses `seed`.
        cutoff: as in `known_before`.

    Raises:
        TableContractError: a landing table is missing, nothing happened before the end of `ds`, or a cut
            leaves nothing.
    """
    landed = warehouse.read(schemas.INTERACTIONS)
    known = known_before(landed, ds, cutoff)
    others = {name: warehouse.read(schemas.TABLES[name]) for name in ("items", "users", "item_relations")}
    with _cached(known):
        if known.isEmpty():
            raise TableContractError(_nothing_known(landed, ds))
        if not cuts:
            yield Target("serving", Landing(known, **others), warehouse)
        for cut in cuts:
            split = cut.split(known, ds=ds, seed=settings.seed)
            with _cached(split.view):
                if split.view.isEmpty():
                    raise TableContractError(
                        f"training cut {cut.name} of ds {ds} leaves no interaction; take fewer away"
                    )
                store = TableStore(cuts_root / cut.name, warehouse.spark)
                yield Target(cut.name, Landing(split.view, **others), store, split.held_out)


def feature_tables(source: Landing, *, ds: str, settings: FeatureSettings) -> dict[Table, DataFrame]:
    """The rows of each feature table of `ds`, heaviest first; nothing is computed yet."""
    known = source.interactions
    return {
        schemas.CO_INTERACTION: co_interaction(known, ds=ds, settings=settings),
        schemas.SIMILAR_USERS: similar_users(known, ds=ds, settings=settings),
        schemas.ITEM_RELATION: item_relation(source.item_relations, ds=ds, settings=settings),
        schemas.USER_PROFILE: user_profile(known, source.users, source.items, ds=ds, settings=settings),
        schemas.USER_HISTORY: user_history(known, ds=ds, settings=settings),
        schemas.ITEM_METADATA: item_metadata(known, source.items, ds=ds, settings=settings),
    }


def write_features(target: Target, *, ds: str, settings: FeatureSettings, run_id: str) -> dict[str, int]:
    """Build and write the feature tables of `ds`; rows by table.

    A cut's warehouse also gets the view itself, as `interactions` (of one date at a time), and `held_out`.
    Each table is one commit that replaces its rows of `ds`, so a run that failed is simply run again.

    Raises:
        TableContractError: rows break a table's contract; that table keeps its old rows.
    """
    source, store = target.landing, target.store

    def write(table: Table, rows: DataFrame) -> int:
        if table is schemas.INTERACTIONS:
            return store.overwrite(table, rows, run_id=run_id).rows
        if table in MAY_BE_EMPTY:
            return store.replace(table, rows, where=f"ds = '{ds}'", run_id=run_id).rows
        return store.write_ds(table, rows, ds=ds, run_id=run_id).rows

    tables = feature_tables(source, ds=ds, settings=settings)
    if target.held_out is not None:
        tables |= {schemas.INTERACTIONS: source.interactions, schemas.HELD_OUT: target.held_out}
    with ThreadPoolExecutor(WRITERS) as writers:
        running = {table.name: writers.submit(write, table, rows) for table, rows in tables.items()}
        return {name: writing.result() for name, writing in running.items()}


@contextmanager
def _cached(rows: DataFrame) -> Iterator[None]:
    rows.cache()
    try:
        yield
    finally:
        rows.unpersist()


def _nothing_known(landed: DataFrame, ds: str) -> str:
    first = landed.agg(F.min("event_date").alias("day")).collect()[0]["day"]
    there = f"the first event is of {first}" if first else "the table is empty"
    return (
        f"features of ds {ds}: expected interactions before the end of that day, found none; {there}. "
        "Choose a later date or ingest older events"
    )
