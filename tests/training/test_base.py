import random

import numpy as np
import pytest
import torch

from recthinker.errors import TrainingError
from recthinker.settings import Settings
from recthinker.training.base import Lesson, _batches, _learning_rate, _loss, train_base
from recthinker.training.tiny import new_model
from tests import little_world as world


def copies(count: int) -> list[Lesson]:
    """`x y z -> x y z` on label tokens: what a model that finds and repeats must learn first."""
    rng = random.Random(1)
    labels = list(world.chat().label_ids)
    return [Lesson(((ids := rng.sample(labels, 4)) * 2, [-100] * 4 + ids)) for _ in range(count)]


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
        chat=chat,
        on_step=lambda step, steps, loss: seen.append(loss),
    )
    # Two short ones for each whole one.
    assert len(seen) == (2400 / 2 + 200) / settings.training.base_batch_size
    # Guessing among 26 labels costs ln 26 = 3.3 nats.
    assert last < 1.0 < seen[0]


def test_no_examples_is_an_error(settings: Settings) -> None:
    chat = world.chat()
    model = new_model(chat, settings.model, max_length=64, seed=1)
    with pytest.raises(TrainingError, match="no demonstration episodes"):
        train_base(model, [], [], settings.training, chat=chat, on_step=lambda *_: None)


def test_the_learning_rate_warms_up_stays_and_decays() -> None:
    shares = [_learning_rate(step, 100, 200) for step in range(200)]
    assert shares[0] == pytest.approx(1 / 20)
    assert shares[50] == shares[99] == 1.0
    assert shares[150] == pytest.approx(1 - 0.9 * 0.5)
    assert min(shares[20:]) == shares[-1] > 0.1


def test_batches_hold_every_example_once() -> None:
    lessons = [Lesson(([n] * (n + 1), [n] * (n + 1))) for n in range(37)]
    seen = [lesson.example[0][0] for batch in _batches(lessons, 4, 1) for lesson in batch]
    assert sorted(seen) == list(range(37))


def test_a_share_of_one_is_as_the_label_itself(settings: Settings) -> None:
    chat = world.chat()
    model = new_model(chat, settings.model, max_length=64, seed=1)
    torch.nn.init.normal_(model.model.layers[0].self_attn.o_proj.weight)  # places differ by what came before
    labels, end = list(chat.label_ids), chat.end_id
    by_label, by_share = [], []
    for before, count in ((3, 2), (9, 4), (5, 3)):
        words, order = labels[5 : 5 + before], [*range(count)][::-1]
        ids = [*words, *(labels[label] for label in order), end]
        ignored = [-100] * before
        by_label.append(Lesson((ids, [*ignored, *ids[before:]])))
        by_share.append(Lesson((ids, [*ignored, *[-100] * count, end]), np.eye(count, dtype=np.float32)[order]))

    def loss(lessons: list[Lesson]) -> float:
        return float(_loss(model, lessons, chat).detach())

    expected = pytest.approx(loss(by_label), rel=1e-5)
    assert loss(by_share) == expected
    assert loss([by_share[0], *by_label[1:]]) == expected
    twice = [Lesson((lesson.example[0], [-100] * lesson.length), 2 * lesson.shares) for lesson in by_share]
    once = [Lesson(lesson.example, lesson.shares / 2) for lesson in twice]
    assert loss(twice) == pytest.approx(loss(once), rel=1e-5), "weights are of a mean"
    other = Lesson(by_share[0].example, by_share[0].shares[::-1].copy())
    assert loss([other, *by_share[1:]]) != pytest.approx(loss(by_label), rel=1e-3)
