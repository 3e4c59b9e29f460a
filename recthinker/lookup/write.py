"""Writing a snapshot from the feature rows of one D, whole or not at all."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recthinker.errors import SnapshotError
from recthinker.lookup.encode import list_array, sorted_by_key
from recthinker.lookup.feature_rows import FeatureRows
from recthinker.lookup.files import checksum, hash_keys, write_file
from recthinker.lookup.item_files import item_file, link_file
from recthinker.lookup.request_files import UserRows
from recthinker.lookup.snapshot import FORMAT, MANIFEST, shard_file


def nightly_requests(candidates: pa.Table, user_history: pa.Table) -> pa.Table:
    """One request a user: the columns that `write_snapshot` takes, from the tables `candidates` and `user_history`."""
    items = list_array(candidates["items"])
    events = list_array(user_history["events"])
    histories = pa.ListArray.from_arrays(events.offsets, events.values.field("item_id"))
    where = pc.index_in(candidates["user_id"], value_set=user_history["user_id"].combine_chunks())
    return pa.table(
        {
            "key": candidates["user_id"],
            "user_id": candidates["user_id"],
            "candidates": pa.ListArray.from_arrays(items.offsets, items.values.field("item_id")),
            "history": list_array(pa.chunked_array([histories.take(where.combine_chunks())])),
        }
    )


def write_snapshot(
    folder: Path, requests: pa.Table, features: FeatureRows, *, ds: str, shards: int, min_users: int
) -> None:
    """Write the snapshot `folder`; it appears whole or not at all, and replaces an older one.

    Args:
        requests: key, user_id, candidates (item ids), history (item ids, newest first).
        shards: user shards; a user's shard is the hash of the user id modulo this.
        min_users: similar users are counted only where at least this many have the item.

    Raises:
        SnapshotError: no requests, or a candidate that is not in the catalogue.
    """
    if not requests.num_rows:
        raise SnapshotError(f"no requests to write into the snapshot of {ds}; build candidates first")
    writer = SnapshotWriter(folder, features)
    users = UserRows(features, writer.ids)
    shard_of = hash_keys(requests["user_id"].to_pylist()) % np.uint64(shards)
    for shard in range(shards):
        writer.add(shard, requests.filter(pa.array(shard_of == shard)), users, min_users=min_users)
    writer.finish(ds=ds, versions=features.versions)


class SnapshotWriter:
    """A snapshot that is written shard by shard, beside its place until it is whole.

    Args:
        folder: where it will be.
        features: of the items; the users' may come shard by shard.
    """

    def __init__(self, folder: Path, features: FeatureRows) -> None:
        self._folder = folder
        self._unfinished = folder.with_name(f".{folder.name}.{os.getpid()}")
        self._counts: dict[str, int] = {}
        shutil.rmtree(self._unfinished, ignore_errors=True)
        items = sorted_by_key(features.item_metadata, "item_id")
        self.ids: pa.Array = items["item_id"].combine_chunks()
        """Item ids by code."""
        write_file(item_file(items, self.ids, features), self._unfinished / "items.arrow")
        write_file(link_file(features.item_relation), self._unfinished / "links.arrow")

    def add(self, shard: int, requests: pa.Table, users: UserRows, *, min_users: int) -> None:
        """Write the requests of one shard.

        Raises:
            SnapshotError: a candidate is not in the catalogue.
        """
        write_file(users.of(sorted_by_key(requests, "key"), min_users), self._unfinished / shard_file(shard))
        self._counts[str(shard)] = requests.num_rows

    def finish(self, *, ds: str, versions: Mapping[str, int]) -> None:
        """Put the snapshot in its place."""
        _write_manifest(self._unfinished, ds, self._counts, versions)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        self._unfinished.rename(self._folder)


def _write_manifest(folder: Path, ds: str, shards: dict[str, int], versions: Mapping[str, int]) -> None:
    files = {p.name: {"bytes": p.stat().st_size, "sha256": checksum(p)} for p in sorted(folder.glob("*.arrow"))}
    manifest = {"format": FORMAT, "ds": ds, "shards": shards, "table_versions": dict(versions), "files": files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
