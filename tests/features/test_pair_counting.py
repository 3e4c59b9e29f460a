"""The kernels of `co_interaction` without Spark."""

import numpy as np
import pyarrow as pa
import pytest

from recthinker.features.co_interaction import windows
from recthinker.features.co_interaction.blocks import count_block
from recthinker.features.co_interaction.codes import EventCodes
from recthinker.features.co_interaction.pairs import Pairs, sum_pairs
from recthinker.features.co_interaction.windows import windows_by_block

WEIGHTS = (1.0, 2.0, 5.0)


def pairs_of(rows: dict[tuple[int, int], tuple[int, int]]) -> Pairs:
    keys = np.array([item << 32 | neighbour for item, neighbour in rows], np.uint64)
    support, weight = np.array(list(rows.values()), np.int64).reshape(-1, 2).T
    return Pairs(keys, support, weight)


def test_sums_of_pairs() -> None:
    base = pairs_of({(0, 1): (2, 5), (1, 0): (2, 0), (1, 3): (1, 7), (3, 1): (1, 0)})
    night = pairs_of({(0, 2): (1, 4), (1, 3): (1, 1), (3, 4): (2, 9)})

    # In any order of the two: (1, 3) is in both.
    for parts in ([base, night], [night, base]):
        total = sum_pairs(parts)
        assert list(zip(total.item, total.neighbour, total.support, total.next_weight, strict=True)) == [
            (0, 1, 2, 5), (0, 2, 1, 4), (1, 0, 2, 0), (1, 3, 2, 8), (3, 1, 1, 0), (3, 4, 2, 9),
        ]  # fmt: skip
    often = sum_pairs([base, night], min_support=2)
    assert list(zip(often.item, often.neighbour, strict=True)) == [(0, 1), (1, 0), (1, 3), (3, 4)]
    assert len(sum_pairs([])) == 0


@pytest.mark.parametrize("chunk_pairs", [1, 4_000_000])
def test_counting_in_chunks_equals_counting_by_distance(monkeypatch: pytest.MonkeyPatch, chunk_pairs: int) -> None:
    # One user of 100,000 events among users of few: he fills several chunks, and a block more than one buffer.
    monkeypatch.setattr(windows, "CHUNK_PAIRS", chunk_pairs)
    rng = np.random.default_rng(3)
    sizes = [5, 100_000, 1, 700, 2, 64, 65, 40_000]
    user = np.repeat(np.arange(len(sizes)), sizes)
    item = rng.integers(0, 30, len(user)).astype(np.int32)
    weight = rng.choice(WEIGHTS, len(user))
    window = 50
    codes = EventCodes(WEIGHTS, window, half_life=7)

    batches = windows_by_block(record_batches(user, item, weight), codes, 1)
    found = count_block((batch.select([1, 2, 3, 4]) for batch in batches), codes)

    support, next_weight = np.zeros((30, 30), np.int64), np.zeros((30, 30), np.int64)
    for d in range(1, window + 1):
        kept = (user[d:] == user[:-d]) & (item[d:] != item[:-d])
        earlier, later = item[:-d][kept], item[d:][kept]
        np.add.at(support, (earlier, later), 1)
        units = np.rint(weight[d:][kept] * 2 ** (-(d - 1) / 7) * 2**20).astype(np.int64)
        np.add.at(next_weight, (earlier, later), units)
    assert len(found) == 30 * 29
    assert (found.support == (support + support.T)[found.item, found.neighbour]).all()
    assert (found.next_weight == next_weight[found.item, found.neighbour]).all()


def record_batches(user: np.ndarray, item: np.ndarray, weight: np.ndarray) -> list[pa.RecordBatch]:
    rows = pa.table(
        {
            "user_id": pa.array(user).cast(pa.string()),
            "item": item,
            "weight": weight,
            "is_new": np.ones(len(user), bool),
        }
    )
    return rows.to_batches(max_chunksize=997)
