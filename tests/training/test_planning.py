from pathlib import Path

import pytest

from recthinker.errors import ConfigError
from recthinker.training.planning import require_stages
from recthinker.training.retrain_plan import STAGES
from tests.training.blank_retraining import finish


def test_all_stages_and_any_that_start_from_nothing(tmp_path: Path) -> None:
    assert require_stages(STAGES, tmp_path) == STAGES
    assert require_stages(["base"], tmp_path) == ("base",)
    assert require_stages(["collect", "select"], tmp_path) == ("collect", "select")


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (["sft", "grpo"], "base, collect, select, sft, rl; found grpo"),
        ([], "found none"),
        (["collect", "base"], "in the order base, collect, select, sft, rl; found collect, base"),
        (["base", "base"], "run once each"),
        (["rl"], "stage rl starts from what sft leaves.*add sft to --stages"),
        (["base", "collect", "sft"], "stage sft starts from what select leaves"),
    ],
)
def test_stages_that_cannot_be_run(stages: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        require_stages(stages, tmp_path)


def test_hole_is_none_where_the_stage_is_done(tmp_path: Path) -> None:
    finish(tmp_path, "sft", text="m")
    assert require_stages(["rl"], tmp_path) == ("rl",)
    finish(tmp_path, "select")
    assert require_stages(["base", "collect", "sft"], tmp_path) == ("base", "collect", "sft")
