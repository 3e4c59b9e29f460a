"""Item rows of a snapshot. An item is known by its code, its row number; -1 stands for an item not in the catalogue."""

from pathlib import Path

import numpy as np

from recthinker.lookup.files import HASH, Lists, find, open_file


class ItemRows:
    """Memory-mapped item tables.

    Attributes:
        popularity: events of each item before the end of D, (I,).
        mean_rating: mean rating of each item, NaN where none, (I,).
        co_items: codes of the items that an item is interacted with, as lists; `co_cosine` and `co_next` run along:
            the cosine of the pair, and the `next_weight` from that other item to this one.
        links: codes of the knowledge-graph edges of an item, as lists; two items that share (relation, tail) share a
            code. `link_weight`, (L,), is 1 / log2(1 + items with that edge).
    """

    def __init__(self, folder: Path) -> None:
        rows = open_file(folder / "items.arrow")
        links = open_file(folder / "links.arrow")
        self._hashes = rows[HASH].to_numpy()
        self._ids = rows["item_id"]
        self._titles = rows["title"]
        self._categories = rows["categories"]
        self.popularity: np.ndarray = rows["popularity"].to_numpy()
        self.mean_rating: np.ndarray = rows["mean_rating"].to_numpy()
        self.co_items = Lists(rows["co_items"])
        self.co_cosine = Lists(rows["co_cosine"])
        self.co_next = Lists(rows["co_next"])
        self.links = Lists(rows["links"])
        self.link_weight: np.ndarray = links["weight"].to_numpy()
        self._link_relation = links["relation"]
        self._link_label = links["label"]

    def __len__(self) -> int:
        return len(self._ids)

    def code(self, item_id: str) -> int:
        """The code of an item, or -1."""
        return find(self._hashes, self._ids, item_id)

    def item_id(self, code: int) -> str:
        """The id of an item."""
        return str(self._ids[code].as_py())

    def title(self, code: int) -> str:
        """The title of an item."""
        return str(self._titles[code].as_py())

    def categories(self, code: int) -> list[str]:
        """The categories of an item."""
        return list(self._categories[code].as_py())

    def link(self, code: int) -> tuple[str, str]:
        """Relation and tail of an edge."""
        return str(self._link_relation[code].as_py()), str(self._link_label[code].as_py())
