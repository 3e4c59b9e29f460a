"""Requests whose right answer is known: a held-out event of the user among items that the user does not have.

The user's own history grows up to the target; the statistics come from the cut and contain no target. Splitting off
each user's last events does not prevent that other users' later events are in the statistics (RecTools says the same
of its `LastNSplitter`).
"""

import itertools
import random
from dataclasses import dataclass

import pyarrow as pa

from recthinker.errors import TableContractError


@dataclass(frozen=True, slots=True)
class CutRows:
    """What a cut holds of its users, as Arrow tables (recthinker/tables): of one D."""

    user_history: pa.Table
    held_out: pa.Table
    candidates: pa.Table
    interactions: pa.Table
    item_metadata: pa.Table


@dataclass(frozen=True, slots=True)
class HeldOutUser:
    """One user of a cut; lists are newest first."""

    user_id: str
    held_out: list[str]
    """Item at position 1, 2, ..."""
    history: list[str]
    known: frozenset[str]
    """All items that the user has beside those held out; `history` may be cut short."""
    offered: list[str]
    """Items of the candidate sources, best first."""

    @property
    def owned(self) -> frozenset[str]:
        """All items that the user has, held out or not."""
        return self.known | frozenset(self.held_out)

    def history_before(self, position: int) -> list[str]:
        """The user's items before the event held out at `position` (1 = newest), newest first."""
        return self.held_out[position:] + self.history

    def is_new(self, position: int) -> bool:
        """Whether the item held out at `position` was new to the user: what they had before is never recommended."""
        item = self.held_out[position - 1]
        return item not in self.known and item not in self.held_out[position:]


def held_out_users(cut: CutRows) -> list[HeldOutUser]:
    """The users of a cut that have held-out events and a history, by user id.

    Raises:
        TableContractError: there is no such user.
    """
    known: dict[str, set[str]] = {}
    for user, item in zip(*(cut.interactions[name].to_pylist() for name in ("user_id", "item_id")), strict=True):
        known.setdefault(user, set()).add(item)
    taken: dict[str, dict[int, str]] = {}
    for row in cut.held_out.select(["user_id", "position", "item_id"]).to_pylist():
        taken.setdefault(row["user_id"], {})[row["position"]] = row["item_id"]
    history = {row["user_id"]: [e["item_id"] for e in row["events"]] for row in cut.user_history.to_pylist()}
    offered = {row["user_id"]: [i["item_id"] for i in row["items"]] for row in cut.candidates.to_pylist()}
    users = [
        HeldOutUser(
            user,
            [taken[user][p] for p in sorted(taken[user])],
            history[user],
            frozenset(known.get(user, ())),
            offered.get(user, []),
        )
        for user in sorted(taken)
        if user in history
    ]
    if not users:
        raise TableContractError(
            "no user has both held-out events and a history; use a cut that takes fewer events away"
        )
    return users


def requests(
    users: list[HeldOutUser],
    item_ids: list[str],
    *,
    positions: range,
    negatives: int,
    hard_share: float,
    seed: int,
    count: int | None = None,
) -> pa.Table:
    """Requests with their target: key, user_id, candidates, history (newest first), target.

    The target is an item that the user did not have before. It stands among `negatives` others that the user does not
    have, in random order. Where `count` is given, users and positions are drawn in rounds without repetition until
    there are that many.

    Args:
        item_ids: the catalogue, sorted.
        positions: held-out positions that may be targets; 1 = newest.
        hard_share: share of draws whose negatives come from the candidate sources. One whose target these do not offer
            is left out: items picked for being popular or alike would stand beside one that was not, and a model would
            learn to rank against the evidence. Nor is it drawn among random negatives instead, or most of those lists
            would be of targets for which nothing speaks.
    """
    rng = random.Random(seed)
    pairs = [
        (user, position)
        for user in users
        for position in positions
        if position <= len(user.held_out) and user.is_new(position)
    ]
    rows: list[dict[str, object]] = []
    for round_ in itertools.count():
        if count is not None:
            rng.shuffle(pairs)
        drawn = (_request(rng, *pair, round_, item_ids, negatives, hard_share) for pair in pairs)
        found = list(itertools.islice(filter(None, drawn), None if count is None else count - len(rows)))
        rows += found
        if count is None or not found:
            break
    strings = pa.list_(pa.string())
    schema = pa.schema(
        [
            ("key", pa.string()),
            ("user_id", pa.string()),
            ("candidates", strings),
            ("history", strings),
            ("target", pa.string()),
        ]
    )
    return pa.Table.from_pylist(rows, schema)


def _request(
    rng: random.Random,
    user: HeldOutUser,
    position: int,
    round_: int,
    item_ids: list[str],
    negatives: int,
    hard_share: float,
) -> dict[str, object] | None:
    """None where the negatives should come from sources that do not offer the target."""
    target = user.held_out[position - 1]
    is_hard = rng.random() < hard_share
    if is_hard and target not in user.offered:
        return None
    others = _hard(rng, user, negatives) if is_hard else []
    chosen = set(others)
    while len(others) < min(negatives, len(item_ids) - len(user.owned)):
        item = rng.choice(item_ids)
        if item not in user.owned and item not in chosen:
            chosen.add(item)
            others.append(item)
    candidates = [target, *others]
    rng.shuffle(candidates)
    is_single = round_ == 0 and position == 1
    return {
        "key": user.user_id if is_single else f"{user.user_id}#{position}.{round_}",
        "user_id": user.user_id,
        "candidates": candidates,
        "history": user.history_before(position),
        "target": target,
    }


def _hard(rng: random.Random, user: HeldOutUser, count: int) -> list[str]:
    """Items of the candidate sources, mostly the best, none that the user has."""
    free = [item for item in user.offered if item not in user.owned]
    return rng.sample(free, k=min(count, len(free)))
