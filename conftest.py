"""Runs fast tests first: plain ones, then Spark, then slow ones, the engine and whole pipelines.

With several workers (`make test`) the slowest begin first, so that no worker is left with them at the end.
"""

import logging

import pytest
from hypothesis import settings

SLOWNESS = ("spark", "slow", "vllm", "e2e")

# Its farewell at exit would meet a log that pytest has closed.
logging.getLogger("py4j").setLevel(logging.WARNING)

# An example takes as long as the machine lets it.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort by the slowest marker of each test; within one marker the order stays."""
    items.sort(key=_slowness, reverse=hasattr(config, "workerinput"))


def _slowness(item: pytest.Item) -> int:
    return max((rank for rank, name in enumerate(SLOWNESS, 1) if item.get_closest_marker(name)), default=0)
