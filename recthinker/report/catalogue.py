"""What was recommended, against the catalogue, the histories and the candidates. No reading, no drawing.

Arrays are named by what they hold one value of: `_N` items of the catalogue, `_R` recommendations, `_H`
events of the histories, `_C` candidates of all users in a row, `_S` candidate sources. Items are positions in
the catalogue.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recthinker.errors import TableContractError
from recthinker.report.data import Rows

Ints = NDArray[np.int64]
MOST_BINS = 12
"""Popularity bins that fit side by side on a phone."""


@dataclass(frozen=True, slots=True)
class PopularityBin:
    """Items whose number of events lies in [`low`, `high`], and the share that each series has there."""

    low: int
    high: int
    catalogue: float
    histories: float
    recommended: float


@dataclass(frozen=True, slots=True)
class Popularity:
    """Events per item: over the catalogue's items, the histories' events and the recommendations."""

    bins: tuple[PopularityBin, ...]
    catalogue_median: float
    histories_median: float
    recommended_median: float


@dataclass(frozen=True, slots=True)
class Mix:
    """How often something occurs in two series, each as a share in [0, 1]."""

    name: str
    before: float
    """Histories' events, or candidates."""
    recommended: float


@dataclass(frozen=True, slots=True)
class TopItem:
    """An item that many users were recommended."""

    title: str
    users: int
    user_share: float
    popularity: int


@dataclass(frozen=True, slots=True)
class Order:
    """How far the published lists are from the candidate order."""

    kept_share: float
    """Published items that the candidate order would have published too."""
    first_kept_share: float
    """Users whose first item is the first candidate."""
    median_position: float
    """Median position in the candidate order of what was published, from 1."""


class Catalogue:
    """The night's recommendations, events and candidates as positions in the catalogue.

    Events of items that the catalogue does not hold are left out.

    Raises:
        TableContractError: a recommendation is not among its user's candidates, or a candidate is not in the
            catalogue.
    """

    def __init__(self, rows: Rows) -> None:
        self._metadata = rows.metadata
        self.size = rows.metadata.num_rows
        self._popularity_N: Ints = rows.metadata["popularity"].to_numpy()
        lists = rows.candidates["items"].combine_chunks()
        structs = pc.list_flatten(lists)
        self._user_C: Ints = pc.list_parent_indices(lists).to_numpy().astype(np.int64)
        self._item_C = self._known(structs.field("item_id"), "candidates", rows.ds)
        self._position_C = np.arange(len(self._item_C)) - np.searchsorted(self._user_C, self._user_C) + 1
        self._sources_C = structs.field("sources")
        self._item_R = self._known(rows.recommendations["item_id"].combine_chunks(), "recommendations", rows.ds)
        self._rank_R: Ints = rows.recommendations["rank"].to_numpy()
        user = pc.index_in(rows.recommendations["user_id"], value_set=rows.candidates["user_id"].combine_chunks())
        self._user_R: Ints = user.fill_null(-1).to_numpy().astype(np.int64)
        self._candidate_R = self._find_candidates(rows.ds)
        events = pc.list_flatten(rows.histories["events"].combine_chunks()).field("item_id")
        self._item_H: Ints = pc.index_in(events, value_set=self._ids()).drop_null().to_numpy().astype(np.int64)

    @property
    def recommended_items(self) -> int:
        """Different items recommended to anyone."""
        return len(np.unique(self._item_R))

    @property
    def candidate_items(self) -> int:
        """Different items that were anyone's candidate."""
        return len(np.unique(self._item_C))

    def popularity(self) -> Popularity:
        """Events per item in bins that double in width (or more, so that there are at most `MOST_BINS`)."""
        bits = int(self._popularity_N.max()).bit_length()
        step = -(-bits // (MOST_BINS - 1)) or 1
        lows = [0, *(2**power for power in range(0, bits, step))]
        edges = np.array([*lows, 2 ** (step * (len(lows) - 1))])
        series = (self._popularity_N, self._popularity_N[self._item_H], self._popularity_N[self._item_R])
        shares = [np.histogram(values, edges)[0] / max(len(values), 1) for values in series]
        bins = tuple(
            PopularityBin(int(edges[i]), int(edges[i + 1]) - 1, *(float(share[i]) for share in shares))
            for i in range(len(lows))
        )
        return Popularity(bins, *(float(np.median(values)) if len(values) else float("nan") for values in series))

    def categories(self, most: int) -> list[Mix]:
        """Share of events, and of recommendations, whose item has a category.

        The `most` categories most frequent in histories. An item may have several: shares need not sum to 1.
        """
        lists = self._metadata["categories"].combine_chunks()
        owner = pc.list_parent_indices(lists).to_numpy()
        names = pc.list_flatten(lists).dictionary_encode()
        labels, code = names.dictionary.to_pylist(), names.indices.to_numpy()
        pairs = np.unique(np.stack([owner, code]), axis=1) if len(owner) else np.empty((2, 0), dtype=np.int64)
        shares = [
            np.bincount(pairs[1], np.bincount(items, minlength=self.size)[pairs[0]], len(labels)) / max(len(items), 1)
            for items in (self._item_H, self._item_R)
        ]
        mixes = [Mix(*row) for row in zip(labels, *(share.tolist() for share in shares), strict=True)]
        return sorted(mixes, key=lambda mix: (-mix.before, mix.name))[:most]

    def sources(self) -> list[Mix]:
        """Share of candidates, and of recommendations, that a source offered; several may offer one."""
        owner = pc.list_parent_indices(self._sources_C).to_numpy()
        names = pc.list_flatten(self._sources_C).dictionary_encode()
        offered_CS = np.zeros((len(self._item_C), len(names.dictionary)), dtype=bool)
        offered_CS[owner, names.indices.to_numpy()] = True
        before, recommended = offered_CS.mean(axis=0), offered_CS[self._candidate_R].mean(axis=0)
        rows = zip(names.dictionary.to_pylist(), before.tolist(), recommended.tolist(), strict=True)
        return sorted((Mix(*row) for row in rows), key=lambda mix: (-mix.recommended, mix.name))

    def order(self) -> Order:
        """How the published lists differ from the candidate order."""
        position_R = self._position_C[self._candidate_R]
        length_R = np.bincount(self._user_R)[self._user_R]
        first = self._rank_R == 1
        return Order(
            kept_share=float((position_R <= length_R).mean()),
            first_kept_share=float((position_R[first] == 1).mean()),
            median_position=float(np.median(position_R)),
        )

    def top_items(self, most: int) -> list[TopItem]:
        """The items recommended to most users; ties by title."""
        users_N = np.bincount(self._item_R, minlength=self.size)
        asked = len(np.unique(self._user_R))
        titles = self._metadata["title"]
        items = [
            TopItem(titles[n].as_py(), int(users_N[n]), users_N[n] / asked, int(self._popularity_N[n]))
            for n in np.flatnonzero(users_N).tolist()
        ]
        return sorted(items, key=lambda item: (-item.users, item.title))[:most]

    def _ids(self) -> pa.Array:
        return self._metadata["item_id"].combine_chunks()

    def _known(self, ids: pa.Array, table: str, ds: str) -> Ints:
        found = pc.index_in(ids, value_set=self._ids())
        if found.null_count:
            stray = ids.filter(found.is_null())[0].as_py()
            raise TableContractError(
                f"table {table}, ds={ds}, should hold items of item_metadata only, found {found.null_count} "
                f"others (item_id={stray}); build features, candidates and recommendations of {ds} again, in "
                "this order"
            )
        return np.asarray(found.to_numpy(), dtype=np.int64)

    def _find_candidates(self, ds: str) -> Ints:
        """For each recommendation the place of its candidate."""
        key_C = self._user_C * self.size + self._item_C
        key_R = self._user_R * self.size + self._item_R
        by_key = np.argsort(key_C)
        place = np.minimum(np.searchsorted(key_C, key_R, sorter=by_key), len(key_C) - 1)
        candidate_R = by_key[place]
        strays = int((key_C[candidate_R] != key_R).sum())
        if strays:
            raise TableContractError(
                f"table recommendations, ds={ds}, should hold candidates of their users only, found {strays} "
                "others; the two are of different runs: run the night again from the snapshot on"
            )
        return np.asarray(candidate_R, dtype=np.int64)
