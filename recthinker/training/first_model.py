"""The first model, from nothing to a folder that serves: the base model, then SFT on the planner's demonstrations.

Everything is drawn from a training cut, so no statistic that the model reads contains its target, and the newest event
of each user is never a target: it is left to evaluation.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recthinker.agent import Agent, CompactFormat
from recthinker.evaluation import CutRows, read_targets, write_targets
from recthinker.lookup import FeatureRows
from recthinker.settings import RankingName, Settings
from recthinker.training.base_model import BaseModel, OnStep, keep_base
from recthinker.training.demonstrations import Demonstration, answer_tokens, demonstrate, sft_example
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
    assert isinstance(agent.chat, CompactFormat)
    count, seed = settings.training.sft_episodes, stage_seed(settings.training.seed, "sft")
    asked = training_requests(cut, features, settings, ds=ds, folder=folder / "snapshot", count=count, seed=seed)
    drawn: list[Demonstration] = []
    for one in demonstrate(agent, asked.snapshot.items, asked.rows, asked.targets, random_share=RANDOM_SHARE):
        drawn.append(one)
        on_step("sft episodes", len(drawn), count, None)
    loss = train_sft(
        base.folder,
        [sft_example(one, agent.chat.end_id, settings.agent.ranking) for one in drawn],
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
        sample=marked(drawn[0], agent.chat, settings.agent.ranking),
    )


def marked(demonstration: Demonstration, chat: CompactFormat, ranking: RankingName) -> str:
    """A demonstration as text, with what SFT learns in [[ ]]."""
    parts, start = [], 0
    for end in range(1, len(demonstration.ids) + 1):
        if end == len(demonstration.ids) or demonstration.mask[end] != demonstration.mask[start]:
            text = chat.text(demonstration.ids[start:end])
            parts.append(f"[[{text}]]" if demonstration.mask[start] else text)
            start = end
    return " ".join([*parts, f"[[{chat.text(answer_tokens(demonstration, ranking))}]]"])
