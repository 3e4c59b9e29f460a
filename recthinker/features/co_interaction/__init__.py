"""Table `co_interaction`: items that the same users interact with, close to each other in their order of events.

Of one user's events in known order (`features.order`), an event of item b that comes d events after one of item a,
1 <= d <= `co_window` and a != b, adds 1 to the support of {a, b} and the weight of b's event times
2^-((d-1) / `co_half_life`), rounded to whole `WEIGHT_UNIT`s, to the weight of a -> b. So an event adds its pairs with
the `co_window` events before it and nothing else: the pairs of a date are the sum of those of its nights.

    events -> windows.py -> blocks.py -> pairs.py -> rank.py
    in order  events around  one block    sorted      the neighbours
              each event     of items     files       of each item

Spark schedules, sorts and shuffles; numpy and scipy count, inside its tasks.
"""

from recthinker.features.co_interaction.count import block_count, count_pairs
from recthinker.features.co_interaction.pairs import WEIGHT_UNIT
from recthinker.features.co_interaction.rank import rank_items
from recthinker.features.co_interaction.summed import compact_pairs

__all__ = ["WEIGHT_UNIT", "block_count", "compact_pairs", "count_pairs", "rank_items"]
