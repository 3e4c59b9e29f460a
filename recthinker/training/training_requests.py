"""The requests that a stage of training asks: of a training cut, each with the item that was really chosen.

No statistic that an episode reads contains its target, and the newest event of each user is never one: it is left to
evaluation.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recthinker.errors import TrainingError
from recthinker.evaluation import CutRows, held_out_users, requests, target_hashes
from recthinker.lookup import FeatureRows, RequestRow, Snapshot, write_snapshot
from recthinker.settings import Settings


@dataclass(frozen=True, slots=True)
class TrainingRequests:
    """Requests with a known answer."""

    snapshot: Snapshot
    rows: list[RequestRow]
    """In the order drawn."""
    targets: dict[str, int]
    """Code of the item really chosen, by request key."""
    hashes: np.ndarray
    """Of all targets, as they travel with a model, (T,) uint64."""


def training_requests(
    cut: CutRows, features: FeatureRows, settings: Settings, *, ds: str, folder: Path, count: int, seed: int
) -> TrainingRequests:
    """`count` requests of a training cut, and the lookup snapshot that answers their tools.

    Args:
        cut: the training cut's rows; `features` its feature tables.
        folder: where the snapshot is written; one that is there is replaced.
        seed: of users, positions, negatives and their order; of each stage its own (`stage_seed`).

    Raises:
        TrainingError: the cut holds no event that could be a target.
    """
    training = settings.training
    asked = requests(
        held_out_users(cut),
        sorted(features.item_metadata["item_id"].to_pylist()),
        positions=range(2, training.holdout_last + 1),
        negatives=settings.candidates.max_items - 1,
        hard_share=training.hard_share,
        seed=seed,
        count=count,
    )
    if not asked.num_rows:
        raise TrainingError(
            f"the training cut holds no event at positions 2 to {training.holdout_last} that could be a target; "
            "ingest more interactions, lower training.holdout_last, or lower training.hard_share if it is 1"
        )
    write_snapshot(folder, asked, features, ds=ds, shards=1, min_users=settings.tools.privacy_min_users)
    snapshot = Snapshot(folder)
    keys, users, targets = (asked[name].to_pylist() for name in ("key", "user_id", "target"))
    shard = snapshot.requests(0)
    return TrainingRequests(
        snapshot=snapshot,
        rows=[row for key in keys if (row := shard.get(key))],
        targets={key: snapshot.items.code(item) for key, item in zip(keys, targets, strict=True)},
        hashes=target_hashes(users, targets),
    )


def stage_seed(seed: int, stage: str) -> int:
    """The seed of one stage, so that each draws requests of its own."""
    return int.from_bytes(hashlib.blake2b(f"{seed}|{stage}".encode(), digest_size=4).digest(), "big")
