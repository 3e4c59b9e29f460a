from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np

from tests.benchmarks.two_kinds import KINDS, NAME, TwoKinds, write_files

WORLD = TwoKinds()
HISTORIES = WORLD.histories()
SUPPORT = 2
"""`features.co_min_support`."""


def of(kind: str) -> list[list[int]]:
    letter = next(letter for letter, name in KINDS.items() if name == kind)
    return [items for user, items in HISTORIES.items() if user.startswith(letter)]


def test_lengths_do_not_tell_the_kinds_apart() -> None:
    lengths = [np.array([len(items) for items in of(kind)]) for kind in KINDS.values()]
    assert [len(one) for one in lengths] == [300, 300]
    assert {(one.min(), one.max()) for one in lengths} == {(WORLD.shortest, WORLD.longest)}
    # Means of 300 draws of 20 to 44 each differ with a sd of 7.2 * sqrt(2 / 300) = 0.6.
    assert abs(lengths[0].mean() - lengths[1].mean()) < 2
    assert all(len(set(items)) == len(items) for items in HISTORIES.values())


def test_parts_of_a_series_follow_each_other_often_enough_to_be_counted() -> None:
    steps = Counter(pair for items in of("series") for pair in pairwise(items))
    next_part = [steps[item, item + 1] for item in range(WORLD.serial - 1) if (item + 1) % WORLD.parts]
    assert np.mean(np.array(next_part) >= SUPPORT) > 0.9
    # Of every 20 parts one has no next, and of the others some have been taken up.
    followed = sum(later == earlier + 1 for earlier, later in steps.elements()) / steps.total()
    assert 0.75 < followed < WORLD.goes_on


def test_works_are_of_few_authors_and_hardly_two_users_share_two() -> None:
    authors = [{WORLD.author(item) for item in items} for items in of("authors")]
    assert all(len(one) <= WORLD.favourites for one in authors)
    pairs = Counter(frozenset({a, b}) for items in of("authors") for a in items for b in items if a < b)
    # Of few users have others the last work and one of the rest: they are counted beside the user's own.
    told = [any(pairs[frozenset({items[-1], item})] > SUPPORT for item in items[:-1]) for items in of("authors")]
    assert np.mean(told) < 0.25


def test_only_works_have_an_author_and_titles_are_of_the_same_words(tmp_path: Path) -> None:
    world = TwoKinds(users=20, series=4, authors=4)
    write_files(world, tmp_path)
    rows = {
        ending: [line.split("\t") for line in (tmp_path / f"{NAME}.{ending}").read_text().splitlines()[1:]]
        for ending in ("inter", "item", "kg", "link")
    }
    assert len(rows["item"]) == len(rows["link"]) == world.items == 4 * 20 + 4 * 80
    works = {f"e{item}": f"by{world.author(item)}" for item in range(world.serial, world.items)}
    assert {head: tail for head, _, tail in rows["kg"]} == works
    titles = [{title for _, title in part} for part in (rows["item"][:80], rows["item"][80:])]
    assert len(titles[0] & titles[1]) > len(titles[0]) / 2
    # In the order of each history, all within the world's days.
    assert [(user, item) for user, item, *_ in rows["inter"]] == [
        (user, f"i{item}") for user, items in world.histories().items() for item in items
    ]
    times = [int(row[3]) for row in rows["inter"]]
    of_same = [
        (one, two) for (one, two), (a, b) in zip(pairwise(times), pairwise(rows["inter"]), strict=True) if a[0] == b[0]
    ]
    assert all(one < two for one, two in of_same)
    assert max(times) - min(times) < world.days * 24 * 3600
