"""The quick offline figure: the agent beside simple systems on the same candidates of the same users."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse

from recthinker.agent import Agent, CompactFormat
from recthinker.evaluation import CutRows, compare, held_out_users, requests
from recthinker.evaluation.baselines import history_matrix, itemknn_scores, popularity_scores, random_scores
from recthinker.inference.batch import run_episodes
from recthinker.inference.engine import Engine
from recthinker.inference.engines import open_engine
from recthinker.inference.progress import BatchProgress
from recthinker.lookup import RequestRow, Snapshot, write_snapshot
from recthinker.lookup.cut import read_cut
from recthinker.settings import EvaluationSettings, Settings

COMMAND = "recthinker evaluate"
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


def evaluate_model(
    model_dir: Path,
    settings: Settings,
    *,
    ds: str,
    folder: Path,
    on_progress: Callable[[BatchProgress], None] = lambda progress: None,
) -> dict[str, Any]:
    """The evaluation of a model folder, as `recthinker.evaluation.compare` gives it, with the episodes' outcomes.

    The cut is the one that takes each user's last event away. A fallback counts with the order that would be served.

    Args:
        ds: date that the cut was built for.
        folder: where the lookup snapshot of the evaluation may be written.
    """
    cut, features, _ = read_cut(settings.paths, "holdout_last_1", ds, grace_h=settings.features.arrival_grace_h)
    asked = evaluation_requests(cut, settings)
    write_snapshot(folder, asked, features, ds=ds, shards=1, min_users=settings.tools.privacy_min_users)
    snapshot = Snapshot(folder)
    shard = snapshot.requests(0)
    rows = [row for key in asked["key"].to_pylist() if (row := shard.get(key))]
    agent = Agent.build(CompactFormat.load(model_dir), settings.agent, settings.tools)
    engine = open_engine(model_dir, agent, settings)
    scores, outcomes = _agent_scores(engine, agent, snapshot, rows, settings.inference.max_in_flight, on_progress)
    candidates = np.stack([row.candidates for row in rows])
    targets = np.array([snapshot.items.code(item) for item in asked["target"].to_pylist()])
    matrix = history_matrix(_histories(cut, rows, snapshot), len(snapshot.items))
    figures = compare(
        {SUBJECT: scores, **_baselines(matrix, candidates, settings.evaluation)},
        (candidates == targets[:, None]).argmax(axis=1),
        settings.evaluation,
        subject=SUBJECT,
        left_out=features.user_profile.num_rows - len(rows),
        command=COMMAND,
    )
    return figures | {"outcomes": outcomes}


def _baselines(
    matrix: sparse.csr_matrix, candidates: np.ndarray, settings: EvaluationSettings
) -> dict[str, np.ndarray]:
    return {
        "random": random_scores(candidates, seed=settings.seed),
        "popularity": popularity_scores(matrix, candidates),
        "ItemKNN": itemknn_scores(matrix, candidates, neighbours=settings.itemknn_neighbours),
    }


def _agent_scores(
    engine: Engine,
    agent: Agent,
    snapshot: Snapshot,
    rows: list[RequestRow],
    max_in_flight: int,
    on_progress: Callable[[BatchProgress], None],
) -> tuple[np.ndarray, dict[str, int]]:
    """The agent's score of each candidate, (U, N), in the order of `rows`; and the outcomes."""
    found: dict[str, np.ndarray] = {}
    progress = BatchProgress(total=len(rows))
    for episode in run_episodes(engine, agent, snapshot.items, rows, max_in_flight=max_in_flight):
        scores = np.empty(len(episode.scene.request.candidates))
        for place, score in episode.ranking():
            scores[place] = score
        found[episode.scene.request.key] = scores
        progress.count(episode)
        on_progress(progress)
    outcomes = {str(outcome): count for outcome, count in progress.outcomes.items()}
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
