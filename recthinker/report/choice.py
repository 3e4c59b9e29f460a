"""Which users the nightly page tells of, whose episodes are traced: by rule, so that nobody picks the pretty ones."""

import hashlib
from collections.abc import Mapping
from itertools import chain, zip_longest

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recthinker.agent import Outcome
from recthinker.report.data import Rows

TRACED_FIRST = (
    Outcome.FALLBACK_ERROR,
    Outcome.FALLBACK_INVALID,
    Outcome.FALLBACK_TIMEOUT,
    Outcome.REPAIRED,
    Outcome.RANKED,
    Outcome.UNCHANGED,
)
"""Outcomes in the order in which their episodes are traced: what went wrong first."""


def choose_users(rows: Rows, stories: int) -> list[tuple[str, str]]:
    """Users to tell of, with the rule that chose each: short history, median, most calls, long history.

    Each rule takes its best user not yet taken, ties by user id, among those whom the agent ranked tonight
    (among all, where it ranked none).
    """
    episodes = rows.trajectories.select(["user_id", "status", "tool_calls"])
    ranked = episodes.filter(
        pc.is_in(episodes["status"], value_set=pa.array([str(Outcome.RANKED), str(Outcome.REPAIRED)]))
    )
    episodes = ranked if ranked.num_rows else episodes
    users = np.array(episodes["user_id"].to_pylist())
    calls = pc.list_value_length(episodes["tool_calls"]).to_numpy()
    lengths = _history_lengths(rows, episodes["user_id"])
    median = np.median(lengths)
    rules = (
        ("the shortest history", (lengths,)),
        ("a history of median length", (np.abs(lengths - median),)),
        ("the most tool calls; of those, the longest history", (-calls, -lengths)),
        ("the longest history", (-lengths,)),
    )
    chosen: dict[str, str] = {}
    for why, keys in rules[:stories]:
        # lexsort takes the last key first
        order = np.lexsort((users, *reversed(keys)))
        user = next((str(users[n]) for n in order if users[n] not in chosen), None)
        if user is not None:
            chosen[user] = why
    return list(chosen.items())


def choose_traced(statuses: Mapping[str, str], count: int, seed: str) -> list[str]:
    """Users whose episodes are traced: one of each outcome, then another of each, until there are `count`.

    Args:
        statuses: outcome by user.
        count: users wanted; fewer where there are fewer.
        seed: another one draws other users.
    """
    drawn = sorted(statuses, key=lambda user: hashlib.blake2b(f"{seed}|{user}".encode()).digest())
    of_outcome = [[user for user in drawn if statuses[user] == outcome] for outcome in TRACED_FIRST]
    in_turn = chain.from_iterable(zip_longest(*of_outcome))
    return [user for user in in_turn if user is not None][:count]


def _history_lengths(rows: Rows, users: pa.ChunkedArray) -> np.ndarray:
    place = pc.index_in(users, value_set=rows.histories["user_id"].combine_chunks())
    lengths = pc.list_value_length(rows.histories["events"]).take(place)
    return np.asarray(lengths.fill_null(0).to_numpy())
