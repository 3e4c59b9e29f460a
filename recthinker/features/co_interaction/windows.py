"""From a stream of events to windows, the events around each event, handed on to the block of its item.

A window is a stretch of one user's events, so it is stored as such: a count, the offset of its first event from its
centre, and the events' codes. About 4 bytes a pair go through the shuffle, and the pairs themselves never do.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recthinker.errors import TableContractError
from recthinker.features.co_interaction.codes import Codes, EventCodes

CHUNK_PAIRS = 4_000_000
"""Pairs whose windows are made at once: about 100 MB."""
WINDOWS_SCHEMA = "block int, item binary, first binary, count binary, codes binary"

Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Events:
    """Consecutive events, users one after the other, each in known order. Arrays of one length."""

    codes: Codes
    is_new: Flags
    """Whether the pairs with the events before it are counted."""
    starts: Flags
    """Whether it is the first of its user."""

    def __len__(self) -> int:
        return len(self.codes)

    def since(self, place: int) -> "Events":
        """The events from `place` on."""
        return Events(self.codes[place:], self.is_new[place:], self.starts[place:])


@dataclass(frozen=True, slots=True)
class Chunk:
    """Events in memory; only those from `begin` to before `end` become centres, the others stand around them."""

    events: Events
    begin: int
    end: int


def windows_by_block(batches: Iterable[pa.RecordBatch], codes: EventCodes, blocks: int) -> Iterator[pa.RecordBatch]:
    """The windows of a partition's events, a row a chunk and block, in the columns of `WINDOWS_SCHEMA`.

    Args:
        batches: user_id, item (number), weight and is_new, each user's events together and in known order.
        codes: of the events.
        blocks: an item belongs to block number % `blocks`.

    Raises:
        TableContractError: an event that is not new follows a new one of its user; or as `EventCodes.encode`.
    """
    size = max(CHUNK_PAIRS // (2 * codes.window), 4 * codes.window)
    for chunk in chunks(_events(batches, codes, size), codes.window, size):
        yield _windows(chunk, codes, blocks)


def chunks(parts: Iterable[Events], window: int, size: int) -> Iterator[Chunk]:
    """Chunks of at least `size` events. Of a user who goes on after a chunk, the last `window` events become centres
    in the next one only, and as many before them are kept for these.
    """
    waiting: list[Events] = []
    begin = 0
    for part in parts:
        waiting.append(part)
        if sum(map(len, waiting)) < size:
            continue
        events = _joined(waiting)
        last_user = int(np.flatnonzero(events.starts)[-1]) if events.starts.any() else 0
        end = max(last_user, begin, len(events) - window)
        yield Chunk(events, begin, end)
        kept = max(last_user, end - window)
        waiting, begin = [events.since(kept)], end - kept
    if waiting:
        events = _joined(waiting)
        yield Chunk(events, begin, len(events))


def stretches(begins: npt.NDArray[Any], counts: npt.NDArray[Any]) -> Ints:
    """The places begin, begin + 1, ... of each stretch of `count` places, one stretch after the other."""
    ends = np.cumsum(counts, dtype=np.int64)
    places = np.arange(ends[-1] if len(ends) else 0, dtype=np.int32)
    places += np.repeat((begins - (ends - counts)).astype(np.int32), counts)
    return places


def _events(batches: Iterable[pa.RecordBatch], codes: EventCodes, size: int) -> Iterator[Events]:
    last_user: Any = None
    for batch in batches:
        for place in range(0, batch.num_rows, size):
            part = batch.slice(place, size)
            users = part.column("user_id")
            starts = np.ones(len(users), bool)
            starts[0] = users[0].as_py() != last_user
            starts[1:] = pc.not_equal(users[1:], users[:-1]).to_numpy(zero_copy_only=False)
            last_user = users[-1].as_py()
            item, weight = part.column("item").to_numpy(), part.column("weight").to_numpy()
            yield Events(codes.encode(item, weight), part.column("is_new").to_numpy(zero_copy_only=False), starts)


def _joined(parts: list[Events]) -> Events:
    return Events(
        np.concatenate([part.codes for part in parts]),
        np.concatenate([part.is_new for part in parts]),
        np.concatenate([part.starts for part in parts]),
    )


def _windows(chunk: Chunk, codes: EventCodes, blocks: int) -> pa.RecordBatch:
    low, high = _around(chunk.events, codes.window)
    # A window of its centre alone has no pairs.
    centre = np.arange(chunk.begin, chunk.end, dtype=np.int32)
    centre = centre[(high - low > chunk.events.is_new)[centre]]
    block = codes.items(chunk.events.codes[centre]) % blocks
    order = np.argsort(block, kind="stable")
    centre, block = centre[order], block[order]
    first, count = low[centre], (high - low)[centre]
    places = stretches(first, count)
    bounds = np.flatnonzero(np.diff(block, prepend=-1, append=blocks))
    pairs_before = np.concatenate([[0], np.cumsum(count, dtype=np.int64)])
    columns = [
        pa.array(block[bounds[:-1]], pa.int32()),
        _binaries(codes.items(chunk.events.codes[centre]), bounds),
        _binaries((first - centre).astype(np.int8), bounds),
        _binaries(count.astype(np.uint8), bounds),
        _binaries(chunk.events.codes[places], pairs_before[bounds]),
    ]
    return pa.record_batch(columns, names=["block", "item", "first", "count", "codes"])


def _around(events: Events, window: int) -> tuple[Ints, Ints]:
    """For each event, where the events begin and end that it makes a pair with; the event itself is among them where
    it is new.
    """
    n = len(events)
    place = np.arange(n, dtype=np.int32)
    user_begin = np.maximum.accumulate(np.where(events.starts, place, 0))
    user_end = np.append(_next(events.starts)[1:], np.int32(n))
    if (events.is_new[:-1] & ~events.is_new[1:] & ~events.starts[1:]).any():
        raise TableContractError(
            "a user's earlier events (is_new false) should all come before the new ones, found one after; "
            "order the events by known day first"
        )
    high = np.minimum(user_end, place + np.int32(window + 1))
    low = np.maximum(user_begin, place - np.int32(window))
    # Around an earlier event only the new ones count.
    return np.where(events.is_new, low, np.minimum(_next(events.is_new), high)), high


def _next(flags: Flags) -> Ints:
    """For each place, the first one from there on whose flag is set; the length where none is."""
    place = np.where(flags, np.arange(len(flags), dtype=np.int32), np.int32(len(flags)))
    return np.minimum.accumulate(place[::-1])[::-1]


def _binaries(values: npt.NDArray[Any], bounds: npt.NDArray[np.int64]) -> pa.Array:
    """The bytes of `values` between one of `bounds` and the next, without a copy."""
    offsets = (bounds * values.itemsize).astype(np.int32)
    data = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(pa.binary(), len(bounds) - 1, [None, pa.py_buffer(offsets), data])
