"""The engine runs on the weights that it was handed, or training stops."""

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = [pytest.mark.vllm, pytest.mark.slow]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("handover")
    command = [sys.executable, "-m", "tests.training.handover_run", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    ways: dict[str, Any] = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    return ways


@pytest.mark.parametrize(
    "way",
    [
        "as it was",
        "changed",
        "by a file",
        "adapters",
        "adapters by a file",
        "adapters, unmerged again",
        "adapters in a folder",
    ],
)
def test_engine_and_trainer_agree(way: str, found: dict[str, Any]) -> None:
    assert found[way] < 1e-4


def test_an_engine_on_old_weights_ends_the_training(found: dict[str, Any]) -> None:
    assert "does not run on these weights" in found["to a deaf engine"]
