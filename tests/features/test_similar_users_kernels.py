"""What runs in the Python workers, without Spark."""

from collections.abc import Iterator
from math import log2

import pyarrow as pa
import pytest

from recthinker.errors import TableContractError
from recthinker.features.similar_users.links import STREAM, links
from recthinker.features.similar_users.names import UserNames


def test_links_refuses_an_item_without_events() -> None:
    stream = pa.RecordBatch.from_pylist(
        [{"item_id": "a", "user": 1, "events": 1}, {"item_id": "b", "user": 1, "events": 0}], STREAM
    )

    with pytest.raises(TableContractError, match="item b is among a user's newest items"):
        list(links(iter([stream]), per_item=2))


def test_links_of_a_very_long_stream_keeps_what_it_needs() -> None:
    def stream() -> Iterator[pa.RecordBatch]:
        for start in range(0, 1_000_000, 10_000):
            users = pa.array(range(start, start + 10_000), pa.int64())
            columns = [pa.repeat("hit", 10_000), users, pa.repeat(pa.scalar(1, pa.int32()), 10_000)]
            yield pa.RecordBatch.from_arrays(columns, schema=STREAM)
        yield pa.RecordBatch.from_pylist([{"item_id": "hit", "user": 5, "events": 0}], STREAM)

    [answer] = list(links(stream(), per_item=2))

    assert answer["units"].to_pylist() == [round(2**30 / log2(1 + 1_000_000))]
    assert list(memoryview(answer["linked"][0].as_py()).cast("q")) == [999_998, 999_999]


def test_user_names_are_found_by_hash() -> None:
    names = UserNames(pa.array([-5, 3, 9]).to_numpy(), pa.array(["x", "y", "z"]))
    edges = [{"user": 9, "similarity": 0.5}, {"user": -5, "similarity": 0.25}]
    kind = pa.list_(pa.struct([("user", pa.int64()), ("similarity", pa.float64())]))
    batch = pa.RecordBatch.from_arrays([pa.array([3], pa.int64()), pa.array([edges], kind)], ["user", "neighbours"])

    [named] = names.named(iter([batch]))

    expected = [{"user_id": "z", "similarity": 0.5}, {"user_id": "x", "similarity": 0.25}]
    assert named.to_pylist() == [{"user_id": "y", "neighbours": expected}]
