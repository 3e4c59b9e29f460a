"""The candidates of a logical date: the sources' offers, merged."""

import time

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from recthinker.candidates.co_interaction import co_interaction_scores
from recthinker.candidates.merge import fuse
from recthinker.candidates.popularity import popularity_scores
from recthinker.candidates.ranking import offer
from recthinker.features.definitions import CANDIDATES_READ, candidates_definition
from recthinker.features.record import made_status, recorded_before
from recthinker.features.weights import event_weight
from recthinker.settings import CandidateSettings, FeatureSettings
from recthinker.tables import schemas
from recthinker.tables.arrow import table_version
from recthinker.tables.check_files import ROW_COUNTS
from recthinker.tables.checks import audit, check_names
from recthinker.tables.publishing import discard, publish, published_version, stage, staged_frame
from recthinker.tables.staging import Staged
from recthinker.tables.status import write_status
from recthinker.tables.store import TableStore

CHECKED = (schemas.CANDIDATES.name, ROW_COUNTS)
"""What the checks of candidates name: the table, or how many rows of it there are."""
ALS_DEPTH = 200
"""A user's own items that ALS may rank before those it offers; users with more may get a shorter offer."""


def candidates(
    interactions: DataFrame,
    user_history: DataFrame,
    co_interaction: DataFrame,
    item_metadata: DataFrame,
    *,
    ds: str,
    settings: CandidateSettings,
    features: FeatureSettings,
) -> DataFrame:
    """Rows of `candidates`: `max_items` for each user with an event, fewer only where the catalogue ends.

    No item that the user has is among them: an event of a weight above 0 makes an item the user's, so one that was
    only shown is not. The popularity source offers `max_items` at least, so that a user whom the others do not cover
    gets a whole list.

    Args:
        interactions: the interactions known before the end of `ds`.
        user_history: rows of the table, of `ds`.
        co_interaction: rows of the table, of `ds`.
        item_metadata: rows of the table, of `ds`.
        ds: logical date, stamped on each row.
        settings: the sources and their merge.
        features: uses `event_weights`.
    """
    # Spark ML takes a second and a half to import: only where candidates are made.
    from recthinker.candidates.als import als_scores

    pairs = weighed_pairs(interactions, features)
    owned = pairs.where(F.col("weight") > 0)
    n, n_popular = settings.per_source, max(settings.per_source, settings.max_items)
    sources = {
        "co_interaction": (
            co_interaction_scores(user_history, co_interaction, neighbours=settings.co_neighbours),
            n,
        ),
        "popularity": (popularity_scores(pairs, item_metadata, n=n_popular), n_popular),
        "als": (als_scores(owned, settings.als, n=n + ALS_DEPTH, seed=settings.seed), n),
    }
    offers = [offer(name, scored, owned, n=size, seed=settings.seed) for name, (scored, size) in sources.items()]
    merged = fuse(offers, rrf_k=settings.rrf_k, max_items=settings.max_items, seed=settings.seed)
    return merged.select(F.lit(ds).alias("ds"), "user_id", "items")


def weighed_pairs(interactions: DataFrame, settings: FeatureSettings) -> DataFrame:
    """user_id, item_id, weight: sum of the weights of the user's events with the item; 0 where it was only shown."""
    # Decimals: a sum of doubles depends on the order of its terms.
    weight = F.sum(event_weight(settings).cast("decimal(18,6)")).cast("double")
    return interactions.groupBy("user_id", "item_id").agg(weight.alias("weight"))


def write_candidates(
    interactions: DataFrame,
    store: TableStore,
    *,
    interactions_version: int,
    ds: str,
    settings: CandidateSettings,
    features: FeatureSettings,
    run_id: str,
) -> int:
    """Build, check and publish the candidates of `ds` from the feature tables of the same date in `store`; the rows
    written. They are recorded in `table_status`.

    Args:
        interactions: the interactions that those features were built from.
        store: where the feature tables lie and the candidates go.
        interactions_version: version of the table that `interactions` were read from; recorded.
        ds: logical date.
        settings: the sources and their merge.
        features: uses `event_weights`.
        run_id: recorded in the commit.

    Raises:
        TableContractError: the feature tables have no rows for `ds`; they are built first. Or a check failed; the
            published candidates stay as they were.
    """
    started = time.monotonic()
    after = published_version(store.root, schemas.CANDIDATES, ds)
    versions = {table.name: table_version(store.root, table) for table in CANDIDATES_READ}
    versions[schemas.INTERACTIONS.name] = interactions_version
    rows = candidates(interactions, *_features(store, ds), ds=ds, settings=settings, features=features)
    staged = stage(store, schemas.CANDIDATES, rows, ds=ds, run=f"{run_id}-{time.time_ns():x}")
    try:
        results = audit(store.spark, _frames(store, staged, ds), names=check_names(reading=CHECKED))
    except BaseException:
        discard(store, [staged])
        raise
    version = publish(store, staged, run_id=run_id, after=after)
    status = made_status(
        staged,
        run_id=run_id,
        definition=candidates_definition(features, settings),
        inputs=versions,
        version=version,
        seconds=time.monotonic() - started,
        results=results,
    )
    write_status(store.root, status)
    return staged.rows


def _features(store: TableStore, ds: str) -> tuple[DataFrame, DataFrame, DataFrame]:
    """`user_history`, `co_interaction` and `item_metadata` of `ds`."""
    history, metadata = (store.read(table, ds=ds) for table in (schemas.USER_HISTORY, schemas.ITEM_METADATA))
    # Read without `ds`, which would fail on a date on which no item has a neighbour.
    return history, store.read(schemas.CO_INTERACTION).where(F.col("ds") == ds), metadata


def _frames(store: TableStore, staged: Staged, ds: str) -> dict[str, DataFrame]:
    """What the checks of candidates read."""
    names = (schemas.ITEM_METADATA, schemas.USER_PROFILE)
    return {
        schemas.CANDIDATES.name: staged_frame(store, staged),
        **{table.name: store.read(table, ds=ds) for table in names},
        schemas.TABLE_STATUS.name: recorded_before(store, ds),
        ROW_COUNTS: store.spark.createDataFrame([(staged.table, staged.rows)], "table string, rows bigint"),
    }
