"""What the gate decided on a retraining's model, where people look for it: in MLflow and on the model's card."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recthinker.errors import ConfigError
from recthinker.evaluation import kept_figures
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
) -> None:
    """Log the decision with both evaluations to the retraining's run, and write the card again with the figures.

    Args:
        decision: gate.json.
        challenger: the version that it is on.

    Raises:
        ConfigError: the run did not measure it.
        RegistryError: MLflow does not take it.
    """
    registry = Registry(settings)
    new, old = (kept_figures(run_dir, decision[role]) for role in ("challenger", "champion"))
    if new is None:
        raise ConfigError(f"{run_dir} holds no evaluation of {challenger}; run evaluate_model for it again")
    Retrainings(settings).log_gate(plan.mlflow_run, decision, new, old, model_id=registry.logged_model(challenger))
    card = model_card(settings.model.name, plan, done(run_dir), evaluation=new, decision=decision)
    registry.log_text(challenger, card, CARD_FILE)
