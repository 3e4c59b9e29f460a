"""Columns that several feature tables share."""

from pyspark.sql import Column
from pyspark.sql import functions as F


def strings_or_empty(column: str) -> Column:
    """A list of strings, empty where `column` is null."""
    return F.coalesce(column, F.array().cast("array<string>")).alias(column)


def attributes_or_empty(column: str) -> Column:
    """A map from string to string, empty where `column` is null."""
    return F.coalesce(column, F.create_map().cast("map<string,string>")).alias(column)


def mean_rating() -> Column:
    """`mean_rating` from a state's sums; null where nothing was rated."""
    mean = F.col("rating_total").cast("double") / F.nullif(F.col("rating_count"), F.lit(0))
    return mean.alias("mean_rating")
