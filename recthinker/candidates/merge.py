"""The merge of the sources' offers by reciprocal rank fusion.

Source: Cormack, Clarke, Buettcher, Reciprocal Rank Fusion Outperforms Condorcet and Individual Rank Learning
Methods, SIGIR 2009.
"""

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from recthinker.candidates.ranking import tie_break


def fuse(offers: list[DataFrame], *, rrf_k: int, max_items: int, seed: int) -> DataFrame:
    """The merged candidates of each user: score = sum over the sources that offer the item of 1 / (rrf_k +
    rank).

    Args:
        offers: user_id, item_id, source, rank; one frame a source.
        rrf_k: constant of the fusion; the larger, the less the first ranks stand out.
        max_items: candidates per user, at most.
        seed: seed of the hash that breaks ties.

    Returns:
        user_id, items: structs of item_id, sources (sorted), score; best first, ties by seeded hash.
    """
    # Decimals: a sum of doubles depends on the order of its terms, and could turn a tie.
    share = F.round(1.0 / (F.col("rank") + rrf_k), 15).cast("decimal(18,15)")
    merged = (
        reduce(DataFrame.unionByName, offers)
        .groupBy("user_id", "item_id")
        .agg(
            F.array_sort(F.collect_list("source")).alias("sources"),
            F.sum(share).cast("double").alias("score"),
        )
    )
    item = F.struct("item_id", "sources", "score")
    best = F.max_by(item, F.struct("score", tie_break(seed)), max_items)
    return merged.groupBy("user_id").agg(best.alias("items"))
