"""Which checkpoint a training that was killed goes on from.

Source: transformers 5.17, `Trainer._save_checkpoint`: a checkpoint is written file by file into its own folder, the
trainer's state last, and older ones are removed after that. `get_last_checkpoint` takes the newest folder, half written
or not.
"""

import json
import shutil
from pathlib import Path

from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR


def last_checkpoint(folder: Path) -> str | None:
    """The newest whole checkpoint in `folder`; None: there is none. Newer ones, half written, are removed."""
    found = sorted(folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*"), key=lambda path: -int(path.name.rpartition("-")[2]))
    for path in found:
        if _is_whole(path):
            return str(path)
        shutil.rmtree(path)
    return None


def _is_whole(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / TRAINER_STATE_NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    return True
