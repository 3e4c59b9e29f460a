"""What an evaluation keeps of a model for each user: all that the gate compares. Written as one Parquet file."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recthinker.evaluation.segments import Segment
from recthinker.files import replacing

SCALARS = b"recthinker.figures"
SEGMENT = "segment: "
ARRAYS = ("ndcg", "blind_ndcg", "popularity_ndcg", "ranked", "calls", "order_correlation")


@dataclass(frozen=True, slots=True)
class UserFigures:
    """A model on the users of an evaluation; arrays run along `users`, (U,), means over the orders shown."""

    users: tuple[str, ...]
    targets: tuple[str, ...]
    """The item that each user took up."""
    requests: str
    """Fingerprint of users, candidates and targets: two models are compared on the same ones only."""
    chance: float
    """NDCG@k of a random order."""
    ndcg: np.ndarray
    blind_ndcg: np.ndarray
    """NDCG@k without any tool: what the model makes of the prompt alone."""
    popularity_ndcg: np.ndarray
    """NDCG@k of ordering by popularity."""
    ranked: np.ndarray
    """Share of the episodes in which the agent answered by itself, in [0, 1]."""
    calls: np.ndarray
    """Tool calls an episode."""
    order_correlation: np.ndarray
    """Spearman's correlation of rank with shown position."""
    seconds_per_user: float
    """Wall seconds of a batch over its users, in the fastest of the orders."""
    segments: tuple[Segment, ...]

    def by_popularity(self) -> "UserFigures":
        """What ordering by popularity made of the same requests, as often and as fast: what a model has to be better
        than where there is no champion yet.
        """
        return replace(self, ndcg=self.popularity_ndcg, calls=np.zeros_like(self.calls))

    def write(self, path: Path) -> None:
        """Keep them as a Parquet file."""
        columns = {name: pa.array(getattr(self, name)) for name in ("users", "targets", *ARRAYS)}
        columns |= {f"{SEGMENT}{part.name}": pa.array(part.members) for part in self.segments}
        scalars = {
            "requests": self.requests,
            "chance": self.chance,
            "seconds_per_user": self.seconds_per_user,
            "rules": {part.name: part.rule for part in self.segments},
        }
        table = pa.table(columns).replace_schema_metadata({SCALARS: json.dumps(scalars).encode()})
        with replacing(path) as partial:
            pq.write_table(table, partial)

    @classmethod
    def read(cls, path: Path) -> "UserFigures":
        """What `write` kept."""
        table = pq.read_table(path)
        scalars = json.loads(table.schema.metadata[SCALARS])
        rules = scalars.pop("rules")
        values: dict[str, Any] = {name: tuple(table[name].to_pylist()) for name in ("users", "targets")}
        values |= {name: table[name].to_numpy() for name in ARRAYS}
        parts = tuple(Segment(name, rule, table[f"{SEGMENT}{name}"].to_numpy()) for name, rule in rules.items())
        return cls(**values, **scalars, segments=parts)
