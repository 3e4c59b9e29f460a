"""What Python workers of Spark do once."""

import gc
import sys
import time
import types

from pyspark.sql import SparkSession

from recthinker.tables.workers import skip_imports_in_collections


def test_what_a_worker_has_imported_is_not_looked_through_after_every_task(spark: SparkSession) -> None:
    def task(_: int) -> int:
        skip_imports_in_collections()
        return gc.get_freeze_count()

    assert min(spark.sparkContext.parallelize(range(2), 2).map(task).collect()) > 10_000


def test_it_is_done_again_only_where_more_was_imported(spark: SparkSession) -> None:
    def task(_: int) -> tuple[int, int, int]:
        skip_imports_in_collections()
        before, module = gc.get_freeze_count(), f"imported_later_{time.monotonic_ns()}"
        made: list[list[int]] = [[] for _ in range(10_000)]
        skip_imports_in_collections()
        same = gc.get_freeze_count() - before
        sys.modules[module] = types.ModuleType(module)
        skip_imports_in_collections()
        return len(made), same, gc.get_freeze_count() - before

    for made, same, more in spark.sparkContext.parallelize(range(2), 2).map(task).collect():
        assert same <= 0
        assert more >= made
