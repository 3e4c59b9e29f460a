import random

import pytest
import torch

from recthinker.errors import TrainingError
from recthinker.settings import Settings
from recthinker.training.base import _batches, _learning_rate, train_base
from recthinker.training.tiny import new_model
from tests import little_world as world


def copies(count: int) -> list[tuple[list[int], list[int]]]:
    """`x y z -> x y z` on label tokens: what a model that finds and repeats must learn first."""
    rng = random.Random(1)
    labels = list(world.chat().label_ids)
    return [((ids := rng.sample(labels, 4)) * 2, [-100] * 4 + ids) for _ in range(count)]


def test_the_tiny_model_learns_to_copy(settings: Settings) -> None:
    torch.set_num_threads(1)
    chat = world.chat()
    model = new_model(chat, settings.model, max_length=64, seed=1)
    seen: list[float] = []
    last = train_base(
        model,
        copies(2400),
        copies(200),
        settings.training,
        pad_id=chat.pad_id,
        on_step=lambda step, steps, loss: seen.append(loss),
    )
    # Guessing among 26 labels costs ln 26 = 3.3 nats.
    assert last < 1.0 < seen[0]


def test_no_examples_is_an_error(settings: Settings) -> None:
    chat = world.chat()
    model = new_model(chat, settings.model, max_length=64, seed=1)
    with pytest.raises(TrainingError, match="no demonstration episodes"):
        train_base(model, [], [], settings.training, pad_id=chat.pad_id, on_step=lambda *_: None)


def test_the_learning_rate_warms_up_stays_and_decays() -> None:
    shares = [_learning_rate(step, 100, 200) for step in range(200)]
    assert shares[0] == pytest.approx(1 / 20)
    assert shares[50] == shares[99] == 1.0
    assert shares[150] == pytest.approx(1 - 0.9 * 0.5)
    assert min(shares[20:]) == shares[-1] > 0.1


def test_batches_hold_every_example_once() -> None:
    examples = [([n] * (n + 1), [n] * (n + 1)) for n in range(37)]
    seen = [ids[0] for batch in _batches(examples, 4, 1) for ids, _ in batch]
    assert sorted(seen) == list(range(37))
