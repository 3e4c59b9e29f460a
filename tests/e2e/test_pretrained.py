"""Users ranked end to end by a real pretrained instruct model, SmolLM2-135M, in the hermes format.

So small a model calls a tool as the prompt shows it, seldom keeps to the format afterwards, and says nothing about how
well a large one ranks. What is shown is that real ChatML tokens go in and out, that a call it wrote runs, and that
whatever is written ends as an outcome and as rows that may be published.
"""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from recthinker.agent import HermesFormat, Outcome, load_format
from tests import little_world as world

pytestmark = [pytest.mark.vllm, pytest.mark.slow, pytest.mark.e2e]

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "var" / "models" / "smollm2"
RANKINGS = ("labels", "generate")


@pytest.fixture(scope="module")
def model() -> Path:
    """The model folder, made where it is missing; without network the tests are left out."""
    made = subprocess.run([ROOT / "scripts" / "smollm2.sh", MODEL], capture_output=True, text=True, timeout=600)
    if made.returncode:
        pytest.skip(f"the model could not be fetched: {(made.stderr or made.stdout).strip()[-300:]}")
    return MODEL


@pytest.fixture(scope="module")
def folder(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pretrained")
    command = [sys.executable, "-m", "tests.inference.pretrained_run", str(model), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return path


def rows(folder: Path, ranking: str, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(folder / ranking / f"{table}.parquet").to_pylist()
    return found


def test_every_user_ends_with_an_outcome_and_valid_rows(folder: Path) -> None:
    served = {}
    for ranking in RANKINGS:
        summary = json.loads((folder / ranking / "summary.json").read_text(encoding="utf-8"))
        assert sum(summary["outcomes"].values()) == summary["users"] > 0
        assert summary["outcomes"].keys() <= set(Outcome) - {Outcome.FALLBACK_ERROR, Outcome.FALLBACK_TIMEOUT}
        for row in rows(folder, ranking, "recommendations"):
            served.setdefault(row["user_id"], []).append((row["rank"], row["item_id"], row["score"]))
    assert served.keys() == world.OFFERED.keys()
    for user, places in served.items():
        assert [rank for rank, _, _ in places] == list(range(1, len(places) + 1))
        assert sorted(item for _, item, _ in places) == sorted(world.OFFERED[user])
        scores = [score for _, _, score in places]
        assert all(map(math.isfinite, scores))
        assert scores == sorted(scores, reverse=True)


def test_labels_are_scored_whatever_the_model_wrote(folder: Path, model: Path) -> None:
    labels = load_format(model, "hermes").label_ids
    for row in rows(folder, "labels", "trajectories"):
        assert row["status"] in (Outcome.RANKED, Outcome.REPAIRED)
        assert row["token_ids"][-2] in labels[: len(row["ranking"])]
        assert row["logprobs"][-2] == max(row["scores"])


def test_a_call_that_a_real_model_wrote_runs(folder: Path) -> None:
    calls = [
        call for ranking in RANKINGS for row in rows(folder, ranking, "trajectories") for call in row["tool_calls"]
    ]
    assert any(call["ok"] and call["rows"] for call in calls)


def test_turns_are_real_chatml_and_data_is_text(folder: Path, model: Path) -> None:
    chat = load_format(model, "hermes")
    assert isinstance(chat, HermesFormat)
    end, start, *_ = chat.stop_ids
    for ranking in RANKINGS:
        for row in rows(folder, ranking, "trajectories"):
            given = [id_ for id_, written in zip(row["token_ids"], row["agent_mask"], strict=True) if not written]
            spoken = sum(turn["role"] == "agent" for turn in row["turns"])
            # System, user, assistant; then each tool's result, or the question for the answer, and assistant again.
            assert given.count(start) == 3 + 2 * spoken
            assert row["token_ids"][0] == start
            assert (row["token_ids"][-1] == end) or row["status"] == Outcome.FALLBACK_INVALID
            # What is written on after a call is not kept.
            assert 0 < sum(row["agent_mask"]) <= row["tokens"]["generated"]
            written = [p for p, mask in zip(row["logprobs"], row["agent_mask"], strict=True) if mask]
            assert all(p <= 0 for p in written)


def test_each_turn_is_a_call_an_answer_or_told_to_be_neither(folder: Path) -> None:
    for ranking in RANKINGS:
        for row in rows(folder, ranking, "trajectories"):
            spoken = sum(turn["role"] == "agent" for turn in row["turns"])
            reason = row["stop_reason"].split(":")[0]
            if row["status"] != Outcome.FALLBACK_INVALID:
                assert reason in ("answered", "unfinished_turn", "call_limit", "token_limit")
            assert len(row["tool_calls"]) == spoken - 1
