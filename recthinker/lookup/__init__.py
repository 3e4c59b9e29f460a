"""The lookup snapshot: the feature rows of one D as memory-mapped Arrow files, key to row in microseconds, no Spark."""

from recthinker.lookup.feature_rows import FeatureRows
from recthinker.lookup.items import ItemRows
from recthinker.lookup.requests import RequestRow, RequestRows
from recthinker.lookup.snapshot import Snapshot
from recthinker.lookup.write import nightly_requests, write_snapshot

__all__ = [
    "FeatureRows",
    "ItemRows",
    "RequestRow",
    "RequestRows",
    "Snapshot",
    "nightly_requests",
    "write_snapshot",
]
