"""Policies that could game the reward: each loses, in groups with it, to one that looks and then ranks well."""

import random

import numpy as np
import pytest

from recthinker.settings import load_settings
from recthinker.training.rewards import group_advantages
from recthinker.training.rollout import Rollout
from tests.training.rollouts import LABELS, rollout

GROUPS = 400


def honest(rng: random.Random) -> Rollout:
    """Looks once or twice, and then has the target among its first three."""
    return rollout(rng.randint(1, 3), rng.randint(1, 2))


def copies_the_order(rng: random.Random) -> Rollout:
    """The target stands anywhere in the order shown."""
    return rollout(rng.randint(1, len(LABELS)), 0)


def never_calls(rng: random.Random) -> Rollout:
    """Knows popularity at best."""
    return rollout(rng.randint(1, 8), 0)


def always_calls_everything(rng: random.Random) -> Rollout:
    """Ranks as well as the honest one, at all the calls that there are."""
    return rollout(rng.randint(1, 3), 5)


def thinks_for_ever(rng: random.Random) -> Rollout:
    """Never comes to an act: is made to answer with what it has read, which is nothing."""
    return rollout(rng.randint(1, len(LABELS)), 0, broken=1)


def answers_nothing(rng: random.Random) -> Rollout:
    """Its answer cannot be read."""
    return rollout(None, 0)


@pytest.mark.parametrize(
    "hacker", [copies_the_order, never_calls, always_calls_everything, thinks_for_ever, answers_nothing]
)
def test_it_loses_to_one_that_looks_and_ranks(hacker: object) -> None:
    rng = random.Random(5)
    settings = load_settings("test", environ={}).rl
    mean = {honest: 0.0, hacker: 0.0}
    for _ in range(GROUPS):
        group = [policy(rng) for policy in (honest, hacker) for _ in range(4)]  # type: ignore[operator]
        found = group_advantages(group, settings, 10).values
        mean[honest] += float(np.mean(found[:4]))
        mean[hacker] += float(np.mean(found[4:]))
    assert mean[hacker] < mean[honest]
