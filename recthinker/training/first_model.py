"""The first model, from nothing to a folder that serves: the base model, then SFT on the planner's demonstrations.

Everything is drawn from a training cut, so no statistic that the model reads contains its target, and the newest event
of each user is never a target: it is left to evaluation.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recthinker.agent import Agent
from recthinker.evaluation import CutRows, read_targets, write_targets
from recthinker.inference.evidence_weights import EvidenceWeights
from recthinker.lookup import FeatureRows
from recthinker.settings import Settings
from recthinker.training.base_model import WEIGHTS, BaseModel, OnStep, draw_demonstrations, keep_base
from recthinker.training.demonstrations import sft_example
from recthinker.training.examples import marked
from recthinker.training.sft import train_sft
from recthinker.training.training_requests import stage_seed, training_requests

RANDOM_SHARE = 0.05
"""Episodes that follow a random plan; the model that serves should keep to the planner's."""


@dataclass(frozen=True, slots=True)
class FirstModel:
    """What training left."""

    folder: Path
    base: BaseModel
    losses: dict[str, float]
    """Final loss by stage, nats per token."""
    sample: str
    """One demonstration as text, what is learned in SFT marked."""


def train_first_model(
    cut: CutRows, features: FeatureRows, settings: Settings, *, ds: str, folder: Path, on_step: OnStep
) -> FirstModel:
    """Train and write the model folder `folder/model`.

    Args:
        cut: the training cut's rows; `features` its feature tables.
        folder: where everything that training writes goes, but for the base model.

    Raises:
        ConfigError: settings name another chat format than compact, the only one that a new model learns.
        TrainingError: the cut gives no episodes, or training diverged.
    """
    base, _ = keep_base(cut, features, settings, ds=ds, on_step=on_step)
    agent = Agent.load(base.folder, settings.agent, settings.tools)
    count, seed = settings.training.sft_episodes, stage_seed(settings.training.seed, "sft")
    asked = training_requests(cut, features, settings, ds=ds, folder=folder / "snapshot", count=count, seed=seed)
    drawn = draw_demonstrations(
        agent,
        asked,
        EvidenceWeights.read(base.folder / WEIGHTS),
        lambda drawn: on_step("sft episodes", drawn, count, None),
        random_share=RANDOM_SHARE,
    )
    examples = [sft_example(one, agent.chat.end_id, settings.agent.ranking) for one in drawn]
    loss = train_sft(
        base.folder,
        examples,
        settings,
        folder=folder,
        on_step=lambda step, steps, loss: on_step("sft", step, steps, loss),
    )
    known = read_targets(base.folder)
    write_targets(folder / "model", asked.hashes if known is None else np.union1d(known, asked.hashes))
    return FirstModel(
        folder=folder / "model",
        base=base,
        losses={"base": base.loss, "sft": loss},
        sample=marked(examples[0], agent.chat),
    )
