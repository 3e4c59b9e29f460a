"""A job that does nothing: what every Spark job takes before its own work.

`python -m tests.benchmarks.spark_startup`
"""

from recthinker.settings import load_settings
from recthinker.tables.spark import spark_session

if __name__ == "__main__":
    spark = spark_session(load_settings().spark, "recthinker-bench-startup")
    spark.range(1).count()
    spark.stop()
