"""Columns and aggregates that several feature tables share, exact whatever the order Spark adds rows in."""

from pyspark.sql import Column
from pyspark.sql import functions as F


def mean_rating() -> Column:
    """Mean of the ratings that are not null, as `mean_rating`; null where there are none.

    Summed as decimals: a sum of doubles depends on the order of its terms, and a re-run must give the same
    row.
    """
    total = F.sum(F.col("rating").cast("decimal(18,6)")).cast("double")
    return (total / F.nullif(F.count("rating"), F.lit(0))).alias("mean_rating")


def strings_or_empty(column: str) -> Column:
    """A list of strings, empty where `column` is null."""
    return F.coalesce(column, F.array().cast("array<string>")).alias(column)


def attributes_or_empty(column: str) -> Column:
    """A map from string to string, empty where `column` is null."""
    return F.coalesce(column, F.create_map().cast("map<string,string>")).alias(column)
