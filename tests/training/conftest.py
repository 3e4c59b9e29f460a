"""Settings of a retraining over the little world."""

from pathlib import Path

import pytest

from recthinker.settings import Settings, load_settings
from tests.training import retrain_world


@pytest.fixture
def retraining(tmp_path: Path) -> Settings:
    """The test overlay with what the little world needs, and `var` under tmp_path."""
    overrides = {"paths": {"var": str(tmp_path / "var")}, **retrain_world.SETTINGS}
    return load_settings("test", environ={}, overrides=overrides)
