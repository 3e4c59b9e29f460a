"""Runs fast tests first: plain ones, then Spark, then slow ones, the engine and whole pipelines."""

import pytest

SLOWNESS = ("spark", "slow", "vllm", "e2e")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by the slowest marker of each test; within one marker the order stays."""
    items.sort(key=_slowness)


def _slowness(item: pytest.Item) -> int:
    return max((rank for rank, name in enumerate(SLOWNESS, 1) if item.get_closest_marker(name)), default=0)
