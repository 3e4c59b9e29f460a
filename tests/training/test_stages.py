"""What stages that make a model start from: never from what was cut off."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recthinker.errors import ConfigError, TrainingError
from recthinker.settings import Settings
from recthinker.training.rl import train_rl
from recthinker.training.select_stage import EXAMPLES
from recthinker.training.stage import stage_folder
from recthinker.training.stages import make_sft
from recthinker.training.training_requests import TrainingRequests
from tests.training.blank_retraining import finish
from tests.training.test_plan_text import plan


def test_sft_does_not_learn_from_a_selection_that_was_cut_off(settings: Settings, tmp_path: Path) -> None:
    finish(tmp_path, "base", text="base")
    folder = stage_folder(tmp_path, "select")
    folder.mkdir(parents=True)
    # Examples come first; the hashes of their targets, which the gate reads, and the result are missing.
    pq.write_table(pa.table({"input_ids": [[1, 2]], "labels": [[-100, 2]]}), folder / EXAMPLES)
    with pytest.raises(ConfigError, match=r"stage select .* is not done: run select_episodes first"):
        make_sft(plan(settings), settings, tmp_path, lambda *told: None)


def test_rl_needs_the_requests_of_a_step(settings: Settings, tmp_path: Path) -> None:
    none: Any = None
    asked = TrainingRequests(
        snapshot=none, rows=[none] * (settings.rl.requests_per_step - 1), targets={}, hashes=np.array([])
    )
    with pytest.raises(TrainingError, match=r"rl.requests_per_step.*, but the training cut has"):
        train_rl(tmp_path, asked, settings, folder=tmp_path, on_step=lambda *told: None)
