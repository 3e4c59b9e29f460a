"""What jobs of a retraining find: the training cut under the folder that the settings name, and a champion."""

import shutil
from pathlib import Path

import pytest

from recthinker.registry import ModelVersion, Registry
from recthinker.settings import load_settings
from tests.training.blank_retraining import build_cut, register


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cut; no MLflow, no model."""
    monkeypatch.setenv("RECTHINKER_ENV", "test")
    monkeypatch.setenv("RECTHINKER__PATHS__VAR", str(tmp_path / "var"))
    build_cut(load_settings().paths)
    return tmp_path / "var"


@pytest.fixture
def champion(var: Path, migrated_database: Path) -> ModelVersion:
    """recthinker/1, in a real registry."""
    (var / "mlflow").mkdir()
    shutil.copy(migrated_database, var / "mlflow" / "mlflow.db")
    return register(Registry(load_settings()), var / "made" / "old", "champion")
