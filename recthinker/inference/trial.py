"""What every system of an evaluation is measured on: the same requests, with a known answer, over a training cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy import sparse

from recthinker.errors import TableContractError
from recthinker.evaluation import CutRows, HeldOutUser, Protocol, held_out_users, requests
from recthinker.evaluation.baselines import history_matrix
from recthinker.lookup import FeatureRows, RequestRow, Snapshot, write_snapshot
from recthinker.lookup.cut import read_cut
from recthinker.settings import Settings
from recthinker.tools import Scene
from recthinker.tools.co_interactions import co_scores

POSITION = 1
"""Of the held-out event that is to be predicted: the newest."""


@dataclass(frozen=True)
class Trial:
    """The requests of an evaluation; arrays run along `rows`, (U,)."""

    snapshot: Snapshot
    rows: Sequence[RequestRow]
    strangers: Sequence[RequestRow]
    """The same candidates, with everything else of another user."""
    candidates: np.ndarray
    """Item codes, (U, N)."""
    target: np.ndarray
    """The target's place among the candidates, (U,)."""
    train: sparse.csr_matrix
    """Who has what in the cut, all users, (V, I)."""
    known: sparse.csr_matrix
    """What each user has before the target, (U, I)."""
    event_counts: np.ndarray
    """Events of each item in the cut, (I,)."""
    left_out: Mapping[str, int]
    """Users without a request, by the reason."""

    @property
    def users(self) -> tuple[str, ...]:
        """User ids."""
        return tuple(row.user_id for row in self.rows)

    @cached_property
    def target_codes(self) -> np.ndarray:
        """The target's item code, (U,)."""
        codes: np.ndarray = self.candidates[np.arange(len(self.target)), self.target]
        return codes

    @cached_property
    def evidence(self) -> dict[str, np.ndarray]:
        """What the tools tell of the candidates, by kind, (U, N)."""
        order = np.arange(self.candidates.shape[1])
        co = [co_scores(Scene(self.snapshot.items, row, order)) for row in self.rows]
        return {
            "next": np.stack([follows for follows, _ in co]),
            "together": np.stack([together for _, together in co]),
            "similar users": np.stack([row.similar_counts.astype(float) for row in self.rows]),
        }

    @property
    def fingerprint(self) -> str:
        """Hash of users, candidates and targets."""
        item_id = self.snapshot.items.item_id
        parts = [
            f"{row.user_id}|{[item_id(int(code)) for code in row.candidates]}|{place}"
            for row, place in zip(self.rows, self.target, strict=True)
        ]
        return sha256("\n".join(parts).encode()).hexdigest()[:16]


def open_trial(settings: Settings, protocol: Protocol, *, ds: str, folder: Path) -> Trial:
    """The requests of a protocol.

    Args:
        ds: date that the cut was built for.
        folder: where the lookup snapshots of the evaluation may be written.

    Raises:
        TableContractError: the protocol's cut was not built for D, or leaves no user to ask for.
    """
    cut, features, _ = read_cut(settings.paths, protocol.cut, ds, grace_h=settings.features.arrival_grace_h)
    return make_trial(cut, features, settings, ds=ds, folder=folder)


def make_trial(cut: CutRows, features: FeatureRows, settings: Settings, *, ds: str, folder: Path) -> Trial:
    """The requests over the rows of a cut and its feature tables; arguments and errors as `open_trial`."""
    users = held_out_users(cut)
    asked = _asked(users, cut, settings)
    snapshot = _snapshot(folder / "own", asked, features, settings, ds)
    strangers = _snapshot(folder / "strangers", exchanged(asked, settings.evaluation.seed), features, settings, ds)
    rows = _rows(snapshot, asked)
    candidates = np.stack([row.candidates for row in rows])
    targets = np.array([snapshot.items.code(item) for item in asked["target"].to_pylist()])
    train, event_counts = _statistics(cut, snapshot)
    return Trial(
        snapshot=snapshot,
        rows=rows,
        strangers=_rows(strangers, asked),
        candidates=candidates,
        target=(candidates == targets[:, None]).argmax(axis=1),
        train=train,
        known=_known(users, rows, cut, snapshot),
        event_counts=event_counts,
        left_out=_left_out(cut, users, len(rows)),
    )


def exchanged(asked: pa.Table, seed: int) -> pa.Table:
    """The same requests, each with user and history of another: all rows go on to the next in a seeded circle."""
    circle = np.random.default_rng(seed).permutation(asked.num_rows)
    stranger = np.empty(len(circle), np.int64)
    stranger[circle] = np.roll(circle, -1)
    for name in ("user_id", "history"):
        place = asked.schema.get_field_index(name)
        asked = asked.set_column(place, name, asked[name].take(pa.array(stranger)))
    return asked


def _asked(users: list[HeldOutUser], cut: CutRows, settings: Settings) -> pa.Table:
    """Each user's newest held-out event, where its item was new to them, among random items that the user does not
    have; lists of one length only.
    """
    asked = requests(
        users,
        sorted(cut.item_metadata["item_id"].to_pylist()),
        positions=range(POSITION, POSITION + 1),
        negatives=settings.evaluation.negatives,
        hard_share=0.0,
        seed=settings.evaluation.seed,
    )
    if not asked.num_rows:
        raise TableContractError("no user's newest event is of an item that was new to them; ingest more interactions")
    lengths = np.diff(asked["candidates"].combine_chunks().offsets.to_numpy())
    return asked.filter(pa.array(lengths == lengths.max()))


def _snapshot(folder: Path, asked: pa.Table, features: FeatureRows, settings: Settings, ds: str) -> Snapshot:
    write_snapshot(folder, asked, features, ds=ds, shards=1, min_users=settings.tools.privacy_min_users)
    return Snapshot(folder)


def _rows(snapshot: Snapshot, asked: pa.Table) -> list[RequestRow]:
    shard = snapshot.requests(0)
    return [row for key in asked["key"].to_pylist() if (row := shard.get(key))]


def _statistics(cut: CutRows, snapshot: Snapshot) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Who has what, all users of the cut, (V, I), and the events of each item, (I,)."""
    owned: dict[str, list[int]] = {}
    code = {snapshot.items.item_id(row): row for row in range(len(snapshot.items))}
    users, items = (cut.interactions[name].to_pylist() for name in ("user_id", "item_id"))
    for user, item in zip(users, items, strict=True):
        owned.setdefault(user, []).append(code[item])
    counts = np.bincount([code[item] for item in items], minlength=len(code))
    return history_matrix([owned[user] for user in sorted(owned)], len(code)), counts


def _known(users: list[HeldOutUser], rows: Sequence[RequestRow], cut: CutRows, snapshot: Snapshot) -> sparse.csr_matrix:
    """What each user has before the target: all of the view, uncapped, and what was taken away but is older."""
    owned: dict[str, set[str]] = {user.user_id: set(user.held_out[1:]) for user in users}
    for user, item in zip(*(cut.interactions[name].to_pylist() for name in ("user_id", "item_id")), strict=True):
        if user in owned:
            owned[user].add(item)
    codes = {item: snapshot.items.code(item) for items in owned.values() for item in items}
    return history_matrix([sorted(codes[item] for item in owned[row.user_id]) for row in rows], len(snapshot.items))


def _left_out(cut: CutRows, users: list[HeldOutUser], asked: int) -> dict[str, int]:
    """Users of the cut without a request."""
    with_history = set(cut.user_history["user_id"].to_pylist())
    with_target = set(cut.held_out["user_id"].to_pylist())
    with_news = [user for user in users if user.is_new(POSITION)]
    counts = {
        "no event taken away to predict": len(with_history - with_target),
        "no event left to know them by": len(with_target - with_history),
        "an item that they had before": len(users) - len(with_news),
        "too few items that they do not have": len(with_news) - asked,
    }
    return {reason: count for reason, count in counts.items() if count}
