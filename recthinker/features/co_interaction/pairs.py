"""Pairs of items with their sums, as sorted arrays: one block of `co_interaction_pairs` in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recthinker.tables.schemas import CO_INTERACTION_PAIRS

WEIGHT_UNIT = 2.0**-20
"""Weights are added as whole multiples of this: sums of integers do not depend on the order of terms."""
NEIGHBOUR_BITS = np.uint64(32)
COLUMNS = ("item", "neighbour", "support", "next_weight")
SCHEMA = pa.schema([CO_INTERACTION_PAIRS.arrow_schema().field(name) for name in COLUMNS])
"""Columns of a file: those of the table without its partition columns."""

Longs = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs, each key once, ascending. Arrays of one length."""

    key: Keys
    """item << 32 | neighbour, both numbers."""
    support: Longs
    next_weight: Longs
    """In `WEIGHT_UNIT`s."""

    def __len__(self) -> int:
        return len(self.key)

    @classmethod
    def from_table(cls, rows: pa.Table) -> "Pairs":
        """The pairs in rows of `SCHEMA`, in their order."""
        item, neighbour, support, weight = (rows[name].to_numpy() for name in COLUMNS)
        return cls(pair_keys(item, neighbour), support, weight)

    def to_table(self) -> pa.Table:
        """Rows of `SCHEMA`."""
        return pa.table([self.item, self.neighbour, self.support, self.next_weight], schema=SCHEMA)

    @property
    def item(self) -> npt.NDArray[np.int32]:
        """Numbers of the items."""
        return (self.key >> NEIGHBOUR_BITS).astype(np.int32)

    @property
    def neighbour(self) -> npt.NDArray[np.int32]:
        """Numbers of the other items."""
        return self.key.astype(np.uint32).view(np.int32)

    def where(self, kept: npt.NDArray[np.bool_]) -> "Pairs":
        """The pairs at which `kept` is true."""
        return self if kept.all() else Pairs(self.key[kept], self.support[kept], self.next_weight[kept])


def pair_keys(item: npt.NDArray[np.int32], neighbour: npt.NDArray[np.int32]) -> Keys:
    """Item << 32 | neighbour."""
    key = item.astype(np.uint64)
    key <<= NEIGHBOUR_BITS
    key |= neighbour.view(np.uint32)
    return key


def no_pairs() -> Pairs:
    """Arrays of length 0."""
    return Pairs(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64))


def joined_pairs(parts: Sequence[Pairs]) -> Pairs:
    """`parts`, each of which goes on where the one before it ends, as one."""
    return Pairs(
        np.concatenate([part.key for part in parts]),
        np.concatenate([part.support for part in parts]),
        np.concatenate([part.next_weight for part in parts]),
    )


def sum_pairs(parts: Sequence[Pairs], *, min_support: int = 1) -> Pairs:
    """The sum of `parts`, without the pairs whose summed support is below `min_support`.

    Nothing is sorted again: the smaller part is looked up in the larger one.
    """
    by_size = sorted(parts, key=len)
    total = no_pairs()
    for part in by_size[:-1]:
        total = _add(part, total, 1)
    return _add(by_size[-1], total, min_support) if by_size else total


def _add(large: Pairs, small: Pairs, min_support: int) -> Pairs:
    if not len(small):
        return large.where(large.support >= min_support)
    place = np.searchsorted(large.key, small.key)
    both = large.key.take(place, mode="clip") == small.key
    # Most pairs are too weak to be kept: only the others are copied.
    may_stay = large.support >= min_support
    may_stay[place[both]] = True
    stay = np.flatnonzero(may_stay)
    total = Pairs(large.key[stay], large.support[stay], large.next_weight[stay])
    at = np.searchsorted(stay, place[both])
    total.support[at] += small.support[both]
    total.next_weight[at] += small.next_weight[both]
    kept = total.where(total.support >= min_support)
    return _insert(kept, small.where(~both & (small.support >= min_support)))


def _insert(pairs: Pairs, others: Pairs) -> Pairs:
    """Both, which have no key in common."""
    place = np.searchsorted(pairs.key, others.key)
    return Pairs(
        np.insert(pairs.key, place, others.key),
        np.insert(pairs.support, place, others.support),
        np.insert(pairs.next_weight, place, others.next_weight),
    )
