"""A generated snapshot of any number of users, written shard by shard: memory is that of one shard.

`python -m tests.benchmarks.snapshot_world FOLDER --users 1000000 --items 50000 [--shards 16] [--seed 1]`
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from recthinker.lookup import FeatureRows
from recthinker.lookup.files import hash_keys
from recthinker.lookup.request_files import UserRows
from recthinker.lookup.write import SnapshotWriter

DS = "2026-03-31"
CANDIDATES, NEIGHBOURS, SIMILAR, EDGES = 20, 200, 50, 10
"""Of a user, of an item in co_interaction, of a user in similar_users, of an item in item_relation."""
MEAN_HISTORY, MAX_HISTORY = 40, 200
RELATIONS, LABELS, KINDS = 5, 20_000, 25
VERSIONS = dict.fromkeys(FeatureRows.__dataclass_fields__.keys() - {"versions"}, 1)


@dataclass(frozen=True, slots=True)
class SnapshotWorld:
    """What is made; equal worlds are equal files."""

    users: int
    items: int
    shards: int = 16
    seed: int = 1

    def write(self, folder: Path) -> None:
        """Write the snapshot `folder`."""
        rng = np.random.default_rng(self.seed)
        items = pa.array([f"i{n}" for n in range(self.items)])
        nobody = FeatureRows(*_no_users(), *self._catalogue(rng, items), versions=VERSIONS)
        writer = SnapshotWriter(folder, nobody)
        users = np.array([f"u{n}" for n in range(self.users)], object)
        shard_of = hash_keys(users) % np.uint64(self.shards)
        for shard in range(self.shards):
            features, requests = self._shard(rng, users[shard_of == shard], items, nobody)
            writer.add(shard, requests, UserRows(features, writer.ids), min_users=3)
        writer.finish(ds=DS, versions=VERSIONS)

    def _catalogue(self, rng: np.random.Generator, items: pa.Array) -> tuple[pa.Table, pa.Table, pa.Table]:
        count = self.items
        kinds = pa.array([f"Kind {n}" for n in range(KINDS)])
        metadata = {
            "item_id": items,
            "title": pa.array([f"Title {n} of the series" for n in range(count)]),
            "categories": _lists(np.full(count, 2), kinds.take(pa.array(rng.integers(0, KINDS, 2 * count)))),
            "popularity": pa.array(rng.integers(0, 100_000, count)),
            "mean_rating": pa.array(rng.uniform(1, 5, count)),
        }
        edges = {
            "relation": pa.array([f"relation_{n}" for n in range(RELATIONS)]).take(
                pa.array(rng.integers(0, RELATIONS, EDGES * count))
            ),
            "label": pa.array([f"Label {n}" for n in range(LABELS)]).take(_zipf(rng, LABELS, EDGES * count)),
        }
        lengths, then = _distinct(rng, count, count, NEIGHBOURS)
        pairs = {
            "item_id": items.take(then),
            "cosine": pa.array(rng.random(len(then))),
            "next_weight": pa.array(rng.random(len(then))),
        }
        relation = {"item_id": items, "neighbours": _structs(np.full(count, EDGES), edges)}
        together = {"item_id": items, "neighbours": _structs(lengths, pairs)}
        return pa.table(metadata), pa.table(relation), pa.table(together)

    def _shard(
        self, rng: np.random.Generator, users: np.ndarray, items: pa.Array, catalogue: FeatureRows
    ) -> tuple[FeatureRows, pa.Table]:
        """Rows of some users, whose similar users are among them."""
        count, ids = len(users), pa.array(users, pa.string())
        lengths = np.minimum(rng.geometric(1 / MEAN_HISTORY, count), MAX_HISTORY)
        seen = items.take(_zipf(rng, self.items, int(lengths.sum())))
        offered, codes = _distinct(rng, count, self.items, 2 * CANDIDATES, keep=CANDIDATES)
        similar = {"user_id": ids.take(pa.array(rng.integers(0, count, count * SIMILAR)))}
        kinds = pa.array([f"Kind {n}" for n in range(KINDS)])
        profile = {
            "user_id": ids,
            "attributes": pa.array([[("age", str(18 + n % 60)), ("gender", "FM"[n % 2])] for n in range(count)], MAP),
            "top_categories": _lists(np.full(count, 4), kinds.take(pa.array(rng.integers(0, KINDS, 4 * count)))),
            "mean_rating": pa.array(rng.uniform(1, 5, count)),
        }
        features = FeatureRows(
            user_profile=pa.table(profile),
            user_history=pa.table({"user_id": ids, "events": _structs(lengths, {"item_id": seen})}),
            similar_users=pa.table({"user_id": ids, "neighbours": _structs(np.full(count, SIMILAR), similar)}),
            item_metadata=catalogue.item_metadata,
            item_relation=catalogue.item_relation,
            co_interaction=catalogue.co_interaction,
            versions=VERSIONS,
        )
        requests = {
            "key": ids,
            "user_id": ids,
            "candidates": _lists(offered, items.take(codes)),
            "history": _lists(lengths, seen),
        }
        return features, pa.table(requests)


MAP = pa.map_(pa.string(), pa.string())


def _no_users() -> tuple[pa.Table, pa.Table, pa.Table]:
    empty = pa.table({"user_id": pa.array([], pa.string())})
    return empty, empty, empty


def _zipf(rng: np.random.Generator, count: int, size: int) -> pa.Array:
    """Numbers below `count`, small ones more often: n with a chance of about 1 / (n + 10)."""
    drawn = 10 * (np.exp(rng.random(size) * np.log1p(count / 10)) - 1)
    return pa.array(np.minimum(drawn.astype(np.int64), count - 1))


def _distinct(
    rng: np.random.Generator, rows: int, count: int, draws: int, keep: int | None = None
) -> tuple[np.ndarray, pa.Array]:
    """For each row different numbers below `count`, of `draws` draws: how many, and the numbers row by row."""
    owner = np.repeat(np.arange(rows), draws)
    pairs = np.unique(owner * count + _zipf(rng, count, rows * draws).to_numpy())
    pairs = pairs[np.lexsort((rng.random(len(pairs)), pairs // count))]
    owner = pairs // count
    if keep is not None:
        is_kept = np.arange(len(pairs)) - np.searchsorted(owner, owner) < keep
        pairs, owner = pairs[is_kept], owner[is_kept]
    return np.bincount(owner, minlength=rows), pa.array(pairs % count)


def _lists(lengths: np.ndarray, values: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)), values)


def _structs(lengths: np.ndarray, fields: dict[str, pa.Array]) -> pa.ListArray:
    return _lists(lengths, pa.StructArray.from_arrays(list(fields.values()), names=list(fields)))


def main() -> None:
    """Write a snapshot and say how large it is."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.snapshot_world", description=__doc__)
    parser.add_argument("folder", type=Path)
    for name, default in (("users", 1_000_000), ("items", 50_000), ("shards", 16), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = vars(parser.parse_args())
    folder, started = arguments.pop("folder"), time.monotonic()
    SnapshotWorld(**arguments).write(folder)
    size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
    print(f"{arguments['users']} users, {size:.0f} MiB in {folder} after {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
