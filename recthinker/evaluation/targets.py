"""Which targets a model was trained on, as hashes that travel with it: a model may not be measured on those.

Trainers write the file beside the weights; the gate refuses a model without one, since nobody knows what it learned.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

TARGETS_FILE = "training_targets.npy"


def target_hashes(user_ids: Iterable[str], item_ids: Iterable[str]) -> np.ndarray:
    """The 64-bit hashes of (user, target item), each once, ascending, (T,) uint64; the same on every machine."""
    pairs = zip(user_ids, item_ids, strict=True)
    # The length of the first keeps ("a", "bc") and ("ab", "c") apart.
    texts = {f"{len(user)}|{user}{item}" for user, item in pairs}
    digests = b"".join(hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
    return np.unique(np.frombuffer(digests, np.uint64))


def write_targets(model_dir: Path, hashes: np.ndarray) -> None:
    """Keep the hashes of the training targets beside a model."""
    np.save(model_dir / TARGETS_FILE, hashes, allow_pickle=False)


def read_targets(model_dir: Path) -> np.ndarray | None:
    """The hashes kept beside a model, (T,) uint64; None where it does not tell."""
    path = model_dir / TARGETS_FILE
    if not path.is_file():
        return None
    hashes: np.ndarray = np.load(path, allow_pickle=False)
    return hashes
