from typing import Any

import pytest

from recthinker.settings import Settings
from recthinker.training.card import model_card
from recthinker.training.stage import StageResult
from tests.training.blank_retraining import result
from tests.training.test_plan_text import plan

SYSTEM = {"ndcg_low": 0.51, "ndcg_high": 0.53, "hr": 0.8, "hr_low": 0.7, "hr_high": 0.9}
EVALUATION: dict[str, Any] = {
    "users": 900,
    "k": 10,
    "protocol": "Leave last one out.",
    "systems": [{"name": "agent", "ndcg": 0.52, "mrr": 0.4, "mrr_low": 0.3, "mrr_high": 0.5, **SYSTEM}],
    "paired": [{"against": "EASE", "difference": -0.0123, "low": -0.02, "high": 0.001}],
}


def test_card_tells_data_stages_and_how_to_make_it_again(settings: Settings) -> None:
    made = plan(settings, champion="recthinker/3", tables={"user_history": 7}, mlflow_run="abc")
    card = model_card("recthinker", made, [result("base"), drawn_by("recthinker/3"), result("sft", summary="a | b")])
    assert card.startswith("# recthinker: retraining of 2024-03-10, run r1\n")
    assert "`holdout_last_11` of 2024-03-10: statistics without the newest 11 events" in card
    assert "Seed 7. Rollouts were drawn by recthinker/3." in card
    assert "| base | Did base. |\n| collect | Did collect. |\n| sft | a / b |" in card
    assert "| user_history | 7 |" in card
    assert "Not measured yet" in card
    assert "recthinker retrain --ds 2024-03-10 --like abc" in card


@pytest.mark.parametrize(("author", "told"), [("planner", "the scripted planner"), ("base", "the base model")])
def test_card_says_who_drew_the_rollouts_where_the_champion_did_not(author: str, told: str, settings: Settings) -> None:
    made = plan(settings, champion="recthinker/3")
    assert f"Rollouts were drawn by {told}." in model_card("recthinker", made, [drawn_by(author)])
    assert "drawn by" not in model_card("recthinker", made, [])


def drawn_by(author: str) -> StageResult:
    return result("collect", params={"drawn_by": author})


def test_card_of_a_measured_model_has_figures_with_intervals_and_the_decision(settings: Settings) -> None:
    decision = {"champion": "recthinker/3", "headline": "refused (slower): too slow"}
    card = model_card("recthinker", plan(settings), [], evaluation=EVALUATION, decision=decision)
    assert "| agent | 0.5200 [0.5100, 0.5300] | 0.8000 [0.7000, 0.9000] | 0.4000 [0.3000, 0.5000] |" in card
    assert "| EASE | -0.0123 [-0.0200, +0.0010] |" in card
    assert "900 users; Leave last one out." in card
    assert "The gate, against recthinker/3: refused (slower): too slow." in card
    assert "Not measured" not in card
