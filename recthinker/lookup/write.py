"""Writing a snapshot from the feature rows of one D, whole or not at all."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from recthinker.errors import SnapshotError
from recthinker.lookup.encode import item_lists, list_array, sorted_by_key
from recthinker.lookup.feature_rows import FeatureRows
from recthinker.lookup.files import checksum, hash_keys, write_file
from recthinker.lookup.item_files import item_file, link_file
from recthinker.lookup.request_files import request_rows
from recthinker.lookup.snapshot import MANIFEST, shard_file


def nightly_requests(candidates: pa.Table, user_history: pa.Table) -> pa.Table:
    """One request a user: the columns that `write_snapshot` takes, from the tables `candidates` and `user_history`."""
    items = list_array(candidates["items"])
    history = dict(zip(user_history["user_id"].to_pylist(), item_lists(user_history["events"]), strict=True))
    users = candidates["user_id"].to_pylist()
    sources = [[row["sources"] for row in rows] for rows in candidates["items"].to_pylist()]
    return pa.table(
        {
            "key": pa.array(users, pa.string()),
            "user_id": pa.array(users, pa.string()),
            "candidates": pa.ListArray.from_arrays(items.offsets, items.values.field("item_id")),
            "candidate_sources": pa.array(sources, pa.list_(pa.list_(pa.string()))),
            "history": pa.array([history.get(user, []) for user in users], pa.list_(pa.string())),
        }
    )


def write_snapshot(
    folder: Path, requests: pa.Table, features: FeatureRows, *, ds: str, shards: int, min_users: int
) -> None:
    """Write the snapshot `folder`; it appears whole or not at all, and replaces an older one.

    Args:
        requests: key, user_id, candidates (item ids), candidate_sources, history (item ids, newest first).
        shards: user shards; a user's shard is the hash of the user id modulo this.
        min_users: similar users are counted only where at least this many have the item.

    Raises:
        SnapshotError: no requests, or a candidate that is not in the catalogue.
    """
    if not requests.num_rows:
        raise SnapshotError(f"no requests to write into the snapshot of {ds}; build candidates first")
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    items = sorted_by_key(features.item_metadata, "item_id")
    ids = items["item_id"].combine_chunks()
    write_file(item_file(items, ids, features), unfinished / "items.arrow")
    write_file(link_file(features.item_relation), unfinished / "links.arrow")
    rows = request_rows(sorted_by_key(requests, "key"), ids, features, min_users)
    shard_of = hash_keys(rows["user_id"].to_pylist()) % np.uint64(shards)
    counts = {}
    for shard in range(shards):
        part = rows.filter(pa.array(shard_of == shard))
        counts[str(shard)] = part.num_rows
        write_file(part, unfinished / shard_file(shard))
    _write_manifest(unfinished, ds, counts, features.versions)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished.rename(folder)


def _write_manifest(folder: Path, ds: str, shards: dict[str, int], versions: Mapping[str, int]) -> None:
    files = {p.name: {"bytes": p.stat().st_size, "sha256": checksum(p)} for p in sorted(folder.glob("*.arrow"))}
    manifest = {"ds": ds, "shards": shards, "table_versions": dict(versions), "files": files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
