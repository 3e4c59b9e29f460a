"""The feature tables of one D, as Arrow."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class FeatureRows:
    """The feature tables of one D, with the columns of recthinker/tables."""

    user_profile: pa.Table
    user_history: pa.Table
    similar_users: pa.Table
    item_metadata: pa.Table
    item_relation: pa.Table
    co_interaction: pa.Table
    versions: Mapping[str, int]
    """Delta version of each table."""
