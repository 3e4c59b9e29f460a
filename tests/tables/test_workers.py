"""What Python workers of Spark do once."""

import gc

from pyspark.sql import SparkSession

from recthinker.tables.workers import skip_imports_in_collections


def test_what_a_worker_has_imported_is_not_looked_through_after_every_task(spark: SparkSession) -> None:
    def task(_: int) -> int:
        skip_imports_in_collections()
        return gc.get_freeze_count()

    assert min(spark.sparkContext.parallelize(range(2), 2).map(task).collect()) > 10_000


def test_only_the_first_task_of_a_worker_does_it(spark: SparkSession) -> None:
    def task(_: int) -> bool:
        skip_imports_in_collections()
        before = gc.get_freeze_count()
        made: list[list[int]] = [[] for _ in range(10_000)]
        skip_imports_in_collections()
        return len(made) == 10_000 and gc.get_freeze_count() <= before

    assert all(spark.sparkContext.parallelize(range(2), 2).map(task).collect())
