"""What an event says of a user's interest: the weight of its type."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from recthinker.settings import FeatureSettings


def event_weight(settings: FeatureSettings) -> Column:
    """The weight of each event, by its `event_type` (double): types that `event_weights` does not name weigh 1."""
    weight = F.lit(1.0)
    for event_type, value in settings.event_weights.items():
        weight = F.when(F.col("event_type") == event_type, F.lit(float(value))).otherwise(weight)
    return weight
