"""The item files of a snapshot, of a catalogue whose codes need more than two bytes, too."""

import numpy as np
import pyarrow as pa
import pytest

from recthinker.lookup.columns import Lists
from recthinker.lookup.encode import sorted_by_key
from recthinker.lookup.feature_rows import FeatureRows
from recthinker.lookup.item_files import item_file, link_file

EMPTY = pa.table({"user_id": pa.array([], pa.string())})


def features(count: int, edges: int, seed: int = 1) -> FeatureRows:
    """A catalogue of `count` items: some of them with neighbours, all `edges` at the first item, two at the second."""
    rng = np.random.default_rng(seed)
    ids = [f"i{n}" for n in range(count)]
    lists = [
        [{"item_id": ids[n], "cosine": n / 7, "next_weight": n / 3} for n in rng.permutation(count)[:9].tolist()]
        for _ in range(20)
    ]
    tails = [{"relation": "has", "label": f"Label {n}"} for n in range(edges)]
    return FeatureRows(
        user_profile=EMPTY,
        user_history=EMPTY,
        similar_users=EMPTY,
        item_metadata=pa.table(
            {
                "item_id": ids,
                "title": ids,
                "categories": pa.array([["Kind"]] * count),
                "popularity": np.arange(count),
                "mean_rating": np.ones(count),
            }
        ),
        item_relation=pa.table({"item_id": ids[:2], "neighbours": [tails, [tails[0], tails[-1]]]}),
        co_interaction=pa.table({"item_id": ids[:20], "neighbours": lists}),
        versions={},
    )


@pytest.mark.parametrize(("count", "edges", "width"), [(50, 40, 2), (65_536, 65_536, 2), (65_537, 65_537, 4)])
def test_lists_name_their_items_and_edges_whatever_their_number(count: int, edges: int, width: int) -> None:
    given = features(count, edges)
    items = sorted_by_key(given.item_metadata, "item_id")
    ids = items["item_id"].combine_chunks()
    rows = item_file(items, ids, given)
    of = {item: row for row, item in enumerate(ids.to_pylist())}
    neighbours, weights, links = (Lists(rows[name].combine_chunks()) for name in ("co_items", "co_weights", "links"))
    assert neighbours.values.itemsize == links.values.itemsize == width
    for given_row in given.co_interaction.to_pylist():
        row = of[given_row["item_id"]]
        pairs = zip(neighbours[row].tolist(), weights[row].tolist(), strict=True)
        assert {ids[code].as_py(): pair for code, pair in pairs} == {
            one["item_id"]: [np.float32(one["next_weight"]), np.float32(one["cosine"])]
            for one in given_row["neighbours"]
        }
    labels = link_file(given.item_relation)["label"].to_pylist()
    assert [labels[code] for code in links[of["i0"]]] == [f"Label {n}" for n in range(edges)]
    assert [labels[code] for code in links[of["i1"]]] == ["Label 0", f"Label {edges - 1}"]
