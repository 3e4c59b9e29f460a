"""Table `item_relation`: an item's knowledge-graph neighbourhood."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from recthinker.features.order import tie_break
from recthinker.settings import FeatureSettings


def item_relation(item_relations: DataFrame, *, ds: str, settings: FeatureSettings) -> DataFrame:
    """Rows of `item_relation`, one for each item with an edge; an item without one has no row.

    Of an item's edges the `relation_max_neighbours` with the rarest tails (fewest edges that lead to the
    tail) are kept, ties by seeded hash; they are listed by relation, then label. The label is the tail's, or
    its id where it has none. Edges carry no time: they are taken as known on every date.

    Args:
        item_relations: rows of `item_relations`.
        ds: logical date, stamped on each row.
        settings: uses `relation_max_neighbours` and `seed`.
    """
    degrees = item_relations.groupBy("tail_id").agg(F.count("*").alias("degree"))
    edges = item_relations.join(degrees, "tail_id").withColumnRenamed("head_item_id", "item_id")
    rarity = F.struct("degree", tie_break(settings.seed, "item_id", "relation", "tail_id"))
    # The fields stand in the order that the edges are listed by; tail_id makes it total.
    edge = F.struct(
        "relation",
        F.coalesce("tail_label", "tail_id").alias("label"),
        "tail_id",
        F.col("tail_item_id").alias("item_id"),
    )
    rarest = F.min_by(edge, rarity, settings.relation_max_neighbours)
    return (
        edges.groupBy("item_id")
        .agg(F.array_sort(rarest).alias("edges"))
        .select(
            F.lit(ds).alias("ds"),
            "item_id",
            F.transform("edges", lambda e: e.dropFields("tail_id")).alias("neighbours"),
        )
    )
