"""The base model: tokenizer and tiny model from scratch, which SFT starts from; kept, and made once for data alike.

It learns to read evidence and to write well-formed turns. It is made again when what it learned from is no longer so:
settings, tools, features, or a catalogue that has grown or shrunk a lot. Its words come from the catalogue; what the
tokenizer has not seen whole it spells in pieces.
"""

import hashlib
import json
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from recthinker.agent import Agent, CompactFormat, train_tokenizer
from recthinker.errors import ConfigError
from recthinker.evaluation import CutRows, write_targets
from recthinker.inference.evidence_weights import EvidenceWeights
from recthinker.lookup import FeatureRows
from recthinker.settings import Settings, TrainingSettings
from recthinker.tools import Toolbox
from recthinker.training.base import Lesson, train_base
from recthinker.training.demonstrations import Demonstration, base_lesson, demonstrate, short_example
from recthinker.training.tiny import new_model, save_model
from recthinker.training.training_requests import TrainingRequests, stage_seed, training_requests
from recthinker.training.weights_fit import fit_weights

RANDOM_SHARE = 0.3
"""Episodes that follow a random plan, so that the results of every tool are learned."""
HASTY_SHARE = 0.3
"""Of the others, episodes that answer before the plan is at its end, so that what it would answer then is learned."""
MADE = "base.json"
"""Beside a base model: what it was made from. Written last."""
WEIGHTS = "planner.json"
"""Beside it: how the scripted planner, which it learned from, weighs what it reads."""
DRIFT = 0.2
"""By which a count of the data may have changed since."""
COMMON_PLANS = 20
DECISIVE = ("training", "model", "agent", "tools", "features")
"""Settings that a base model is made by."""
NOT_DECISIVE = (
    *(("model", name) for name in ("name", "alias", "path")),
    *(("training", name) for name in ("seed", "sft_episodes", "sft_lr", "batch_size", "threads")),
    *(("agent", name) for name in ("temperature", "timeout_s", "publish_top_n", "ranking")),
)
"""Of these, what a base model does not depend on."""

OnStep = Callable[[str, int, int, float | None], None]
"""Called with (stage, step, steps, loss or None)."""


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A base model that is there."""

    folder: Path
    parameters: int
    loss: float
    """At the end, nats per token."""
    plans: Mapping[str, int]
    """Demonstrations by plan, the most frequent ones."""
    profile: Mapping[str, int]
    """Counts of the data that it was made from."""


def keep_base(
    cut: CutRows, features: FeatureRows, settings: Settings, *, ds: str, on_step: OnStep
) -> tuple[BaseModel, bool]:
    """The base model for these settings and data, and whether it had to be made.

    Args:
        cut: the training cut's rows; `features` its feature tables.

    Raises:
        ConfigError: settings name another chat format than compact, the only one that a new model learns.
        TrainingError: the cut gives no episodes, or training diverged.
    """
    if settings.agent.chat_format != "compact":
        raise ConfigError(
            f"a model from scratch learns the compact chat format, but agent.chat_format is "
            f"{settings.agent.chat_format}; set it to compact, or model.path to a pretrained model"
        )
    models, name, profile = settings.paths.models, f"base-{_fingerprint(settings)}", data_profile(cut, features)
    for folder in sorted(models.glob(f"{name}-*")):
        kept = _read(folder)
        if kept is not None and _is_alike(kept.profile, profile):
            return kept, False
    # Never in the place of another: runs that are under way read theirs by its name.
    folder = models / f"{name}-{_hash(profile)}"
    models.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=models))
    partial.chmod(0o755)  # as any other folder
    try:
        made = _make(cut, features, settings, ds=ds, folder=partial, profile=profile, on_step=on_step)
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was cut off: a whole one would have been taken
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return replace(made, folder=folder), True


def data_profile(cut: CutRows, features: FeatureRows) -> dict[str, int]:
    """What a base model holds for, in counts."""
    return {
        "items": features.item_metadata.num_rows,
        "users": features.user_history.num_rows,
        "events": cut.interactions.num_rows,
    }


def _is_alike(kept: Mapping[str, int], now: Mapping[str, int]) -> bool:
    return all(abs(now[name] - kept.get(name, 0)) <= DRIFT * kept.get(name, 0) for name in now)


def _fingerprint(settings: Settings) -> str:
    """Hash of the settings that decide what a base model is."""
    decisive = settings.model_dump(mode="json", include={*DECISIVE})
    for section, name in NOT_DECISIVE:
        del decisive[section][name]
    return _hash(decisive)


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def _make(
    cut: CutRows,
    features: FeatureRows,
    settings: Settings,
    *,
    ds: str,
    folder: Path,
    profile: Mapping[str, int],
    on_step: OnStep,
) -> BaseModel:
    torch.set_num_threads(settings.training.threads)
    training = settings.training
    tools = Toolbox(settings.tools).tools
    chat = CompactFormat(train_tokenizer(tokenizer_texts(features), settings.model.vocabulary, tools))
    agent = Agent.build(chat, settings.agent, settings.tools)
    seed = stage_seed(training.base_seed, "base")
    asked = training_requests(
        cut, features, settings, ds=ds, folder=folder / "snapshot", count=training.base_episodes, seed=seed
    )
    weights = fit_weights(agent.toolbox, asked, training.call_price)
    weights.write(folder / WEIGHTS)
    drawn = draw_demonstrations(
        agent,
        asked,
        weights,
        lambda drawn: on_step("base episodes", drawn, len(asked.rows), None),
        random_share=RANDOM_SHARE,
        hasty_share=HASTY_SHARE,
    )
    model = new_model(chat, settings.model, max_length=settings.agent.max_episode_tokens, seed=training.base_seed)
    loss = train_base(
        model,
        _short_examples(drawn, chat, training),
        [base_lesson(demonstration, chat.end_id) for demonstration in drawn],
        training,
        chat=chat,
        on_step=lambda step, steps, loss: on_step("base", step, steps, loss),
    )
    save_model(model, chat, folder)
    write_targets(folder, asked.hashes)
    shutil.rmtree(folder / "snapshot")
    made = BaseModel(
        folder=folder,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        loss=loss,
        plans=dict(Counter(" > ".join(one.plan) or "no call" for one in drawn).most_common(COMMON_PLANS)),
        profile=profile,
    )
    (folder / MADE).write_text(json.dumps({**_fields(made), "ds": ds}, indent=2), encoding="utf-8")
    return made


def draw_demonstrations(
    agent: Agent,
    asked: TrainingRequests,
    weights: EvidenceWeights,
    on_episode: Callable[[int], None],
    *,
    random_share: float,
    hasty_share: float = 0.0,
) -> list[Demonstration]:
    """One of each request (`demonstrate`); `on_episode` is called with how many there are."""
    drawn: list[Demonstration] = []
    episodes = demonstrate(
        agent,
        asked.snapshot.items,
        asked.rows,
        asked.targets,
        weights=weights,
        random_share=random_share,
        hasty_share=hasty_share,
    )
    for one in episodes:
        drawn.append(one)
        on_episode(len(drawn))
    return drawn


def _short_examples(base: list[Demonstration], chat: CompactFormat, settings: TrainingSettings) -> list[Lesson]:
    """As many as settings ask for, from the base demonstrations in turn, each time with other candidates."""
    rng = random.Random(settings.base_seed)
    return [
        Lesson(short_example(base[n % len(base)], chat, rng))
        for n in range(settings.base_short_episodes if base else 0)
    ]


def tokenizer_texts(features: FeatureRows) -> list[str]:
    """All text from the data that an episode may show; frequent words as often as they are shown."""
    names = features.item_metadata["categories"].combine_chunks().flatten().to_pylist()
    relations = features.item_relation["neighbours"].combine_chunks().flatten().field("relation").to_pylist()
    attributes = [value for row in features.user_profile["attributes"].to_pylist() for _, value in row]
    titles = features.item_metadata["title"].to_pylist()
    return [*titles, *names, *(relation.replace("_", " ") for relation in relations), *attributes]


def _fields(made: BaseModel) -> dict[str, object]:
    return {name: value for name, value in asdict(made).items() if name != "folder"}


def _read(folder: Path) -> BaseModel | None:
    path = folder / MADE
    # One without the planner's weights, or not all that is fitted of it now, was made before.
    if not path.is_file() or not EvidenceWeights.is_whole(folder / WEIGHTS):
        return None
    fields = json.loads(path.read_text(encoding="utf-8"))
    return BaseModel(folder=folder, **{name: value for name, value in fields.items() if name != "ds"})
