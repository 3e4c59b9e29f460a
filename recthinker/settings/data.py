"""Settings of the data side: paths, Spark, ingest, features, candidates, snapshot, retention."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from recthinker.settings.base import Section


class PathSettings(Section):
    """Where everything that runs make lies; relative paths start at the working directory."""

    var: Path
    """Root of all that is made; `make clean-var` removes it."""
    warehouse_uri: str | None
    """Folder of the Delta tables on an object store or another file system, as `s3a://bucket/warehouse`
    (docs/cluster.md); null: `warehouse` under `var`."""

    @property
    def warehouse(self) -> Path | str:
        """Delta tables, one folder a table."""
        return self.warehouse_uri or self.var / "warehouse"

    @property
    def cuts(self) -> Path | str:
        """Feature tables of training cuts, one warehouse a cut; never mixed with the serving tables."""
        return f"{self.warehouse_uri.rstrip('/')}_cuts" if self.warehouse_uri else self.var / "cuts"

    def cut(self, name: str) -> Path | str:
        """Warehouse of a training cut."""
        return f"{self.cuts}/{name}" if self.warehouse_uri else self.var / "cuts" / name

    @property
    def snapshots(self) -> Path:
        """Lookup snapshots, one folder a logical date."""
        return self.var / "snapshots"

    @property
    def runs(self) -> Path:
        """What a run leaves besides tables: shard files, timings, the report."""
        return self.var / "runs"

    @property
    def reports(self) -> Path:
        """The newest nightly page of each logical date."""
        return self.var / "reports"

    @property
    def models(self) -> Path:
        """Models while they are being made; the registry keeps the finished ones."""
        return self.var / "models"

    @property
    def mlflow(self) -> Path:
        """MLflow's database and artifacts."""
        return self.var / "mlflow"

    @property
    def airflow(self) -> Path:
        """Home of the Airflow that runs without a scheduler: its database and logs; `up` in it is that of `make up`."""
        return self.var / "airflow"

    @property
    def logs(self) -> Path:
        """All that the child processes of a run write, one file a run."""
        return self.var / "logs"

    @property
    def locks(self) -> Path:
        """Lock files of builds under way."""
        return self.var / "locks"

    @property
    def data(self) -> Path:
        """Demo data, as downloaded."""
        return self.var / "data"


class SparkSettings(Section):
    """The Spark session."""

    master: str
    """`local[2]`, `spark://host:port`, ...; that of spark-submit wins (docs/cluster.md)."""
    driver_memory: str = Field(pattern=r"^\d+[mg]$")
    """Heap of the driver, as `4g`."""
    executor_memory: str | None = Field(pattern=r"^\d+[mg]$")
    """Heap of an executor; null: Spark's default. Local masters have no executors."""
    executor_cores: int | None = Field(ge=1)
    """Cores of an executor; null: Spark's default."""
    shuffle_partitions: int = Field(ge=1)
    """Partitions after a shuffle."""
    jars_dir: Path | None
    """Delta's jars; null: share/recthinker/jars of the environment, where set-up puts them."""
    packages: tuple[str, ...]
    """Maven coordinates that Spark resolves at start, Delta's among them; where there are some, or `jars`, the jars of
    `jars_dir` are not used."""
    jars: tuple[str, ...]
    """URIs of jars (`s3a://`, `hdfs://`, `local:` for a file that every node has), Delta's among them."""
    python: str | None
    """Python of the executors, a path on their machines; null: that of this process. PYSPARK_PYTHON wins."""
    ship_code: bool
    """Whether a session on a cluster sends this package's code to the executors; false where it is installed there."""
    event_log_dir: str | None
    """Folder or URI of Spark's event logs, for the history server; null: none are written. It must exist."""
    conf: dict[str, str]
    """More Spark properties, taken as they are."""


class IngestSettings(Section):
    """Rules that a row must keep at ingest."""

    earliest_year: int = Field(ge=1970)
    """Events before this year are quarantined."""
    latest_year: int = Field(le=2262)
    """Events after this year are quarantined."""
    rating_min: float
    """Lowest rating that is valid."""
    rating_max: float
    """Highest rating that is valid."""


class FeatureSettings(Section):
    """The feature tables."""

    seed: int
    """Seed of the hash that breaks ties in time and popularity."""
    arrival_grace_h: float = Field(ge=0, le=24 * 7)
    """Hours after the end of a logical date within which an event of that date may still arrive and count for it;
    one that arrives later is known from the date on which it arrived."""
    event_weights: dict[str, Annotated[float, Field(ge=0)]]
    """Weight of an event type in `next_weight` (`co_interaction`) and in ALS; types not named weigh 1, and types of
    weight 0 count for neither, nor for `similar_users`."""
    history_max_events: int = Field(ge=1)
    """Newest events kept per user in `user_history`."""
    profile_top_categories: int = Field(ge=1)
    """Categories kept per user in `user_profile`."""
    co_window: int = Field(ge=1, le=64)
    """Previous items of the user that an event makes pairs with."""
    co_half_life: float = Field(gt=0)
    """Distance, in events, at which a pair's `next_weight` has halved."""
    co_min_support: int = Field(ge=1)
    """Pairs below this support are left out."""
    co_top_k: int = Field(ge=1)
    """Neighbours kept per item."""
    relation_max_neighbours: int = Field(ge=1)
    """Knowledge-graph neighbours kept per item."""
    similar_top_k: int = Field(ge=1)
    """Similar users kept per user."""
    similar_items: int = Field(ge=1)
    """Newest items of a user that similar users are sought by."""
    similar_users_per_item: int = Field(ge=1)
    """Events of an item, the newest, whose users it links."""
    lock_timeout_s: float = Field(ge=0)
    """Seconds that a build waits for another build of the same date."""


class AlsSettings(Section):
    """Implicit-feedback matrix factorization (Spark's ALS), the learned candidate source."""

    rank: int = Field(ge=1)
    """Length of a factor."""
    iterations: int = Field(ge=1)
    """Alternating passes."""
    regularization: float = Field(ge=0)
    """L2 weight."""
    alpha: float = Field(gt=0)
    """Confidence of an interaction."""
    blocks: int = Field(ge=1)
    """Blocks that users and items are split into: about one a core."""


class CandidateSettings(Section):
    """The candidate sources and their merge."""

    seed: int
    """Seed of the factors and of the hash that breaks ties."""
    max_items: int = Field(ge=2, le=26)
    """Candidates per user; each gets a one-token label A, B, C, ..."""
    per_source: int = Field(ge=1)
    """Items that each source offers per user."""
    co_neighbours: int = Field(ge=1)
    """Strongest neighbours of each history item that the co-interaction source adds up."""
    rrf_k: int = Field(ge=0)
    """Constant of reciprocal rank fusion: a source adds 1 / (rrf_k + rank)."""
    als: AlsSettings


class SnapshotSettings(Section):
    """The lookup snapshot."""

    shards: int = Field(ge=1, le=1024)
    """User shards; each is one mapped inference task."""


class RetentionSettings(Section):
    """What upkeep keeps (`python -m jobs.maintain_tables`)."""

    keep_days: int = Field(ge=1)
    """Logical dates of features, states, candidates and cuts, counted back from the newest, that stay."""
    keep_output_days: int | None = Field(ge=1)
    """The same of recommendations, trajectories, run manifests and rollouts; null: for ever."""
    vacuum_hours: int = Field(ge=1, le=720)
    """Hours for which files that were replaced stay for readers of earlier versions."""
    orphan_hours: int = Field(ge=1)
    """Hours after which a file that no commit names counts as left behind; longer than any build takes."""
    compact_above_files: int = Field(ge=1)
    """Small files of a partition of landing or output tables above which they are put together."""
    compact_target_mb: int = Field(ge=1)
    """Size up to which they are; a file below it is small."""
