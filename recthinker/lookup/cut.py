"""A training cut's tables as Arrow rows, read from the warehouse of the cut."""

from pathlib import Path

from recthinker.evaluation import CutRows
from recthinker.lookup.feature_rows import FeatureRows
from recthinker.lookup.read import read_features, read_pinned
from recthinker.tables.arrow import read_arrow, table_version
from recthinker.tables.schemas import CANDIDATES, HELD_OUT, INTERACTIONS


def read_cut(root: Path, ds: str) -> tuple[CutRows, FeatureRows, dict[str, int]]:
    """The rows of a cut, its feature tables, and the versions of all tables read.

    Raises:
        TableContractError: the cut was not built for D (`python -m jobs.build_features --cut ... --with-candidates`).
    """
    features = read_features(root, ds)
    held_out, held_out_version = read_pinned(root, HELD_OUT, ds)
    candidates, candidates_version = read_pinned(root, CANDIDATES, ds)
    interactions_version = table_version(root, INTERACTIONS)
    cut = CutRows(
        user_history=features.user_history,
        held_out=held_out,
        candidates=candidates,
        interactions=read_arrow(root, INTERACTIONS, version=interactions_version, columns=["user_id", "item_id"]),
        item_metadata=features.item_metadata,
    )
    versions = {
        **features.versions,
        HELD_OUT.name: held_out_version,
        CANDIDATES.name: candidates_version,
        INTERACTIONS.name: interactions_version,
    }
    return cut, features, versions
