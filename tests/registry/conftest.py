"""A real MLflow on SQLite, and models that are folders of three tiny files."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from recthinker.registry import Registry
from recthinker.settings import Settings


@pytest.fixture
def registry(settings: Settings, migrated_database: Path) -> Registry:
    settings.paths.mlflow.mkdir(parents=True)
    shutil.copy(migrated_database, settings.paths.mlflow / "mlflow.db")
    return Registry(settings)


@pytest.fixture
def make_model(tmp_path: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for file in ("config.json", "model.safetensors", "tokenizer.json"):
            (folder / file).write_text(f"{file} of {name}", encoding="utf-8")
        return folder

    return make
