"""A training cut's tables as Arrow rows: what the cut made, and the interactions that it leaves."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from recthinker.errors import TableContractError
from recthinker.evaluation import CutRows
from recthinker.features.known import cutoff
from recthinker.lookup.feature_rows import FeatureRows
from recthinker.lookup.read import read_features, read_pinned
from recthinker.settings import PathSettings
from recthinker.tables.arrow import Root, read_arrow
from recthinker.tables.schemas import CANDIDATES, HELD_OUT, INTERACTIONS
from recthinker.tables.status import read_status

EVENT = ["user_id", "item_id", "event_time", "event_type"]


def read_cut(
    paths: PathSettings, cut: str, ds: str, *, grace_h: float, versions: Mapping[str, int] = MappingProxyType({})
) -> tuple[CutRows, FeatureRows, dict[str, int]]:
    """The rows of a cut, its feature tables, and the versions of all tables read.

    Args:
        paths: the warehouse and the cuts.
        cut: the cut's name, as `holdout_last_11`.
        ds: date that the cut was built for.
        grace_h: `features.arrival_grace_h`.
        versions: by table, the version to read, as `cut_versions` gave them; empty: the newest.

    Raises:
        TableContractError: the cut was not built for D (`python -m jobs.build_features --cut ... --with-candidates`).
    """
    root = paths.cut(cut)
    features = read_features(root, ds, versions)
    held_out, held_out_version = read_pinned(root, HELD_OUT, ds, versions.get(HELD_OUT.name))
    candidates, candidates_version = read_pinned(root, CANDIDATES, ds, versions.get(CANDIDATES.name))
    # The view is not kept: it is what was known, at the version that was cut, without what was taken away.
    interactions_version = versions[INTERACTIONS.name] if versions else version_cut(root, ds)
    known = _known(paths.warehouse, ds, grace_h, interactions_version)
    rows = CutRows(
        user_history=features.user_history,
        held_out=held_out,
        candidates=candidates,
        interactions=known.join(held_out.select(EVENT), EVENT, join_type="left anti").select(["user_id", "item_id"]),
        item_metadata=features.item_metadata,
    )
    read = {
        **features.versions,
        HELD_OUT.name: held_out_version,
        CANDIDATES.name: candidates_version,
        INTERACTIONS.name: interactions_version,
    }
    return rows, features, read


def version_cut(root: Root, ds: str) -> int:
    """The version of `interactions` that the cut at `root` was taken of."""
    for row in read_status(root, ds):
        if row.table == HELD_OUT.name and INTERACTIONS.name in row.inputs:
            return row.inputs[INTERACTIONS.name]
    raise TableContractError(
        f"the cut at {root} should tell which version of {INTERACTIONS.name} it was taken of for {ds}, found nothing "
        "in its table_status (an earlier release did not write it); build the cut again"
    )


def _known(root: Root, ds: str, grace_h: float, version: int) -> pa.Table:
    """The events known before the end of `ds`, as `features.known` has it; columns `EVENT`."""
    columns = [*EVENT, "event_date", "ingested_at"]
    rows = read_arrow(root, INTERACTIONS, version=version, columns=columns)
    in_time = pc.fill_null(pc.less(rows["ingested_at"], pa.scalar(cutoff(ds, grace_h), rows["ingested_at"].type)), True)
    happened = pc.less_equal(rows["event_date"], pa.scalar(date.fromisoformat(ds)))
    return rows.filter(pc.and_(happened, in_time)).select(EVENT)
