"""The tables of a training cut: the same code as at night, over a view of the interactions, in a folder of its own.

A cut is built once: it stays up to date as long as its definition and what it is cut from stay the same.
"""

import hashlib
import inspect
import time
from collections.abc import Mapping

from recthinker.errors import TableContractError
from recthinker.features import cuts
from recthinker.features.build import cached, make_all
from recthinker.features.built import BUILT_TABLES
from recthinker.features.cuts import Cut, Split
from recthinker.features.definitions import definition
from recthinker.features.events import as_events
from recthinker.features.inputs import DIMENSIONS, input_versions, same_events, same_rows
from recthinker.features.landing import known_interactions, with_events
from recthinker.features.record import made_status
from recthinker.features.staged_tables import StagedTables
from recthinker.settings import FeatureSettings
from recthinker.tables import schemas
from recthinker.tables.arrow import Root
from recthinker.tables.publishing import publish, published_version, stage
from recthinker.tables.status import read_status, write_status
from recthinker.tables.store import TableStore

CUT_TABLES = (*BUILT_TABLES, schemas.HELD_OUT)


def build_cut(
    warehouse: TableStore, cut: Cut, *, cuts_root: Root, ds: str, settings: FeatureSettings, run_id: str
) -> dict[str, int]:
    """Bring the tables of a cut up to date, what it takes away (`held_out`) among them; rows by table, none where they
    are.

    Args:
        warehouse: where the landing tables lie.
        cut: what to take away.
        cuts_root: folder with one folder of tables a cut.
        ds: logical date whose events are cut.
        settings: of the features.
        run_id: recorded with what is written.

    Raises:
        TableContractError: a landing table is missing, or the cut leaves nothing.
    """
    store = TableStore(f"{cuts_root}/{cut.name}", warehouse.spark)
    inputs = input_versions(warehouse.root, ds, settings.arrival_grace_h)
    fingerprint = cut_definition(cut, settings)
    if _is_current(warehouse.root, store.root, inputs, fingerprint, ds=ds, grace_h=settings.arrival_grace_h):
        return {}
    after = {table.name: published_version(store.root, table, ds) for table in CUT_TABLES}
    view, held_out = split_of(warehouse, cut, ds=ds, settings=settings)
    with cached(as_events(view, settings)) as events:
        if events.isEmpty():
            raise TableContractError(f"training cut {cut.name} of ds {ds} leaves no interaction; take fewer away")
        run = f"{run_id}-{time.time_ns():x}"
        tables = StagedTables(store, with_events(warehouse, inputs, events), None, ds, settings, run)
        make_all(tables, BUILT_TABLES, side_by_side=True)
    taken = stage(store, schemas.HELD_OUT, held_out, ds=ds, run=run)
    for table in (*tables.staged.values(), taken):
        version = publish(store, table, run_id=run_id, after=after[table.table])
        seconds = tables.seconds.get(table.table, 0.0)
        status = made_status(
            table, run_id=run_id, definition=fingerprint, inputs=inputs, version=version, seconds=seconds
        )
        write_status(store.root, status)
    return {table.table: table.rows for table in (*tables.staged.values(), taken)}


def split_of(warehouse: TableStore, cut: Cut, *, ds: str, settings: FeatureSettings) -> Split:
    """The interactions known before the end of `ds`, as what the cut leaves and what it takes away."""
    return cut.split(known_interactions(warehouse, ds=ds, settings=settings), ds=ds, seed=settings.seed)


def cut_definition(cut: Cut, settings: FeatureSettings) -> str:
    """Fingerprint of all that decides the tables of a cut, given its inputs."""
    parts = [cut.name, inspect.getsource(cuts), *(definition(table, settings) for table in BUILT_TABLES)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _is_current(
    landing: Root, root: Root, inputs: Mapping[str, int], fingerprint: str, *, ds: str, grace_h: float
) -> bool:
    rows = read_status(root, ds)
    if {row.table for row in rows} < {table.name for table in CUT_TABLES}:
        return False
    if any(row.definition != fingerprint for row in rows):
        return False
    recorded = {name: version for row in rows for name, version in row.inputs.items()}
    events = schemas.INTERACTIONS.name
    return same_events(landing, recorded[events], inputs[events], ds=ds, grace_h=grace_h) and all(
        same_rows(landing, table, recorded[table.name], inputs[table.name]) for table in DIMENSIONS
    )
