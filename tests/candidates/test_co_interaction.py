from datetime import UTC, datetime

import pytest
from pyspark.sql import SparkSession

from recthinker.candidates.co_interaction import COSINE_UNIT, co_interaction_scores
from recthinker.tables.schemas import CO_INTERACTION, USER_HISTORY
from recthinker.tables.spark import spark_schema

pytestmark = pytest.mark.spark

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


def test_co_interaction_sums_cosines_over_the_history(spark: SparkSession) -> None:
    history = spark.createDataFrame(
        [("2024-03-01", "u", [(item, NOON, "view", None) for item in ("a", "b", "x")])],
        spark_schema(USER_HISTORY),
    )
    neighbours = spark.createDataFrame(
        [
            ("2024-03-01", "a", [("c", 1, 0.5, 1.0, 0.0), ("d", 1, 0.2, 1.0, 0.0), ("f", 1, 0.1, 1.0, 0.0)]),
            ("2024-03-01", "b", [("c", 1, 0.3, 1.0, 0.0)]),
            ("2024-03-01", "z", [("e", 1, 0.9, 1.0, 0.0)]),
        ],
        spark_schema(CO_INTERACTION),
    )

    scores = {row.item_id: row.score for row in co_interaction_scores(history, neighbours, neighbours=2).collect()}

    assert scores == {
        "c": pytest.approx(0.5 + 0.3, abs=2 * COSINE_UNIT),
        "d": pytest.approx(0.2, abs=COSINE_UNIT),
    }
