"""A tiny model with the compact format's tokenizer, in a folder, and episodes to train it on."""

import random
from pathlib import Path

from recthinker.agent import CompactFormat, train_tokenizer
from recthinker.settings import Settings, load_settings
from recthinker.training.tiny import new_model, save_model

SIZES = {"hidden_size": 64, "layers": 2, "heads": 2, "intermediate_size": 96, "vocabulary": 400}


def tiny_settings(**sections: dict[str, object]) -> Settings:
    """The tests' settings with a model of 64 numbers a token."""
    overrides: dict[str, object] = {"model": SIZES, "training": {"threads": 1}, **sections}
    return load_settings("test", environ={}, overrides=overrides)


def save_tiny(folder: Path, settings: Settings, *, seed: int = 1) -> Path:
    """A model with random weights in `folder`."""
    chat = CompactFormat(train_tokenizer(["a title"], settings.model.vocabulary, settings.tools.enabled))
    save_model(new_model(chat, settings.model, max_length=768, seed=seed), chat, folder)
    return folder


def episodes(count: int, *, seed: int, vocabulary: int = 300) -> list[tuple[list[int], list[int], list[int]]]:
    """Prompt, completion and the completion's agent mask, of many lengths; the last token is the agent's."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        prompt = [rng.randrange(1, vocabulary) for _ in range(rng.randint(3, 30))]
        completion = [rng.randrange(1, vocabulary) for _ in range(rng.randint(2, 40))]
        made.append((prompt, completion, [rng.randint(0, 1) for _ in completion[1:]] + [1]))
    return made
