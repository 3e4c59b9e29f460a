"""From YAML files and the environment to one frozen `Settings`.

Order, later wins: conf/base.yaml, conf/<RECTHINKER_ENV>.yaml (default local), environment variables
`RECTHINKER__SECTION__KEY=value` (value read as YAML), overrides given by the caller.
"""

import difflib
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ValidationError, model_validator

from recthinker.errors import ConfigError
from recthinker.settings.agent import AgentSettings, InferenceSettings, ModelSettings, ToolSettings
from recthinker.settings.base import Section, resource_dir
from recthinker.settings.data import (
    CandidateSettings,
    FeatureSettings,
    IngestSettings,
    PathSettings,
    RetentionSettings,
    SnapshotSettings,
    SparkSettings,
)
from recthinker.settings.learning import EvaluationSettings, GateSettings, RegistrySettings, TrainingSettings
from recthinker.settings.operation import DemoSettings, OrchestrationSettings, ReportSettings
from recthinker.settings.retraining import CollectSettings, RlSettings, SelectionSettings

ENV_PREFIX = "RECTHINKER__"
OVERLAY_VARIABLE = "RECTHINKER_ENV"


class Settings(Section):
    """All settings in force."""

    paths: PathSettings
    """Where everything lies."""
    spark: SparkSettings
    """The Spark session."""
    ingest: IngestSettings
    """Rules at ingest."""
    features: FeatureSettings
    """Feature tables."""
    candidates: CandidateSettings
    """Candidate sources."""
    snapshot: SnapshotSettings
    """Lookup snapshot."""
    retention: RetentionSettings
    """What upkeep of the tables keeps."""
    tools: ToolSettings
    """What the tools show."""
    agent: AgentSettings
    """An episode."""
    inference: InferenceSettings
    """Engine and driver."""
    model: ModelSettings
    """Which model serves."""
    training: TrainingSettings
    """Base training and SFT."""
    collect: CollectSettings
    """Rollouts over a training cut."""
    selection: SelectionSettings
    """Which of them SFT learns from."""
    rl: RlSettings
    """Reinforcement learning."""
    evaluation: EvaluationSettings
    """The offline protocol."""
    gate: GateSettings
    """What a new model must show."""
    registry: RegistrySettings
    """MLflow."""
    orchestration: OrchestrationSettings
    """The DAGs."""
    demo: DemoSettings
    """What `make nightly` runs on."""
    report: ReportSettings
    """The nightly page."""

    @model_validator(mode="after")
    def _near_best_is_below_the_gap_of_ranks(self) -> Self:
        k = self.evaluation.k
        gap = 1 / math.log2(k) - 1 / math.log2(k + 1) if k > 1 else 1.0
        if self.rl.near_best >= gap:
            raise ValueError(
                f"rl.near_best should be below {gap:.4f}, the NDCG between ranks {k - 1} and {k} (evaluation.k), "
                f"found {self.rl.near_best:g}; lower it"
            )
        return self


def load_settings(
    overlay: str | None = None,
    *,
    conf_dir: Path | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """The settings in force.

    Raises:
        ConfigError: a file is missing or no YAML mapping, a key is unknown (the nearest valid one is named), or a
            value is out of bounds.
    """
    environ = os.environ if environ is None else environ
    conf_dir = conf_dir or resource_dir("conf")
    overlay = overlay or environ.get(OVERLAY_VARIABLE, "local")
    merged = _merge(_read(conf_dir / "base.yaml"), _read(conf_dir / f"{overlay}.yaml"))
    merged = _merge(merged, _from_environment(environ))
    merged = _merge(merged, dict(overrides or {}))
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml"))) or "none"
        raise ConfigError(
            f"settings file {path} not found; files there: {known}. Set {OVERLAY_VARIABLE} to one of them"
        )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigError(f"settings file {path} is not valid YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"settings file {path} should hold a mapping of sections, found {type(content).__name__}")
    return content


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` over `below`, section by section."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return merged


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """`RECTHINKER__A__B=v` as {"a": {"b": v}}."""
    tree: dict[str, Any] = {}
    for name, text in environ.items():
        if name.startswith(ENV_PREFIX):
            *sections, key = name.removeprefix(ENV_PREFIX).lower().split("__")
            node = tree
            for section in sections:
                node = node.setdefault(section, {})
            try:
                node[key] = yaml.safe_load(text)
            except yaml.YAMLError as error:
                raise ConfigError(
                    f"environment variable {name}: {text!r} cannot be read as a value: {error}"
                ) from error
    return tree


def _explain(error: ValidationError) -> str:
    """All faults in one line, each with its full key."""
    faults = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            faults.append(f"unknown key {key}; {_nearest(fault['loc'])}")
        elif fault["type"] == "missing":
            faults.append(f"key {key} is missing; add it to conf/base.yaml")
        elif not key:
            faults.append(fault["msg"].removeprefix("Value error, "))
        else:
            faults.append(f"{key}: {fault['msg']}, found {fault['input']!r}")
    return "settings: " + "; ".join(faults)


def _nearest(location: tuple[int | str, ...]) -> str:
    """The valid name closest to the last part of `location`."""
    model: type[BaseModel] = Settings
    for part in location[:-1]:
        inner = model.model_fields[str(part)].annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    names = list(model.model_fields)
    close = difflib.get_close_matches(str(location[-1]), names, n=1, cutoff=0.4)
    return f"did you mean {close[0]}?" if close else f"valid here: {', '.join(names)}"
