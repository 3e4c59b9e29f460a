"""The little world's agent and snapshot."""

from pathlib import Path

import pytest

from recthinker.agent import Agent
from recthinker.lookup import Snapshot
from recthinker.settings import Settings
from tests import little_world as world


@pytest.fixture
def agent(settings: Settings) -> Agent:
    """As the settings of the tests have it."""
    return world.agent(settings)


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """Four users."""
    return world.snapshot(tmp_path / "s")
