"""The strongest pairs of each item."""

import numpy as np
import numpy.typing as npt

from recthinker.features.co_interaction.items import Items
from recthinker.features.co_interaction.pairs import Pairs

Doubles = npt.NDArray[np.float64]


def strongest(pairs: Pairs, items: Items, k: int) -> tuple[Pairs, Doubles]:
    """Each item's `k` pairs of highest cosine, strongest first, ties by seeded hash; and their cosines.

    The keys of the result ascend by item only.
    """
    cosine = _cosines(pairs, items)
    candidates = np.flatnonzero(_may_be_among(cosine, pairs.item, k))
    item, neighbour = pairs.item[candidates], pairs.neighbour[candidates]
    order = _strongest_first(item, cosine[candidates], items.ties(item, neighbour))
    rank = np.arange(len(order)) - np.repeat(*_begins(item))
    chosen = candidates[order[rank < k]]
    return Pairs(pairs.key[chosen], pairs.support[chosen], pairs.next_weight[chosen]), cosine[chosen]


def _strongest_first(
    item: npt.NDArray[np.int32], cosine: Doubles, ties: npt.NDArray[np.uint64]
) -> npt.NDArray[np.int64]:
    """Places by item, then from the highest cosine down, then from the highest of `ties` down."""
    order = np.argsort(-cosine)  # numpy sorts one column by vector instructions, which `lexsort` does not
    order = order[np.argsort(item[order], kind="stable")]
    is_next_equal = (item[order[1:]] == item[order[:-1]]) & (cosine[order[1:]] == cosine[order[:-1]])
    run = np.cumsum(np.append(True, ~is_next_equal))
    tied = np.flatnonzero(np.append(is_next_equal, False) | np.append(False, is_next_equal))
    order[tied] = order[tied][np.lexsort((~ties[order[tied]], run[tied]))]
    return order


def _cosines(pairs: Pairs, items: Items) -> Doubles:
    product = items.paired[pairs.item].astype(np.float64)
    product *= items.paired[pairs.neighbour]
    np.sqrt(product, out=product)
    return np.divide(pairs.support, product, out=product)


def _may_be_among(cosine: Doubles, item: npt.NDArray[np.int32], k: int) -> npt.NDArray[np.bool_]:
    """Whether a pair's cosine is at least the `k`-th of its item: no sort of pairs that stand no chance."""
    kept = np.ones(len(cosine), bool)
    begins, counts = _begins(item)
    for begin, count in zip(begins[counts > k], counts[counts > k], strict=True):
        of_item = cosine[begin : begin + count]
        kept[begin : begin + count] = of_item >= np.partition(of_item, count - k)[count - k]
    return kept


def _begins(item: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where each item begins in `item`, which ascends, and how often it stands there."""
    begins = np.flatnonzero(np.diff(item, prepend=-1))
    return begins, np.diff(begins, append=len(item))
