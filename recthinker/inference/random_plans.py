"""Random plans of the scripted planner: the tools that an episode calls, in order."""

import random
from collections.abc import Callable

DrawPlan = Callable[[list[str], random.Random], list[str]]
"""A plan over the tools that there are."""

MOST = 4
"""Tools of a plan that is neither too short nor too long on purpose."""


def some_tools(tools: list[str], rng: random.Random) -> list[str]:
    """One to four tools."""
    return rng.sample(tools, k=min(len(tools), rng.randint(1, MOST)))


def any_plan(tools: list[str], rng: random.Random) -> list[str]:
    """No tool, one, some, or all and one of them again, each as often: what is enough shows only beside what is too
    little and what is too much.
    """
    return rng.choice((_no_tool, _one_tool, some_tools, _all_tools))(tools, rng)


def _no_tool(tools: list[str], rng: random.Random) -> list[str]:
    return []


def _one_tool(tools: list[str], rng: random.Random) -> list[str]:
    return [rng.choice(tools)]


def _all_tools(tools: list[str], rng: random.Random) -> list[str]:
    return [*rng.sample(tools, k=len(tools)), rng.choice(tools)]
