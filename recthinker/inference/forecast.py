"""How many users a night will ask the agent for, before it is planned, and about what that takes.

Where the snapshot of the date is written, a sample of its users tells who keeps an earlier ranking. Before that only
the night before is known.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from recthinker.agent import Agent, Outcome
from recthinker.errors import SnapshotError
from recthinker.inference.earlier import expected_runs, newest_night
from recthinker.inference.plan import ServingModel
from recthinker.lookup import Snapshot
from recthinker.settings import Settings
from recthinker.tables.arrow import Root, read_arrow, table_location
from recthinker.tables.schemas import RUN_MANIFEST

COLUMNS = ("ds", "model_version", "prompt_version", "users", "outcomes", "seconds", "published_at", "metrics")


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is known of a night's inference."""

    users: int | None
    """Users that the agent is asked for; None: not known yet."""
    runs: int | None
    """About how many of them will run; None: not known yet."""
    is_sampled: bool
    """Whether both are of the date's snapshot; False: of the night before, `earlier_ds`."""
    earlier_ds: str | None
    """Night whose rankings may stand."""
    why_all: str | None
    """Why all users run; None: some may keep their ranking."""
    seconds_per_run: float | None
    """Of one shard's work for each user that ran, on `measured_ds`."""
    measured_ds: str | None
    """The last night that ran anybody; None: there is none."""

    @property
    def seconds(self) -> float | None:
        """About the work of all shards, one after the other."""
        return None if self.runs is None or self.seconds_per_run is None else self.runs * self.seconds_per_run


def forecast_inference(settings: Settings, ds: str, model: ServingModel | None) -> Forecast:
    """What is known of the inference of `ds`.

    Args:
        settings: of the night.
        ds: logical date.
        model: that would serve now; None: there is none yet.

    Raises:
        ConfigError: the model's tokenizer is not one of the agent's chat format.
    """
    root = settings.paths.warehouse
    manifests, snapshot = _manifests(root), _newest_snapshot(settings.paths.snapshots / ds, ds)
    night = newest_night(root, ds)
    before = next((row for row in manifests if night and row["ds"] == night[0]), None)
    agent = Agent.load(model.path, settings.agent, settings.tools) if model else None
    why_all = _why_all(settings, before, model, agent)
    users: int | None = snapshot.request_count if snapshot else before["users"] if before else None
    if why_all or before is None:
        runs = users
    elif snapshot and night and model and agent:
        runs = expected_runs(root, *night, agent, snapshot, model_version=f"{model.name}/{model.version}")
    else:
        runs = _ran(before)
    return Forecast(users, runs, bool(snapshot), before["ds"] if before else None, why_all, *_measured(manifests))


def _why_all(
    settings: Settings, before: dict[str, Any] | None, model: ServingModel | None, agent: Agent | None
) -> str | None:
    """Why no ranking of the night before may stand."""
    if not settings.inference.keep_unchanged:
        return "inference.keep_unchanged is false"
    if before is None:
        return "there is no earlier night"
    if model is None or agent is None:
        return "no model serves yet"
    if before["model_version"] != (serves := f"{model.name}/{model.version}"):
        return f"{serves} serves, {before['model_version']} did on {before['ds']}"
    return None if before["prompt_version"] == agent.prompt_version else f"the prompt is not that of {before['ds']}"


def _newest_snapshot(folder: Path, ds: str) -> Snapshot | None:
    """The snapshot of the date that was written last; None where there is no whole one."""
    for path in sorted(folder.glob("*/"), key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            snapshot = Snapshot(path)
        except SnapshotError:
            continue
        if snapshot.ds == ds and snapshot.shards:
            return snapshot
    return None


def _manifests(root: Root) -> list[dict[str, Any]]:
    """Rows of `run_manifest`, maps as dicts, the one published last first; none where nothing was published."""
    if not DeltaTable.is_deltatable(table_location(root, RUN_MANIFEST)):
        return []
    rows = read_arrow(root, RUN_MANIFEST, columns=COLUMNS).sort_by([("published_at", "descending")])
    found: list[dict[str, Any]] = rows.to_pylist(maps_as_pydicts="strict")
    return found


def _measured(manifests: Iterable[dict[str, Any]]) -> tuple[float | None, str | None]:
    """Seconds a user that ran, and the date, of the last night that ran anybody."""
    for row in manifests:
        if runs := _ran(row):
            shards = sum(seconds for stage, seconds in row["seconds"].items() if stage.startswith("infer_shard"))
            return (row["metrics"]["seconds"] if row["metrics"] else shards) / runs, row["ds"]
    return None, None


def _ran(manifest: dict[str, Any]) -> int:
    users: int = manifest["users"] - manifest["outcomes"].get(Outcome.UNCHANGED, 0)
    return users
