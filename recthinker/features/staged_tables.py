"""The rows of each feature and state table of one date, computed and written aside: from scratch, or on top of a base.

On top of a base a table computes the rows of users who did something and carries the rest on; item tables are small and
computed whole. A table reads the others of its date where they lie: aside if this build made them, else published.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from recthinker.features.base import Base
from recthinker.features.built_pairs import stage_pairs, stage_ranking
from recthinker.features.item_metadata import item_metadata
from recthinker.features.item_relation import item_relation
from recthinker.features.item_state import item_state
from recthinker.features.landing import Landing
from recthinker.features.similar_users import newest_items, similar_users
from recthinker.features.user_history import user_history
from recthinker.features.user_profile import user_profile
from recthinker.features.user_state import user_state
from recthinker.settings import FeatureSettings
from recthinker.tables import schemas
from recthinker.tables.carry import Carried, carry, data_files
from recthinker.tables.publishing import stage, staged_frame
from recthinker.tables.scan import rows_of_files
from recthinker.tables.schemas import Table
from recthinker.tables.staging import Staged, remove_files
from recthinker.tables.store import TableStore

logger = logging.getLogger(__name__)

MAY_BE_EMPTY = (
    schemas.ITEM_RELATION,
    schemas.CO_INTERACTION_PAIRS,
    schemas.CO_INTERACTION,
    schemas.SIMILAR_USERS,
)
"""Tables that have no rows where no item, or no user, has a neighbour."""


@dataclass
class StagedTables:
    """The tables of one date while they are made."""

    store: TableStore
    landing: Landing
    base: Base | None
    """What the date is built on; None: it is built from scratch."""
    ds: str
    settings: FeatureSettings
    run: str
    """Name of this attempt."""

    def __post_init__(self) -> None:
        self.staged: dict[str, Staged] = {}
        self.carried: dict[str, Carried] = {}
        """By table, the rows of the base: those that are carried on, and those of users who did something."""
        self.summed_pairs = False
        """Whether the pairs that were written aside are all there are, not those of new events alone."""
        self.seconds: dict[str, float] = {}
        self._make: dict[str, Callable[[], Staged]] = {
            schemas.ITEM_STATE.name: self._item_state,
            schemas.USER_STATE.name: self._user_state,
            schemas.USER_PROFILE.name: self._user_profile,
            schemas.USER_HISTORY.name: self._user_history,
            schemas.SIMILAR_USERS.name: self._similar_users,
            schemas.ITEM_METADATA.name: self._item_metadata,
            schemas.ITEM_RELATION.name: self._item_relation,
            schemas.CO_INTERACTION_PAIRS.name: lambda: stage_pairs(self),
            schemas.CO_INTERACTION.name: lambda: stage_ranking(self),
        }

    def make(self, table: Table) -> Staged:
        """Compute a table's rows and write them aside; what it is made from must be there."""
        started = time.monotonic()
        staged = self._make[table.name]()
        self.staged[table.name] = staged
        self.seconds[table.name] = time.monotonic() - started
        logger.info(
            "staged table=%s ds=%s rows=%d seconds=%.1f", table.name, self.ds, staged.rows, self.seconds[table.name]
        )
        return staged

    def rows(self, table: Table) -> DataFrame:
        """The rows of the date: those that were written aside, else the published ones."""
        if table.name in self.staged:
            return staged_frame(self.store, self.staged[table.name])
        return self.store.read(table, ds=self.ds)

    def before(self, table: Table) -> DataFrame | None:
        """The rows of the base without their date; None: there is no base."""
        return None if self.base is None else self.base_rows(table).drop("ds")

    def base_rows(self, table: Table) -> DataFrame:
        """The rows of the base, none where there is no base."""
        ds = self.base.ds if self.base else ""
        return self.store.read(table, files=pc.field("partition.ds") == ds).where(F.col("ds") == ds)

    def weighted(self) -> DataFrame:
        """The events that pair items and link users."""
        return self.landing.events.where("weight > 0")

    @cached_property
    def touched(self) -> pa.Array:
        """On top of a base: the users of the new events."""
        return self._new_users["user_id"].combine_chunks()

    @cached_property
    def touched_by_weight(self) -> pa.Array:
        """On top of a base: the users of the new events of a weight above 0."""
        return self._new_users.filter(pc.field("has_weight"))["user_id"].combine_chunks()

    @cached_property
    def _new_users(self) -> pa.Table:
        by_user = self.landing.events.groupBy("user_id")
        return by_user.agg(F.max(F.col("weight") > 0).alias("has_weight")).toArrow()

    def before_of_touched(self, table: Table) -> DataFrame | None:
        """The rows of the base of the users of the new events; None: there is no base."""
        if table.name in self.carried:
            taken = self.carried[table.name].taken
            return rows_of_files(self.store.spark, table, self.store.path(table), taken).drop("ds")
        before = self.before(table)
        return None if before is None else self.only(before, self.touched)

    def remove_taken(self) -> None:
        """Remove the files that only this build needed."""
        for name, carried in self.carried.items():
            remove_files(self.store.path(schemas.TABLES[name]), carried.taken)

    def only(self, rows: DataFrame, users: pa.Array) -> DataFrame:
        """The rows of `users`."""
        wanted = self.store.spark.createDataFrame(pa.table({"user_id": users}))
        return rows.join(F.broadcast(wanted), "user_id", "left_semi")

    def _stage(self, table: Table, rows: DataFrame) -> Staged:
        return stage(self.store, table, rows, ds=self.ds, run=self.run)

    def _carry(self, table: Table, users: pa.Array) -> None:
        """On top of a base: carry the rows of all users but `users` on."""
        if self.base is not None:
            files, where = data_files(self.store.root, table, self.base.ds), {"ds": self.ds, "run": self.run}
            self.carried[table.name] = carry(
                self.store.spark, self.store.path(table), files, key="user_id", changed=users, **where
            )

    def _stage_over(self, table: Table, rows: DataFrame) -> Staged:
        """`rows`, and those that were carried on."""
        new = self._stage(table, rows)
        carried = self.carried[table.name].files if table.name in self.carried else ()
        return Staged(table.name, self.ds, (*new.files, *carried))

    def _states(self, users: pa.Array) -> DataFrame:
        """On top of a base: rows of `user_state` of the date, of `users`."""
        staged = self.staged.get(schemas.USER_STATE.name)
        if staged and pc.all(pc.is_in(users, value_set=self.touched)).as_py():
            rows = staged_frame(self.store, staged, new_only=True)
            return rows if len(users) == len(self.touched) else self.only(rows, users)
        return self.only(self.rows(schemas.USER_STATE), users)

    def _item_state(self) -> Staged:
        before = self.before(schemas.ITEM_STATE)
        rows = item_state(self.landing.events, before=before, ds=self.ds, settings=self.settings)
        return self._stage(schemas.ITEM_STATE, rows)

    def _user_state(self) -> Staged:
        self._carry(schemas.USER_STATE, self._touched_or_none())
        known = self.before_of_touched(schemas.USER_STATE)
        rows = user_state(self.landing.events, self.landing.items, before=known, ds=self.ds, settings=self.settings)
        return self._stage_over(schemas.USER_STATE, rows)

    def _user_profile(self) -> Staged:
        if self.base is None:
            states = self.rows(schemas.USER_STATE)
        else:
            changed = pa.array(sorted(self.base.changed_users), pa.string())
            users = pa.chunked_array([self.touched, changed]).unique()
            self._carry(schemas.USER_PROFILE, users)
            states = self._states(users)
        rows = user_profile(states, self.landing.users, ds=self.ds, settings=self.settings)
        return self._stage_over(schemas.USER_PROFILE, rows)

    def _user_history(self) -> Staged:
        self._carry(schemas.USER_HISTORY, self._touched_or_none())
        known = self.before_of_touched(schemas.USER_HISTORY)
        rows = user_history(self.landing.events, before=known, ds=self.ds, settings=self.settings)
        return self._stage_over(schemas.USER_HISTORY, rows)

    def _similar_users(self) -> Staged:
        states = self.rows(schemas.USER_STATE)
        if self.base is None:
            active = states
        else:
            self._carry(schemas.SIMILAR_USERS, self.touched_by_weight)
            active = self._states(self.touched_by_weight)
        rows = similar_users(
            self.weighted(),
            newest_items(active, self.settings),
            states.select("user_id"),
            before=self.before(schemas.ITEM_STATE),
            ds=self.ds,
            settings=self.settings,
        )
        return self._stage_over(schemas.SIMILAR_USERS, rows)

    def _item_metadata(self) -> Staged:
        states = self.rows(schemas.ITEM_STATE)
        rows = item_metadata(states, self.landing.items, ds=self.ds, settings=self.settings)
        return self._stage(schemas.ITEM_METADATA, rows)

    def _item_relation(self) -> Staged:
        rows = item_relation(self.landing.item_relations, ds=self.ds, settings=self.settings)
        return self._stage(schemas.ITEM_RELATION, rows)

    def _touched_or_none(self) -> pa.Array:
        return pa.array([], pa.string()) if self.base is None else self.touched
