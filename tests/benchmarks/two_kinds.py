"""A world in which what tells the next item differs by user, and nothing says of whom before a look-up.

Two kinds of users, as many of each, their histories equally long. Users of series take up the next part of a series:
co-interactions tell it, and the knowledge graph, which knows no series, says nothing. Users of authors take up works of
a few authors in any order: the knowledge graph tells it, and co-interactions say nothing, as hardly two users ever
share two works. Titles are of the same words for all. So the right policy is one of the two tools, and the other one
only where the first says nothing: 1.5 calls.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np

NAME = "two_kinds"
KINDS = {"s": "series", "a": "authors"}
"""What ids of users begin with, by kind; the agent is never shown an id."""
SYLLABLES = ("ba", "ce", "do", "fi", "gu", "ka", "le", "mo", "ni", "pu", "ra", "se", "to", "vi", "zu")
RATING = 4


@dataclass(frozen=True)
class TwoKinds:
    """What is made; equal worlds are equal events."""

    users: int = 600
    """Of both kinds together."""
    shortest: int = 20
    longest: int = 44
    """Events of a user: any number between, each as often."""
    series: int = 60
    parts: int = 20
    """Items of a series."""
    goes_on: float = 0.9
    """Probability of the next part, where there is one; else another series is taken up anywhere."""
    authors: int = 100
    works: int = 80
    """Items of an author."""
    favourites: int = 3
    """Authors of a user."""
    days: int = 120
    last_day: date = date(2026, 3, 31)
    seed: int = 1

    @property
    def serial(self) -> int:
        """Items that are parts of a series; works of authors come after them."""
        return self.series * self.parts

    @property
    def items(self) -> int:
        """All items."""
        return self.serial + self.authors * self.works

    def histories(self) -> dict[str, list[int]]:
        """The items of each user in order, none twice."""
        rng = np.random.default_rng(self.seed)
        lengths = rng.integers(self.shortest, self.longest + 1, self.users).tolist()
        take = (self._of_series, self._of_authors)
        return {
            f"{list(KINDS)[number % 2]}{number}": take[number % 2](rng, length) for number, length in enumerate(lengths)
        }

    def author(self, item: int) -> int | None:
        """Whose work it is; None for a part of a series."""
        return None if item < self.serial else (item - self.serial) // self.works

    def _of_series(self, rng: np.random.Generator, length: int) -> list[int]:
        taken: list[int] = []
        while len(taken) < length:
            part = taken[-1] + 1 if taken else 0
            if part % self.parts == 0 or part in taken or rng.random() >= self.goes_on:
                part = int(rng.choice(np.setdiff1d(np.arange(self.serial), taken)))
            taken.append(part)
        return taken

    def _of_authors(self, rng: np.random.Generator, length: int) -> list[int]:
        authors = rng.choice(self.authors, self.favourites, replace=False)
        works = self.serial + authors[:, None] * self.works + np.arange(self.works)
        taken: list[int] = rng.choice(works.ravel(), length, replace=False).tolist()
        return taken


def write_files(world: TwoKinds, folder: Path) -> None:
    """The world in RecBole's layout, which has a knowledge graph."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([world.seed, 1])
    end = int(datetime.combine(world.last_day + timedelta(days=1), time.min, tzinfo=UTC).timestamp())
    events = []
    for user, items in world.histories().items():
        moments = np.sort(rng.choice(world.days * 24 * 3600, len(items), replace=False))
        events += [
            f"{user}\ti{item}\t{RATING}\t{end - 1 - moment}" for item, moment in zip(items, moments[::-1], strict=True)
        ]
    words = rng.choice(SYLLABLES, (world.items, 2))
    titles = [f"i{item}\t{first}{second}" for item, (first, second) in enumerate(words)]
    edges = [f"e{item}\tbook.author\tby{world.author(item)}" for item in range(world.serial, world.items)]
    links = [f"i{item}\te{item}" for item in range(world.items)]
    write_rows(folder / f"{NAME}.inter", "user_id:token\titem_id:token\trating:float\ttimestamp:float", events)
    write_rows(folder / f"{NAME}.item", "item_id:token\tmovie_title:token_seq", titles)
    write_rows(folder / f"{NAME}.kg", "head_id:token\trelation_id:token\ttail_id:token", edges)
    write_rows(folder / f"{NAME}.link", "item_id:token\tentity_id:token", links)


def write_rows(path: Path, header: str, rows: list[str]) -> None:
    """A file of RecBole's, its columns separated by tabs."""
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
