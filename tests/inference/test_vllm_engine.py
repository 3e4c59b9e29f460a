"""Same in, same out: rankings of a model with random weights do not depend on how the work is cut up.

The temperature is 1, so that every token written hangs on the episode's seed.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.vllm, pytest.mark.slow]

WORKED_OUT = ("ranked", "repaired")


def ways(folder: Path, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.inference.vllm_runs", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads((folder / "ways.json").read_text(encoding="utf-8"))
    return found


def without_scores(way: dict[str, Any]) -> dict[str, Any]:
    return {key: (outcome, places) for key, (outcome, places, _) in way.items()}


def largest_difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    return max(abs(a - b) for key in one for a, b in zip(one[key][2], other[key][2], strict=True))


@pytest.fixture(scope="module")
def in_process(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return ways(tmp_path_factory.mktemp("vllm"))


@pytest.fixture(scope="module")
def in_own_process(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return ways(tmp_path_factory.mktemp("vllm"), "--process")


@pytest.mark.parametrize("way", ["one at a time", "backwards", "two shards"])
def test_rankings_do_not_depend_on_how_many_run_in_which_order_in_how_many_shards(
    way: str, in_process: dict[str, Any]
) -> None:
    expected, found = in_process["all at once"], in_process[way]
    assert len(expected) == 48
    assert {outcome for outcome, *_ in expected.values()} <= set(WORKED_OUT)
    assert without_scores(found) == without_scores(expected)
    # fp32 sums in batches of other sizes: the last bits differ.
    assert largest_difference(found, expected) < 1e-4


def test_it_has_the_threads_that_are_set_though_pytorch_was_there_before(in_process: dict[str, Any]) -> None:
    assert in_process["threads"] == 1


def test_an_engine_in_a_process_of_its_own_gives_the_same(
    in_process: dict[str, Any], in_own_process: dict[str, Any]
) -> None:
    for way in ("all at once", "one at a time"):
        assert without_scores(in_own_process[way]) == without_scores(in_process["all at once"])


def test_a_killed_engine_process_ends_the_batch_with_an_error(in_own_process: dict[str, Any]) -> None:
    assert "vLLM engine" in in_own_process["killed"]
    assert "run the shard again" in in_own_process["killed"]


def test_an_engine_process_that_stands_still_is_told_of(in_own_process: dict[str, Any]) -> None:
    ended, said = in_own_process["hung"]
    assert "the engine hangs" in said
    assert ended == 48
