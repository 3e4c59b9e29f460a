"""What the gate decided on a retraining's model, where people look for it: in MLflow and on the model's card."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recthinker.errors import RegistryError
from recthinker.registry import ModelVersion, Registry, Retrainings
from recthinker.registry.registering import CARD_FILE
from recthinker.settings import Settings
from recthinker.training.card import model_card
from recthinker.training.challenger import done
from recthinker.training.retrain_plan import RetrainPlan


def log_verdict(
    settings: Settings,
    plan: RetrainPlan,
    run_dir: Path,
    decision: Mapping[str, Any],
    *,
    challenger: ModelVersion,
    serving: ModelVersion | None,
) -> None:
    """Log the decision with both evaluations to the retraining's run, and write the card again with the figures.

    Args:
        decision: gate.json.
        challenger: the version that was measured against `serving`, or against no version.

    Raises:
        RegistryError: an evaluation is not beside its version, or MLflow does not take it.
    """
    registry = Registry(settings)
    new = registry.evaluation(challenger)
    if new is None:
        raise RegistryError(f"{challenger} has no evaluation beside it; run evaluate_model for it again")
    # Of a model by path none is kept.
    old = registry.evaluation(serving) if serving else None
    Retrainings(settings).log_gate(plan.mlflow_run, decision, new, old, model_id=registry.logged_model(challenger))
    card = model_card(settings.model.name, plan, done(run_dir), evaluation=new, decision=decision)
    registry.log_text(challenger, card, CARD_FILE)
