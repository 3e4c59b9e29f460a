"""Item rows of a snapshot. An item is known by its code, its row number; -1 stands for an item not in the catalogue."""

from functools import cached_property
from pathlib import Path

import numpy as np

from recthinker.lookup.columns import Lists, Names, TextLists, Texts
from recthinker.lookup.files import HASH, find, open_file


class ItemRows:
    """Memory-mapped item tables.

    Attributes:
        popularity: events of each item before the end of D, (I,).
        mean_rating: mean rating of each item, NaN where none, (I,).
        co_items: codes of the items that an item is interacted with, as lists; `co_weights` runs along: the
            `next_weight` from this item to that, and the cosine of the pair.
        links: codes of the knowledge-graph edges of an item, as lists; two items that share (relation, tail) share a
            code. `link_weight`, (L,), is 1 / log2(1 + items with that edge).
    """

    def __init__(self, folder: Path) -> None:
        rows = open_file(folder / "items.arrow", read_all_over=True)
        links = open_file(folder / "links.arrow", read_all_over=True)
        self._hashes = rows[HASH].to_numpy()
        self._ids = Texts(rows["item_id"])
        self._titles = Texts(rows["title"])
        self._categories = TextLists(rows["categories"])
        self.popularity: np.ndarray = rows["popularity"].to_numpy()
        self.mean_rating: np.ndarray = rows["mean_rating"].to_numpy()
        self.co_items = Lists(rows["co_items"])
        self.co_weights = Lists(rows["co_weights"])
        self.links = Lists(rows["links"])
        self.link_weight: np.ndarray = links["weight"].to_numpy()
        self._relation_of = links["relation"].indices.to_numpy()
        self._relations = Names(links["relation"].dictionary)
        self._link_label = Texts(links["label"])

    def __len__(self) -> int:
        return len(self._ids)

    def code(self, item_id: str) -> int:
        """The code of an item, or -1."""
        return find(self._hashes, self._ids, item_id)

    def item_id(self, code: int) -> str:
        """The id of an item."""
        return self._ids[code]

    def item_ids(self, codes: np.ndarray) -> list[str]:
        """The id of each of some items."""
        return self._ids.of(codes)

    def title(self, code: int) -> str:
        """The title of an item."""
        return self._titles[code]

    def titles(self, codes: np.ndarray) -> list[str]:
        """The title of each of some items."""
        return self._titles.of(codes)

    def categories(self, code: int) -> list[str]:
        """The categories of an item."""
        return self._categories[code]

    def first_categories(self, codes: np.ndarray) -> list[str]:
        """The first category of each of some items, "" where an item has none."""
        return self._categories.firsts(codes)

    def relation(self, code: int) -> str:
        """Relation of an edge."""
        return self._relations[self._relation_of.item(code)]

    @cached_property
    def marks(self) -> np.ndarray:
        """Room for a number an item, (I,), for whoever joins lists of items: -1, and left so. Not for threads."""
        return np.full(len(self), -1, np.int32)

    @cached_property
    def link_marks(self) -> np.ndarray:
        """Likewise a number an edge, (L,)."""
        return np.full(len(self.link_weight), -1, np.int32)

    def link(self, code: int) -> tuple[str, str]:
        """Relation and tail of an edge."""
        return self.relation(code), self._link_label[code]
