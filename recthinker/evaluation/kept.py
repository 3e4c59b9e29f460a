"""What an evaluation leaves in the folder of its run, for the gate and the page of that run: of each model its figures,
and what it did for each user.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recthinker.errors import ConfigError
from recthinker.evaluation.per_user import UserFigures
from recthinker.files import write_json

FOLDER = "evaluation"


def keep_evaluation(run_dir: Path, model: str, figures: Mapping[str, Any], users: UserFigures) -> None:
    """Keep an evaluation of `model`, given as `name/version`, in the place of an older one."""
    write_json(_path(run_dir, model, "json"), figures)
    users.write(_path(run_dir, model, "parquet"))


def kept_figures(run_dir: Path, model: str) -> dict[str, Any] | None:
    """The figures of a model, as JSON; None: this run did not measure it."""
    path = _path(run_dir, model, "json")
    if not path.is_file():
        return None
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return figures


def kept_users(run_dir: Path, model: str) -> UserFigures:
    """What a model did for each user.

    Raises:
        ConfigError: this run did not measure it.
    """
    path = _path(run_dir, model, "parquet")
    if not path.is_file():
        raise ConfigError(
            f"{path} is missing: run evaluate_model for {model} with the same --ds and --run-id before the gate"
        )
    return UserFigures.read(path)


def _path(run_dir: Path, model: str, kind: str) -> Path:
    return run_dir / FOLDER / f"{model.replace('/', '-')}.{kind}"
