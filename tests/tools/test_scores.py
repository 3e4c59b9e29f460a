"""Scores from compiled loops, beside the same said in numpy, on random snapshots."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from recthinker.lookup.columns import Lists, Names
from recthinker.lookup.items import ItemRows
from recthinker.tools.co_interactions import HALF_LIFE, SMOOTHING, co_scores
from recthinker.tools.item_relations import MOST_PER_EDGE, relation_scores

ITEMS, EDGES = 60, 40
LAST = 2**16
"""Codes of two bytes; the last of them are to be numbers as any other."""


def random_lists(rng: np.random.Generator, below: int, most: int) -> list[list[int]]:
    """For each item up to `most` different numbers, in order."""
    return [sorted(rng.choice(below, rng.integers(0, most + 1), replace=False).tolist()) for _ in range(ITEMS)]


def column(lists: list[list[Any]], type_: pa.DataType, before: int) -> pa.ListArray:
    """The lists, after `before` empty ones."""
    return pa.array([[]] * before + lists, pa.list_(type_))


def scene(seed: int) -> Any:
    """What both functions look at of a scene; the history may hold an item twice, and items not in the catalogue.

    With an odd seed codes have two bytes, and are the last ones.
    """
    rng = np.random.default_rng(seed)
    items = ItemRows.__new__(ItemRows)
    code, first, first_edge = (pa.uint16(), LAST - ITEMS, LAST - EDGES) if seed % 2 else (pa.int32(), 0, 0)
    pairs = [[first + item for item in row] for row in random_lists(rng, ITEMS, 40)]
    items._ids = range(first + ITEMS)  # type: ignore[assignment]  # asked for its length only
    items.popularity = rng.integers(0, 1000, first + ITEMS)
    items.co_items = Lists(column(pairs, code, first))
    weights = [rng.random((len(row), 2)).tolist() for row in pairs]
    items.co_weights = Lists(column(weights, pa.list_(pa.float32(), 2), first))
    links = [[first_edge + edge for edge in row] for row in random_lists(rng, EDGES, 30)]
    for row in links[::7]:
        row += row[-1:]
    items.links = Lists(column(links, code, first))
    items.link_weight = rng.random(first_edge + EDGES)
    items._relation_of = np.arange(first_edge + EDGES)
    items._relations = Names(pa.array([f"relation_{n}" for n in range(first_edge + EDGES)]))
    newest = rng.integers(-1, ITEMS, rng.integers(0, 60))
    history = np.where(newest < 0, newest, newest + first).astype(np.int32)
    candidates = (first + rng.choice(ITEMS, 20, replace=False)).astype(np.int32)
    return SimpleNamespace(
        items=items, request=SimpleNamespace(history=history), candidates=candidates, order=np.arange(20)
    )


def plain_relations(scene: Any) -> tuple[np.ndarray, list[str]]:
    items, scores, relations = scene.items, np.zeros(20), [""] * 20
    known = scene.request.history[scene.request.history >= 0]
    edges = np.concatenate([items.links[code] for code in known] or [np.empty(0, np.int32)])
    codes, counts = np.unique(edges, return_counts=True)
    say = items.link_weight[codes] * np.minimum(counts, MOST_PER_EDGE)
    for label, code in enumerate(scene.candidates):
        shared = np.isin(codes, items.links[code])
        if shared.any():
            scores[label] = say[shared].sum()
            relations[label] = items.relation(int(codes[shared][say[shared].argmax()])).replace("_", " ")
    return scores, relations


def plain_co_scores(scene: Any) -> tuple[np.ndarray, np.ndarray]:
    items, newest = scene.items, {}
    for age, item in enumerate(scene.request.history.tolist()):
        if item >= 0:
            newest.setdefault(item, age)
    known, ages = np.array(sorted(newest.items()), np.int64).reshape(-1, 2).T
    say = 2.0 ** (-ages / HALF_LIFE) / (items.popularity[known] + SMOOTHING)
    follows, together = np.zeros(20), np.zeros(20)
    for label, code in enumerate(scene.candidates.tolist()):
        says, weights, cosines = [], [], []
        for item, its_say in zip(known, say, strict=True):
            for place in np.flatnonzero(items.co_items[item] == code):
                says.append(its_say)
                weight, cosine = items.co_weights[item][place]
                weights.append(weight)
                cosines.append(cosine)
        follows[label] = (np.array(says, float) * np.array(weights, np.float32)).sum()
        together[label] = np.array(cosines, np.float32).sum()
    return follows, together


@pytest.mark.parametrize("seed", range(60))
def test_compiled_loops_give_what_the_plain_way_gives(seed: int) -> None:
    made = scene(seed)
    scores, relations = relation_scores(made)
    plain_scores, plain_names = plain_relations(made)
    np.testing.assert_allclose(scores, plain_scores, rtol=1e-12)
    assert relations == plain_names
    for found, plain in zip(co_scores(made), plain_co_scores(made), strict=True):
        np.testing.assert_allclose(found, plain, rtol=1e-6)


def test_marks_are_gone_after_use() -> None:
    made = scene(1)
    relation_scores(made)
    co_scores(made)
    assert set(made.items.marks.tolist()) == set(made.items.link_marks.tolist()) == {-1}
