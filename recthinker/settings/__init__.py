"""Settings of every part, typed and frozen: `load_settings()` merges base.yaml, one overlay and the environment."""

from recthinker.settings.agent import (
    AgentSettings,
    ChatFormatName,
    InferenceSettings,
    ModelSettings,
    RankingName,
    ToolSettings,
)
from recthinker.settings.base import Section, resource_dir
from recthinker.settings.data import (
    AlsSettings,
    CandidateSettings,
    FeatureSettings,
    IngestSettings,
    PathSettings,
    RetentionSettings,
    SnapshotSettings,
    SparkSettings,
)
from recthinker.settings.learning import EvaluationSettings, GateSettings, RegistrySettings, TrainingSettings
from recthinker.settings.loading import ENV_PREFIX, Settings, load_settings
from recthinker.settings.operation import DemoSettings, OrchestrationSettings, ReportSettings
from recthinker.settings.retraining import CollectSettings, RlSettings, SelectionSettings

__all__ = [
    "ENV_PREFIX",
    "AgentSettings",
    "AlsSettings",
    "CandidateSettings",
    "ChatFormatName",
    "CollectSettings",
    "DemoSettings",
    "EvaluationSettings",
    "FeatureSettings",
    "GateSettings",
    "InferenceSettings",
    "IngestSettings",
    "ModelSettings",
    "OrchestrationSettings",
    "PathSettings",
    "RankingName",
    "RegistrySettings",
    "ReportSettings",
    "RetentionSettings",
    "RlSettings",
    "Section",
    "SelectionSettings",
    "Settings",
    "SnapshotSettings",
    "SparkSettings",
    "ToolSettings",
    "TrainingSettings",
    "load_settings",
    "resource_dir",
]
