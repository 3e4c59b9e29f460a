"""Constraints are Delta's own: a row that breaks one is refused, whichever engine writes it."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from recthinker.errors import TableContractError
from recthinker.settings import Settings
from recthinker.tables.arrow import read_arrow
from recthinker.tables.create import create_table
from recthinker.tables.schemas import INTERACTIONS, RECOMMENDATIONS
from recthinker.tables.spark import spark_schema
from recthinker.tables.store import TableStore
from tests.features.built_world import event

NAN = float("nan")
BAD = [{"rank": 0}, {"score": NAN}, {"ds": "today"}, {"item_id": None}]


def recommendation(**values: Any) -> dict[str, Any]:
    texts = dict.fromkeys(("user_id", "item_id", "source", "reason", "model_version", "run_id"), "x")
    return {**texts, "ds": "2024-03-02", "rank": 1, "score": 0.5, **values}


def append(settings: Settings, row: dict[str, Any]) -> None:
    schema = pa.schema([field.with_nullable(True) for field in RECOMMENDATIONS.arrow_schema()])
    write_deltalake(
        settings.paths.warehouse / "recommendations", pa.Table.from_pylist([row], schema=schema), mode="append"
    )


@pytest.mark.parametrize("values", BAD, ids=str)
def test_delta_rs_refuses_a_bad_row(settings: Settings, values: dict[str, Any]) -> None:
    create_table(settings.paths.warehouse, RECOMMENDATIONS)
    append(settings, recommendation())
    with pytest.raises(DeltaError, match=r"Invalid data found|non-nullable"):
        append(settings, recommendation(**values))
    assert read_arrow(settings.paths.warehouse, RECOMMENDATIONS).num_rows == 1


def test_a_table_that_has_rows_is_given_no_constraint_on_the_way(settings: Settings) -> None:
    append(settings, recommendation(rank=0))
    create_table(settings.paths.warehouse, RECOMMENDATIONS)
    found = DeltaTable(settings.paths.warehouse / "recommendations")
    assert not any("constraints" in name for name in found.metadata().configuration)


@pytest.mark.spark
def test_spark_refuses_bad_rows_and_writes_good_ones(store: TableStore, spark: SparkSession) -> None:
    store.create(RECOMMENDATIONS)
    for values in BAD[:3]:
        bad = spark.createDataFrame([recommendation(**values)], spark_schema(RECOMMENDATIONS))
        with pytest.raises(Py4JJavaError, match="DELTA_VIOLATE_CONSTRAINT"):
            bad.write.format("delta").mode("append").save(store.path(RECOMMENDATIONS))
    zero = spark.createDataFrame([recommendation(rank=0)], spark_schema(RECOMMENDATIONS))
    with pytest.raises(TableContractError, match=r"table recommendations: Delta refused a row.*rank_from_1"):
        store.write_ds(RECOMMENDATIONS, zero, ds="2024-03-02", run_id="r")
    good = spark.createDataFrame([recommendation(), recommendation(rank=2)], spark_schema(RECOMMENDATIONS))
    for _ in range(2):
        store.write_ds(RECOMMENDATIONS, good, ds="2024-03-02", run_id="r")
    assert store.read(RECOMMENDATIONS, ds="2024-03-02").count() == 2


@pytest.mark.spark
def test_events_may_have_no_rating_but_not_one_that_is_no_number(store: TableStore, spark: SparkSession) -> None:
    def frame(rating: float | None) -> Any:
        row = event("u1", "i1", "2024-03-01T09:00", rating=rating)
        return spark.createDataFrame([row], spark_schema(INTERACTIONS))

    store.upsert(INTERACTIONS, frame(None), run_id="r")
    store.upsert(INTERACTIONS, frame(3.0), run_id="r")
    with pytest.raises(TableContractError, match="rating_is_a_number"):
        store.upsert(INTERACTIONS, frame(NAN), run_id="r")
    empty = spark.createDataFrame([], spark_schema(INTERACTIONS))
    store.append(INTERACTIONS, empty, run_id="mark")
    row = read_arrow(store.root, INTERACTIONS).to_pylist()[0]
    assert (row["rating"], row["event_time"]) == (3.0, datetime(2024, 3, 1, 9, tzinfo=UTC))
