"""Whom an item links to a user: one pass over each item's events in known order.

The stream holds events and queries, sorted by item, then known order; a query (a user with that item) stands after the
events of the user's last active day. Memory is that of one batch, however many events an item has: all that a batch
needs of earlier ones is the newest events of the item at its border, in rows as those of the stream.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recthinker.errors import TableContractError
from recthinker.features.similar_users.groups import group_starts

STREAM = pa.schema([("item_id", pa.string()), ("user", pa.int64()), ("events", pa.int32())])
"""`user` is a hash; `events` is how many events a row stands for: 1, 0 for a query; the oldest event that is known of
an item stands for those before it too."""
LINKS = "user bigint, units bigint, linked binary"
"""One row a query: the user, the item's weight in `WEIGHT_UNIT`s, and the other users' hashes (int64, distinct)."""
WEIGHT_UNIT = 2.0**-30
"""Weights are added as whole multiples of this: sums of integers do not depend on the order of terms."""

Longs = npt.NDArray[np.int64]


def links(stream: Iterator[pa.RecordBatch], *, per_item: int) -> Iterator[pa.RecordBatch]:
    """Rows of `LINKS`, one for each query.

    Args:
        stream: rows of `STREAM`, sorted as above.
        per_item: events of an item, the newest before the query, whose users are linked.

    Raises:
        TableContractError: a query for an item without an event before it.
    """
    carried = pa.RecordBatch.from_pylist([], STREAM)
    for batch in filter(len, stream):
        rows = pa.concat_batches([carried, batch.cast(STREAM)])
        answers = _answers(rows, per_item)
        if len(answers):
            yield answers
        carried = _newest_of_last_item(rows, per_item)


def _answers(rows: pa.RecordBatch, per_item: int) -> pa.RecordBatch:
    users, events = rows["user"].to_numpy(), rows["events"].to_numpy().astype(np.int64)
    is_event = events > 0
    asked = np.flatnonzero(~is_event)
    starts = group_starts(rows["item_id"])
    start = starts[np.searchsorted(starts, asked, side="right") - 1]
    counted, seen = np.cumsum(events), np.cumsum(is_event)
    n = counted[asked] - (counted - events)[start]
    if (n < 1).any():
        item = rows["item_id"][int(asked[np.argmin(n)])].as_py()
        raise TableContractError(
            f"similar_users: item {item} is among a user's newest items, but none of its events is known by that "
            "user's last day; expected `recent`, `events` and `before` of the same interactions: rebuild from scratch"
        )
    own = users[asked]
    index = seen[asked][:, None] - 1 - np.arange(per_item)
    is_of_item = index >= (seen - is_event)[start][:, None]
    linked = np.where(is_of_item, users[is_event][np.maximum(index, 0)], own[:, None])
    return _links(own, np.rint(1 / (np.log2(1 + n) * WEIGHT_UNIT)).astype(np.int64), linked)


def _links(own: Longs, units: Longs, linked: Longs) -> pa.RecordBatch:
    """Rows of `LINKS` without the user's own hash and repeated ones."""
    linked.sort(axis=1)
    is_new = linked != own[:, None]
    is_new[:, 1:] &= linked[:, 1:] != linked[:, :-1]
    ends = np.concatenate([[0], np.cumsum(is_new.sum(axis=1))]) * linked.itemsize
    data = [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(linked[is_new])]
    packed = pa.Array.from_buffers(pa.binary(), len(own), data)
    return pa.RecordBatch.from_arrays([pa.array(own), pa.array(units), packed], ["user", "units", "linked"])


def _newest_of_last_item(rows: pa.RecordBatch, per_item: int) -> pa.RecordBatch:
    """The newest events of the last item; the oldest of them stands for all before it too."""
    events = rows["events"].to_numpy()
    start = group_starts(rows["item_id"])[-1]
    newest = start + np.flatnonzero(events[start:] > 0)[-per_item:]
    kept = events[newest]
    kept[:1] = events[start:].sum() - kept[1:].sum()
    columns = [rows["item_id"].take(pa.array(newest)), rows["user"].take(pa.array(newest)), pa.array(kept)]
    return pa.RecordBatch.from_arrays(columns, schema=STREAM)
