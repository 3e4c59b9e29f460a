"""Writing a snapshot from the feature rows of one D: item ids become codes, lists become mapped arrays."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from recthinker.errors import SnapshotError
from recthinker.lookup.files import HASH, checksum, hash_keys, write_file
from recthinker.lookup.snapshot import MANIFEST, shard_file

USERS_AT_ONCE = 4096
"""Requests whose similar users are counted in one sparse product; bounds memory."""


@dataclass(frozen=True, slots=True)
class FeatureRows:
    """The feature tables of one D, with the columns of recthinker/tables."""

    user_profile: pa.Table
    user_history: pa.Table
    similar_users: pa.Table
    item_metadata: pa.Table
    item_relation: pa.Table
    co_interaction: pa.Table
    versions: Mapping[str, int]
    """Delta version of each table."""


def nightly_requests(candidates: pa.Table, user_history: pa.Table) -> pa.Table:
    """One request a user: the columns that `write_snapshot` takes, from the tables `candidates` and `user_history`."""
    items = _lists(candidates["items"])
    history = dict(zip(user_history["user_id"].to_pylist(), _item_lists(user_history["events"]), strict=True))
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
    items = _sorted_by_key(features.item_metadata, "item_id")
    ids = items["item_id"].combine_chunks()
    write_file(_item_file(items, ids, features), unfinished / "items.arrow")
    write_file(_link_file(features.item_relation), unfinished / "links.arrow")
    rows = _request_rows(_sorted_by_key(requests, "key"), ids, features, min_users)
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


def _lists(column: pa.ChunkedArray) -> pa.ListArray:
    """A list column as one array whose offsets start at its first value."""
    array = column.combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    return pa.ListArray.from_arrays(pc.subtract(array.offsets, array.offsets[0]).cast(pa.int32()), array.flatten())


def _item_lists(column: pa.ChunkedArray) -> list[list[str]]:
    """The item ids of a list<struct<item_id, ...>> column."""
    array = _lists(column)
    lists: list[list[str]] = pa.ListArray.from_arrays(array.offsets, array.values.field("item_id")).to_pylist()
    return lists


def _sorted_by_key(table: pa.Table, key: str) -> pa.Table:
    hashes = hash_keys(table[key].to_pylist())
    order = np.argsort(hashes, kind="stable")
    return table.take(pa.array(order)).append_column(HASH, pa.array(hashes[order], pa.uint64()))


def _codes(values: pa.Array, ids: pa.Array) -> np.ndarray:
    """Row numbers of `values` in `ids`; -1 where absent."""
    rows = pc.fill_null(pc.index_in(values, value_set=ids), -1)
    codes: np.ndarray = rows.to_numpy(zero_copy_only=False).astype(np.int32)
    return codes


def _int_lists(offsets: np.ndarray, values: np.ndarray) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(values))


def _grouped(rows: np.ndarray, row_count: int, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Offsets of each row's values, and the order that puts values row by row, by `order` inside a row."""
    positions = np.lexsort((order, rows))
    return np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=row_count))]), positions


def _item_file(items: pa.Table, ids: pa.Array, features: FeatureRows) -> pa.Table:
    """Item rows with their co-interactions, seen from the later item, and the codes of their edges."""
    count = len(ids)
    lists = _lists(features.co_interaction["neighbours"])
    first = np.repeat(_codes(features.co_interaction["item_id"], ids), np.diff(lists.offsets.to_numpy()))
    then = _codes(lists.values.field("item_id"), ids)
    known = (first >= 0) & (then >= 0)
    first, then = first[known], then[known]
    offsets, positions = _grouped(then, count, first)
    values = {
        "co_items": first.astype(np.int32),
        "co_cosine": lists.values.field("cosine").to_numpy()[known].astype(np.float32),
        "co_next": lists.values.field("next_weight").to_numpy()[known].astype(np.float32),
    }
    columns = {name: _int_lists(offsets, array[positions]) for name, array in values.items()}
    columns["links"] = _item_links(ids, features.item_relation)
    return pa.table(
        {
            HASH: items[HASH],
            "item_id": ids,
            "title": items["title"],
            "categories": items["categories"],
            "popularity": items["popularity"],
            "mean_rating": pc.fill_null(items["mean_rating"], float("nan")),
            **columns,
        }
    )


def _edges(item_relation: pa.Table) -> tuple[np.ndarray, pa.Array, pa.DictionaryArray]:
    """The row of each edge in `item_relation`, the edges' text, and that text as codes."""
    lists = _lists(item_relation["neighbours"])
    rows = np.repeat(np.arange(item_relation.num_rows), np.diff(lists.offsets.to_numpy()))
    text = pc.binary_join_element_wise(lists.values.field("relation"), lists.values.field("label"), "\t")
    return rows, text, text.dictionary_encode()


def _item_links(ids: pa.Array, item_relation: pa.Table) -> pa.ListArray:
    rows, _, edges = _edges(item_relation)
    items = _codes(item_relation["item_id"], ids)[rows]
    links = edges.indices.to_numpy()
    known = items >= 0
    offsets, positions = _grouped(items[known], len(ids), links[known])
    return _int_lists(offsets, links[known][positions].astype(np.int32))


def _link_file(item_relation: pa.Table) -> pa.Table:
    _, _, edges = _edges(item_relation)
    names = [text.split("\t", 1) for text in edges.dictionary.to_pylist()]
    items_with = np.bincount(edges.indices.to_numpy(), minlength=len(names))
    return pa.table(
        {
            "relation": pa.array([name[0] for name in names], pa.string()),
            "label": pa.array([name[1] for name in names], pa.string()),
            "weight": pa.array(1 / np.log2(1 + np.maximum(items_with, 1)), pa.float64()),
        }
    )


def _request_rows(requests: pa.Table, ids: pa.Array, features: FeatureRows, min_users: int) -> pa.Table:
    """The requests with codes for ids, their user's profile, and the counts over similar users."""
    candidates, history = _lists(requests["candidates"]), _lists(requests["history"])
    codes = _codes(candidates.values, ids)
    if (codes < 0).any():
        stranger = candidates.values[int(np.argmax(codes < 0))].as_py()
        raise SnapshotError(
            f"candidate {stranger!r} is not in item_metadata; build features and candidates of the same D"
        )
    history_codes = _codes(history.values, ids)
    offsets = candidates.offsets.to_numpy()
    similar = _similar_counts(requests["user_id"], offsets, codes, ids, features, min_users)
    profile = features.user_profile
    where = pc.index_in(requests["user_id"], value_set=profile["user_id"].combine_chunks())
    return pa.table(
        {
            HASH: requests[HASH],
            "key": requests["key"],
            "user_id": requests["user_id"],
            "candidates": _int_lists(offsets, codes),
            "candidate_sources": requests["candidate_sources"],
            "similar_counts": _int_lists(offsets, similar),
            "history": _int_lists(history.offsets.to_numpy(), history_codes),
            "event_count": pa.array(np.diff(history.offsets.to_numpy()), pa.int64()),
            "top_categories": _or_empty(profile["top_categories"].take(where)),
            "attributes": _or_empty(profile["attributes"].cast(pa.map_(pa.string(), pa.string())).take(where)),
            "mean_rating": pc.fill_null(profile["mean_rating"].take(where), float("nan")),
        }
    )


def _or_empty(column: pa.ChunkedArray) -> pa.Array:
    """Nulls of a nested column as empty."""
    return pa.array([value or [] for value in column.to_pylist()], column.type)


def _similar_counts(
    users: pa.ChunkedArray,
    offsets: np.ndarray,
    candidates: np.ndarray,
    ids: pa.Array,
    features: FeatureRows,
    min_users: int,
) -> np.ndarray:
    """For each candidate of each request, how many of the user's similar users have it; 0 below `min_users`."""
    owners = features.user_history["user_id"].combine_chunks()
    events = _lists(features.user_history["events"])
    has = _binary(events.offsets.to_numpy(), _codes(events.values.field("item_id"), ids), len(ids))
    neighbours = _lists(features.similar_users["neighbours"])
    likes = _binary(neighbours.offsets.to_numpy(), _codes(neighbours.values.field("user_id"), owners), len(owners))
    row_of = _codes(users.combine_chunks(), features.similar_users["user_id"].combine_chunks())
    counts = np.zeros(len(candidates), np.int32)
    for start in range(0, len(row_of), USERS_AT_ONCE):
        rows = row_of[start : start + USERS_AT_ONCE]
        totals = (likes[np.maximum(rows, 0)] @ has).tocsr()
        for place, row in enumerate(rows):
            begin, end = offsets[start + place], offsets[start + place + 1]
            if row >= 0:
                counts[begin:end] = totals[place, candidates[begin:end]].toarray()[0]
    counts[counts < min_users] = 0
    return counts


def _binary(offsets: np.ndarray, columns: np.ndarray, width: int) -> sparse.csr_matrix:
    """A 0/1 matrix with a row for each list."""
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    known = columns >= 0
    matrix = sparse.csr_matrix(
        (np.ones(known.sum(), np.int32), (rows[known], columns[known])), shape=(len(offsets) - 1, width)
    )
    matrix.data[:] = 1
    return matrix
