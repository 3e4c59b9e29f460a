"""Outside data into the landing tables: read, judge each row, write; the same data a second time is skipped.

`interactions` is committed last and its commit carries the data's fingerprint: where it is found, the whole
ingest is there. A run that died before that is simply repeated, since every write replaces by key.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from recthinker.errors import SourceError
from recthinker.settings import IngestSettings
from recthinker.sources.events import EventCount, write_events
from recthinker.sources.inputs import Input, fingerprint
from recthinker.sources.raw import RawTable, Source
from recthinker.sources.records import Recipe, TableCount, finished_version, ingested_before, record
from recthinker.sources.validation import Judged, judge
from recthinker.tables.arrow import Root
from recthinker.tables.schemas import INGESTS, INTERACTIONS, ITEM_RELATIONS, ITEMS, QUARANTINE, USERS
from recthinker.tables.spark import spark_schema
from recthinker.tables.store import TableStore

RULES_VERSION = 1
"""Raised when validation or a reader changes what is kept: data ingested by older rules are then read again.
"""
ORDER = (ITEMS.name, USERS.name, ITEM_RELATIONS.name, INTERACTIONS.name)


@dataclass(frozen=True, slots=True)
class IngestSummary:
    """What an ingest did."""

    counts: Mapping[str, TableCount]
    """By landing table; empty where the data were skipped."""
    events: EventCount | None = None
    """Of the interactions kept, those that were written; None where the data were skipped."""
    skipped_at: int | None = None
    """Version of `interactions` that holds the same data already; None: they were ingested now."""

    def __str__(self) -> str:
        """One line for people."""
        if self.skipped_at is not None:
            return f"skipped, the same data are in interactions since version {self.skipped_at}"
        tables = [
            f"{table}: {count.read} read, {count.kept} kept, {count.quarantined} quarantined"
            for table, count in self.counts.items()
        ]
        return "; ".join([*tables, str(self.events)])


def ingest(
    source: Source,
    warehouse: Root,
    rules: IngestSettings,
    *,
    open_spark: Callable[[], SparkSession],
    run_id: str,
    now: datetime,
) -> IngestSummary:
    """Bring `source` into the landing tables under `warehouse`.

    Args:
        source: data that were found to be readable.
        warehouse: folder of the Delta tables.
        rules: years and ratings that are allowed.
        open_spark: makes the session; called only when there is something to do.
        run_id: goes into each commit's `userMetadata`.
        now: written on quarantined rows, on those of `ingests`, and on events that arrived late.

    Raises:
        SourceError: a file cannot be read, or not one interaction is left after validation.
    """
    inputs = source.inputs()
    options = {**source.options, "reader": source.name, "rules": f"{RULES_VERSION} {rules.model_dump_json()}"}
    recipe = Recipe(run_id, source.name, fingerprint((), options), fingerprint(inputs, options))
    version = finished_version(warehouse, recipe.mark)
    if version is not None:
        return IngestSummary({}, skipped_at=version)
    store = TableStore(warehouse, open_spark())
    raw = {table.table: table for table in source.read(store.spark, ingested_before(warehouse, recipe.options))}
    return _Landing(store, recipe, inputs, raw, now).land(rules)


@dataclass(frozen=True, slots=True)
class _Landing:
    """An ingest under way."""

    store: TableStore
    recipe: Recipe
    inputs: Sequence[Input]
    raw: Mapping[str, RawTable]
    now: datetime

    def land(self, rules: IngestSettings) -> IngestSummary:
        """Judge all tables, then write them."""
        judged: dict[str, Judged] = {}
        known_items: DataFrame | None = None
        try:
            for name in (name for name in ORDER if name in self.raw):
                judged[name] = judge(self.raw[name], rules, known_items).persist()
                if name == ITEMS.name:
                    known_items = _item_ids(self.store, judged[name].kept())
            counts = _count(self.raw, judged)
            if not counts[INTERACTIONS.name].kept and not self.raw[INTERACTIONS.name].is_part:
                raise SourceError(f"not one interaction was kept, and nothing was written: {_reasons(judged)}")
            return IngestSummary(counts, self._write(judged, counts))
        finally:
            for table in judged.values():
                table.df.unpersist()

    def _write(self, judged: Mapping[str, Judged], counts: Mapping[str, TableCount]) -> EventCount:
        """All landing tables, those that the source lacks as empty ones; `interactions` last."""
        store, run_id = self.store, f"{self.recipe.run_id} {self.recipe.mark}"
        for table in (ITEMS, USERS, ITEM_RELATIONS):
            store.create(table)
            if table.name in judged:
                store.upsert(table, judged[table.name].kept(), run_id=run_id)
        events = judged[INTERACTIONS.name]
        if ITEMS.name not in judged:
            store.upsert(ITEMS, _bare_items(store, events.kept()), run_id=run_id)
        refused = [table.quarantined(self.now) for name, table in judged.items() if counts[name].quarantined]
        nothing = store.spark.createDataFrame([], spark_schema(QUARANTINE))
        rows = reduce(DataFrame.unionByName, refused, nothing)
        replaced = " or ".join(_refused_before(self.raw[name]) for name in judged)
        store.replace(QUARANTINE, rows, where=replaced, run_id=run_id)
        self._record(counts, run_id)
        return write_events(store, events.kept(), now=self.now, run_id=run_id)

    def _record(self, counts: Mapping[str, TableCount], run_id: str) -> None:
        """The rows of `ingests`: few, and made without Spark."""
        sources = {name: table.source for name, table in self.raw.items()}
        rows = record(self.recipe, self.inputs, sources, counts, self.now)
        self.store.upsert(
            INGESTS, self.store.spark.createDataFrame(rows.to_pylist(), spark_schema(INGESTS)), run_id=run_id
        )


def _refused_before(raw: RawTable) -> str:
    """SQL condition: the quarantined rows that those of `raw` take the place of."""
    own = f"source = {_text(raw.source)}"
    return own if raw.supersedes is None else f"({own} or startswith(source, {_text(raw.supersedes)}))"


def _text(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _item_ids(store: TableStore, items: DataFrame) -> DataFrame:
    """Ids of `items` and of those that are in the table already, distinct."""
    store.create(ITEMS)
    return items.select("item_id").union(store.read(ITEMS).select("item_id")).distinct()


def _bare_items(store: TableStore, events: DataFrame) -> DataFrame:
    """A row for each item of the events that `items` lacks: nothing is known of it but its id."""
    new = events.select("item_id").distinct().join(store.read(ITEMS), "item_id", how="left_anti")
    empty = {field.name: F.lit(None).cast(field.dataType) for field in spark_schema(ITEMS) if field.nullable}
    none = {
        "categories": F.array().cast("array<string>"),
        "attributes": F.create_map().cast("map<string,string>"),
    }
    return new.withColumns({**empty, **none})


def _count(raw: Mapping[str, RawTable], judged: Mapping[str, Judged]) -> dict[str, TableCount]:
    """Rows as read and as judged, counted apart, in one Spark query: that they agree shows that judging
    neither lost nor doubled a row.
    """
    read = [_tally(name, raw[name].df, F.lit("read")) for name in judged]
    verdict = F.when(F.col("reason").isNull(), F.lit("kept")).otherwise(F.lit("quarantined"))
    verdicts = [_tally(name, table.df, verdict) for name, table in judged.items()]
    rows = reduce(DataFrame.union, read + verdicts).collect()
    tallies = {(row.table, row.kind): row.rows for row in rows}
    kinds = ("read", "kept", "quarantined")
    counts = {name: TableCount(*(tallies.get((name, kind), 0) for kind in kinds)) for name in judged}
    for name, count in counts.items():
        assert count.read == count.kept + count.quarantined, (name, count)
    return counts


def _tally(name: str, df: DataFrame, kind: Column) -> DataFrame:
    """Number of rows by kind."""
    return df.groupBy(F.lit(name).alias("table"), kind.alias("kind")).agg(F.count(F.lit(1)).alias("rows"))


def _reasons(judged: Mapping[str, Judged]) -> str:
    """Refused interactions by reason, most frequent first."""
    by_reason = judged[INTERACTIONS.name].df.groupBy("reason").count().orderBy(F.desc("count")).collect()
    return ", ".join(f"{row.reason} ({row['count']} rows)" for row in by_reason) or "the file has no rows"
