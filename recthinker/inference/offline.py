"""The quick offline figure: the agent beside simple systems on the same candidates of the same users."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from recthinker.agent import Agent, Outcome
from recthinker.evaluation import CutRows, compare, held_out_users, requests
from recthinker.evaluation.baselines import history_matrix, itemknn_scores, popularity_scores, random_scores
from recthinker.inference.batch import run_episodes
from recthinker.inference.engine import Engine
from recthinker.lookup import FeatureRows, RequestRow, Snapshot, write_snapshot
from recthinker.settings import Settings

SUBJECT = "agent"


def evaluation_requests(cut: CutRows, settings: Settings) -> pa.Table:
    """Each user's newest held-out event among random items that the user does not have."""
    return requests(
        held_out_users(cut),
        sorted(cut.item_metadata["item_id"].to_pylist()),
        positions=range(1, 2),
        negatives=settings.evaluation.negatives,
        hard_share=0.0,
        seed=settings.evaluation.seed,
    )


def evaluate_agent(
    engine: Engine,
    agent: Agent,
    cut: CutRows,
    features: FeatureRows,
    settings: Settings,
    *,
    ds: str,
    folder: Path,
    command: str,
    on_done: Callable[[Outcome], None] = lambda outcome: None,
) -> dict[str, Any]:
    """The evaluation of `recthinker.evaluation.compare`, with the outcomes of the agent's episodes added.

    A fallback counts with the order that would be served, like any other answer.

    Args:
        cut: a cut that takes away at least each user's last event.
        features: its feature tables.
        folder: where the lookup snapshot of the evaluation may be written.
        command: how a reader gets the same figures.
    """
    asked = evaluation_requests(cut, settings)
    write_snapshot(folder, asked, features, ds=ds, shards=1, min_users=settings.tools.privacy_min_users)
    snapshot = Snapshot(folder)
    rows = [snapshot.request(key) for key in asked["key"].to_pylist()]
    scores, outcomes = _agent_scores(engine, agent, snapshot, rows, settings.inference.max_in_flight, on_done)
    candidates = np.stack([row.candidates for row in rows])
    targets = np.array([snapshot.items.code(item) for item in asked["target"].to_pylist()])
    matrix = history_matrix(_histories(cut, rows, snapshot), len(snapshot.items))
    knn = itemknn_scores(matrix, candidates, neighbours=settings.evaluation.itemknn_neighbours)
    figures = compare(
        {
            SUBJECT: scores,
            "random": random_scores(candidates, seed=settings.evaluation.seed),
            "popularity": popularity_scores(matrix, candidates),
            "ItemKNN": knn,
        },
        (candidates == targets[:, None]).argmax(axis=1),
        settings.evaluation,
        subject=SUBJECT,
        left_out=len(set(cut.user_history["user_id"].to_pylist())) - len(rows),
        command=command,
    )
    return figures | {"outcomes": outcomes}


def _agent_scores(
    engine: Engine,
    agent: Agent,
    snapshot: Snapshot,
    rows: Iterable[RequestRow],
    max_in_flight: int,
    on_done: Callable[[Outcome], None],
) -> tuple[np.ndarray, dict[str, int]]:
    """The agent's score of each candidate, (U, N), in the order of `rows`; and the outcomes."""
    rows = list(rows)
    found: dict[str, np.ndarray] = {}
    outcomes: dict[str, int] = {}
    episodes = run_episodes(engine, agent, snapshot.items, rows, max_in_flight=max_in_flight, on_done=on_done)
    for episode in episodes:
        scores = np.empty(len(episode.scene.request.candidates))
        for place, score in episode.ranking():
            scores[place] = score
        found[episode.scene.request.key] = scores
        outcomes[str(episode.outcome)] = outcomes.get(str(episode.outcome), 0) + 1
    return np.stack([found[row.key] for row in rows]), outcomes


def _histories(cut: CutRows, rows: list[RequestRow], snapshot: Snapshot) -> list[list[int]]:
    """Every item code that each user has in the cut, uncapped."""
    owned: dict[str, set[str]] = {row.user_id: set() for row in rows}
    users, items = (cut.interactions[name].to_pylist() for name in ("user_id", "item_id"))
    for user, item in zip(users, items, strict=True):
        if user in owned:
            owned[user].add(item)
    codes = {item: snapshot.items.code(item) for items in owned.values() for item in items}
    return [[codes[item] for item in owned[row.user_id]] for row in rows]
