"""The strongest pairs of an item, beside a sort of all of them one by one."""

import numpy as np
import pyarrow as pa
import pytest

from recthinker.features.co_interaction.items import Items
from recthinker.features.co_interaction.pairs import Pairs, pair_keys
from recthinker.features.co_interaction.strongest import strongest

ITEMS, K = 30, 5


def made(seed: int, share: float) -> tuple[Pairs, Items]:
    """Few supports and counts, so that many cosines are equal."""
    rng = np.random.default_rng(seed)
    item, neighbour = (side.astype(np.int32) for side in np.nonzero(rng.random((ITEMS, ITEMS)) < share))
    support = rng.integers(1, 4, len(item))
    paired = rng.choice([4, 9], ITEMS)
    items = Items(pa.array([f"i{n}" for n in range(ITEMS)]), paired, rng.integers(0, 2**63, ITEMS).astype(np.uint64))
    return Pairs(pair_keys(item, neighbour), support, 10 * support), items


@pytest.mark.parametrize("share", [0, 0.01, 0.2, 0.9])
@pytest.mark.parametrize("seed", range(5))
def test_the_strongest_come_first_and_ties_by_their_hash(seed: int, share: float) -> None:
    pairs, items = made(seed, share)
    kept, cosine = strongest(pairs, items, K)
    rows = zip(pairs.item, pairs.neighbour, pairs.support, items.ties(pairs.item, pairs.neighbour), strict=True)
    wanted = [
        (int(item), -support / np.sqrt(items.paired[item] * items.paired[neighbour]), -int(tie), int(neighbour))
        for item, neighbour, support, tie in rows
    ]
    wanted.sort()
    first = [row for place, row in enumerate(wanted) if sum(row[0] == other[0] for other in wanted[:place]) < K]
    assert list(zip(kept.item.tolist(), kept.neighbour.tolist(), strict=True)) == [(row[0], row[3]) for row in first]
    np.testing.assert_allclose(cosine, [-row[1] for row in first])
    assert kept.next_weight.tolist() == (10 * kept.support).tolist()
