"""What an event counts for, by its type."""

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F


def event_weight(weights: Mapping[str, float]) -> Column:
    """The weight of an event by its `event_type`; types that `weights` does not name weigh 1."""
    if not weights:
        return F.lit(1.0)
    by_type = F.create_map(*(F.lit(part) for pair in sorted(weights.items()) for part in (pair[0], float(pair[1]))))
    return F.coalesce(F.element_at(by_type, F.col("event_type")), F.lit(1.0))
