import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from recthinker.cli.evaluate import show_evaluation
from recthinker.settings import Settings
from tests.report import small_night


@pytest.fixture
def served(tmp_path: Path, settings: Settings) -> Settings:
    """Settings with a model folder that serves."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / name).write_text(name, encoding="utf-8")
    return settings.model_copy(update={"model": settings.model.model_copy(update={"path": folder})})


def shown(settings: Settings, protocol: str) -> str:
    screen = StringIO()
    show_evaluation(settings, protocol, Console(file=screen, width=200))
    return screen.getvalue()


def keep(settings: Settings, name: str, evaluation: dict[str, object]) -> None:
    assert settings.model.path
    (settings.model.path / name).write_text(json.dumps(evaluation), encoding="utf-8")


def test_all_tables_are_printed(served: Settings) -> None:
    keep(served, "evaluation.json", small_night.whole_evaluation())
    lines = shown(served, "leave_last_one").splitlines()

    def row(start: str) -> str:
        return next(" ".join(line.split()) for line in lines if line.startswith(start))

    assert (
        row("ItemKNN")
        == "ItemKNN 0.640 [0.600, 0.700] 0.890 [0.850, 0.950] 0.600 [0.550, 0.650] +0.014 [-0.002, +0.030]"
    )
    assert row("a random order") == "a random order, by rule 0.227 0.500 0.180"
    assert row("In each order") == (
        "In each order shown: 0.650, 0.660; it changes the NDCG of 40% of the users, a user's by 0.080 (sd); ranks "
        "correlate with the order shown by -0.100."
    )
    assert row("rare targets") == "rare targets: at most 5 events 225 0.500 0.450"
    assert row("without co_interactions") == "without co_interactions 0.400 2.00 +0.250 [+0.200, +0.300]"
    assert row("with any call") == "with any call 1.000 [1.000, 1.000] 1.000 [1.000, 1.000] +0.000 [+0.000, +0.000]"
    assert row("with more than 1 call") == (
        "with more than 1 call 0.750 [0.700, 0.800] 0.250 [0.150, 0.350] +0.500 [+0.375, +0.625]"
    )
    assert row("Calls by events") == ("Calls by events before the target: 5-40 2.000 [1.750, 2.250]; 41-41 not told.")
    assert row("Spearman") == (
        "Spearman of calls with these events -0.250 [-0.375, -0.125], with NDCG without tools not told."
    )
    assert "precision 0.900 [0.850, 0.950], by chance 0.800 [0.700, 0.900]; recall 0.750" in row("More than 1 call")
    assert row("NDCG that tools add") == "NDCG that tools add, by calls made: 1 +0.125 [+0.100, +0.150]; 4 not told."
    assert row("1 call ") == (
        "1 call 0.500 [0.400, 0.600] of 500 0.125 [0.025, 0.225] of 400 +0.375 [+0.250, +0.500] +0.250 [+0.200, +0.300]"
    )
    assert row("2 calls") == "2 calls 1.000 [1.000, 1.000] of 290 not told of 9 not told not told"
    assert row("anti-popularity") == "anti-popularity 0.080 quiet not above chance"


def test_an_evaluation_of_before_is_still_shown(served: Settings) -> None:
    keep(served, "evaluation.json", small_night.evaluation())
    assert "ItemKNN" in shown(served, "leave_last_one")


def test_each_protocol_has_a_file_of_its_own(served: Settings) -> None:
    keep(served, "evaluation.json", small_night.evaluation())
    keep(served, "evaluation_temporal.json", small_night.evaluation() | {"users": 128})
    assert "128 users" in shown(served, "temporal:1998-02-01")
    assert "900 users" in shown(served, "leave_last_one")


def test_a_missing_evaluation_is_said(served: Settings) -> None:
    assert "keeps no evaluation" in shown(served, "leave_last_one")
