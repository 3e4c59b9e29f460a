"""What one night's inference uses, pinned once before the first shard: a promotion in mid-run cannot mix models."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, Self

from recthinker.agent import Agent
from recthinker.errors import SnapshotError
from recthinker.files import write_json
from recthinker.inference.earlier import expected_runs, newest_night
from recthinker.lookup import Snapshot
from recthinker.settings import Settings

PLAN_FILE = "inference_plan.json"


class ServingModel(Protocol):
    """What the plan needs of a registered model."""

    @property
    def name(self) -> str:
        """Registered name."""
        ...

    @property
    def version(self) -> str:
        """Its version."""
        ...

    @property
    def path(self) -> Path:
        """Folder with its files."""
        ...


@dataclass(frozen=True, slots=True)
class InferencePlan:
    """The plan; paths are absolute."""

    ds: str
    run_id: str
    model_version: str
    model_path: str
    prompt_version: str
    snapshot: str
    shards: list[int]
    users: int
    table_versions: dict[str, int]
    earlier_ds: str | None = None
    """Night whose rankings stand where nothing changed; None: all users run."""
    earlier_version: int | None = None
    """Version of `trajectories` that holds it."""
    expected_runs: int | None = None
    """About how many users will not keep that night's ranking; None: there is no such night."""

    def write(self, run_dir: Path) -> None:
        """Write the plan into a run's folder, whole or not at all."""
        write_json(run_dir / PLAN_FILE, asdict(self))

    @classmethod
    def read(cls, run_dir: Path) -> Self:
        """The plan of a run.

        Raises:
            SnapshotError: the run has none.
        """
        try:
            return cls(**json.loads((run_dir / PLAN_FILE).read_text(encoding="utf-8")))
        except (OSError, json.JSONDecodeError, TypeError) as error:
            raise SnapshotError(
                f"no inference plan in {run_dir} ({error}); run python -m jobs.plan_inference with the same --run-id"
            ) from error


def plan_inference(
    model: ServingModel, snapshot_dir: Path, settings: Settings, *, ds: str, run_id: str
) -> InferencePlan:
    """Check model and snapshot, and pin them.

    Raises:
        SnapshotError: the snapshot is missing, corrupt, of another date, or without a request.
        ConfigError: the model's tokenizer does not fit the agent's chat format.
    """
    snapshot = Snapshot(snapshot_dir)
    snapshot.verify()
    if snapshot.ds != ds:
        raise SnapshotError(f"the snapshot at {snapshot_dir} is of {snapshot.ds}, not of {ds}; write it again")
    if not snapshot.shards:
        raise SnapshotError(f"the snapshot at {snapshot_dir} holds no request; build candidates for {ds} first")
    agent = Agent.load(model.path, settings.agent, settings.tools)
    model_version, root = f"{model.name}/{model.version}", settings.paths.warehouse
    night = newest_night(root, ds) if settings.inference.keep_unchanged else None
    earlier_ds, earlier_version = night or (None, None)
    return InferencePlan(
        ds=ds,
        run_id=run_id,
        model_version=model_version,
        model_path=str(model.path.absolute()),
        prompt_version=agent.prompt_version,
        snapshot=str(snapshot_dir.absolute()),
        shards=snapshot.shards,
        users=snapshot.request_count,
        table_versions=snapshot.table_versions,
        earlier_ds=earlier_ds,
        earlier_version=earlier_version,
        expected_runs=expected_runs(root, *night, agent, snapshot, model_version=model_version) if night else None,
    )
