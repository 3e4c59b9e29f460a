"""The item files of a snapshot: items with their co-interactions and edges, and the edges themselves."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recthinker.lookup.encode import code_type, grouped, list_array, number_lists, row_numbers, string_lists
from recthinker.lookup.feature_rows import FeatureRows
from recthinker.lookup.files import HASH
from recthinker.lookup.text import readable_codes, readable_column


def item_file(items: pa.Table, ids: pa.Array, features: FeatureRows) -> pa.Table:
    """Item rows with their co-interactions and the codes of their edges."""
    count = len(ids)
    lists = list_array(features.co_interaction["neighbours"])
    first = np.repeat(row_numbers(features.co_interaction["item_id"], ids), np.diff(lists.offsets.to_numpy()))
    then = row_numbers(lists.values.field("item_id"), ids)
    known = (first >= 0) & (then >= 0)
    first, then = first[known], then[known]
    offsets, positions = grouped(first, count, then)
    # Side by side, as whoever reads one of them reads the other.
    weights = np.column_stack([lists.values.field(name).to_numpy()[known] for name in ("next_weight", "cosine")])
    columns = {
        "co_items": number_lists(offsets, then[positions].astype(code_type(count))),
        "co_weights": number_lists(offsets, weights[positions].astype(np.float32)),
        "links": _item_links(ids, features.item_relation),
    }
    return pa.table(
        {
            HASH: items[HASH],
            "item_id": ids,
            "title": readable_column(items["title"]),
            "categories": string_lists(items["categories"]),
            "popularity": items["popularity"],
            "mean_rating": pc.fill_null(items["mean_rating"], float("nan")),
            **columns,
        }
    )


def _edges(item_relation: pa.Table) -> tuple[np.ndarray, pa.Array, pa.DictionaryArray]:
    """The row of each edge in `item_relation`, the edges' text, and that text as codes."""
    lists = list_array(item_relation["neighbours"])
    rows = np.repeat(np.arange(item_relation.num_rows), np.diff(lists.offsets.to_numpy()))
    text = pc.binary_join_element_wise(lists.values.field("relation"), lists.values.field("label"), "\t")
    return rows, text, text.dictionary_encode()


def _item_links(ids: pa.Array, item_relation: pa.Table) -> pa.ListArray:
    rows, _, edges = _edges(item_relation)
    items = row_numbers(item_relation["item_id"], ids)[rows]
    links = edges.indices.to_numpy()
    known = items >= 0
    offsets, positions = grouped(items[known], len(ids), links[known])
    return number_lists(offsets, links[known][positions].astype(code_type(len(edges.dictionary))))


def link_file(item_relation: pa.Table) -> pa.Table:
    """Edges by code: relation, label, and a weight that is higher the fewer items have the edge."""
    _, _, edges = _edges(item_relation)
    names = [text.split("\t", 1) for text in edges.dictionary.to_pylist()]
    items_with = np.bincount(edges.indices.to_numpy(), minlength=len(names))
    return pa.table(
        {
            "relation": readable_codes(pa.array([name[0] for name in names], pa.string())),
            "label": readable_column(pa.array([name[1] for name in names], pa.string())),
            "weight": pa.array(1 / np.log2(1 + np.maximum(items_with, 1)), pa.float64()),
        }
    )
