"""The first model, from nothing to a folder that serves: tokenizer, demonstrations, base training, SFT.

Everything is drawn from a training cut, so no statistic that the model reads contains its target, and the newest event
of each user is never a target: it is left to evaluation.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from recthinker.agent import Agent, CompactFormat, train_tokenizer
from recthinker.errors import ConfigError
from recthinker.evaluation import CutRows, write_targets
from recthinker.lookup import FeatureRows
from recthinker.settings import RankingName, Settings, TrainingSettings
from recthinker.tools import Toolbox
from recthinker.training.base import Example, train_base
from recthinker.training.demonstrations import (
    Demonstration,
    answer_tokens,
    base_example,
    demonstrate,
    sft_example,
    short_example,
)
from recthinker.training.sft import train_sft
from recthinker.training.tiny import new_model, save_model
from recthinker.training.training_requests import TrainingRequests, training_requests

RANDOM_SHARE_BASE = 0.3
"""Base episodes that follow a random plan, so that the results of every tool are learned."""
RANDOM_SHARE_SFT = 0.05
"""SFT episodes that do; the model that serves should keep to the plan."""

OnStep = Callable[[str, int, int, float | None], None]
"""Called with (stage, step, steps, loss or None)."""


@dataclass(frozen=True, slots=True)
class FirstModel:
    """What training left."""

    folder: Path
    parameters: int
    losses: dict[str, float]
    """Final loss by stage, nats per token."""
    plans: dict[str, int]
    """Base demonstrations by plan."""
    sample: str
    """One demonstration as text, what is learned in SFT marked."""


def train_first_model(
    cut: CutRows, features: FeatureRows, settings: Settings, *, ds: str, folder: Path, on_step: OnStep
) -> FirstModel:
    """Train and write the model folder `folder/model`.

    Args:
        cut: the training cut's rows; `features` its feature tables.
        folder: where everything that training writes goes.

    Raises:
        ConfigError: settings name another chat format than compact, the only one that a new model learns.
        TrainingError: the cut gives no episodes, or training diverged.
    """
    if settings.agent.chat_format != "compact":
        raise ConfigError(
            f"a first model learns the compact chat format, but agent.chat_format is {settings.agent.chat_format}; "
            "set it to compact, or model.path to a pretrained model"
        )
    torch.set_num_threads(settings.training.threads)
    tools = Toolbox(settings.tools).tools
    chat = CompactFormat(train_tokenizer(tokenizer_texts(features), settings.model.vocabulary, tools))
    agent = Agent.build(chat, settings.agent, settings.tools)
    total, seed = settings.training.base_episodes + settings.training.sft_episodes, settings.training.seed
    asked = training_requests(cut, features, settings, ds=ds, folder=folder / "snapshot", count=total, seed=seed)
    base, sft = _demonstrations(agent, asked, settings.training, on_step)
    model = new_model(chat, settings.model, max_length=settings.agent.max_episode_tokens, seed=seed)
    losses = {
        "base": train_base(
            model,
            _short_examples(base, chat, settings.training),
            [base_example(demonstration, chat.end_id) for demonstration in base],
            settings.training,
            pad_id=chat.pad_id,
            on_step=lambda step, steps, loss: on_step("base", step, steps, loss),
        ),
        "sft": train_sft(
            model,
            chat,
            [sft_example(demonstration, chat.end_id, settings.agent.ranking) for demonstration in sft],
            settings.training,
            folder=folder / "sft",
            on_step=lambda step, steps, loss: on_step("sft", step, steps, loss),
        ),
    }
    save_model(model, chat, folder / "model")
    write_targets(folder / "model", asked.hashes)
    return FirstModel(
        folder=folder / "model",
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        losses=losses,
        plans=dict(Counter(" > ".join(demonstration.plan) or "no call" for demonstration in base).most_common(20)),
        sample=marked(sft[0], chat, settings.agent.ranking),
    )


def _short_examples(base: list[Demonstration], chat: CompactFormat, settings: TrainingSettings) -> list[Example]:
    """As many as settings ask for, from the base demonstrations in turn, each time with other candidates."""
    rng = random.Random(settings.seed)
    return [short_example(base[n % len(base)], chat, rng) for n in range(settings.base_short_episodes if base else 0)]


def tokenizer_texts(features: FeatureRows) -> list[str]:
    """All text from the data that an episode may show; frequent words as often as they are shown."""
    names = features.item_metadata["categories"].combine_chunks().flatten().to_pylist()
    relations = features.item_relation["neighbours"].combine_chunks().flatten().field("relation").to_pylist()
    attributes = [value for row in features.user_profile["attributes"].to_pylist() for _, value in row]
    titles = features.item_metadata["title"].to_pylist()
    return [*titles, *names, *(relation.replace("_", " ") for relation in relations), *attributes]


def marked(demonstration: Demonstration, chat: CompactFormat, ranking: RankingName) -> str:
    """A demonstration as text, with what SFT learns in [[ ]]."""
    parts, start = [], 0
    for end in range(1, len(demonstration.ids) + 1):
        if end == len(demonstration.ids) or demonstration.mask[end] != demonstration.mask[start]:
            text = chat.text(demonstration.ids[start:end])
            parts.append(f"[[{text}]]" if demonstration.mask[start] else text)
            start = end
    return " ".join([*parts, f"[[{chat.text(answer_tokens(demonstration, ranking))}]]"])


def _demonstrations(
    agent: Agent, asked: TrainingRequests, settings: TrainingSettings, on_step: OnStep
) -> tuple[list[Demonstration], list[Demonstration]]:
    """Episodes for base training and for SFT, no request in both."""
    items, targets = asked.snapshot.items, asked.targets
    stages = []
    for stage, rows, random_share in (
        ("base", asked.rows[: settings.base_episodes], RANDOM_SHARE_BASE),
        ("sft", asked.rows[settings.base_episodes :], RANDOM_SHARE_SFT),
    ):
        drawn = []
        for demonstration in demonstrate(agent, items, rows, targets, random_share=random_share):
            drawn.append(demonstration)
            on_step(f"{stage} episodes", len(drawn), len(rows), None)
        stages.append(drawn)
    return stages[0], stages[1]
