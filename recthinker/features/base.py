"""The base of an incremental build: the newest date built before, if what it was built from still holds.

A date that is built on top of an earlier one must come out as if it had been built from scratch. So the base must know
today the events that it knew when it was built, by today's definitions; and what it counted by must be the same: the
categories of the items it knew. Users' attributes may differ: the users concerned are named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from recthinker.features.built import BUILT_TABLES, Built
from recthinker.features.definitions import READS
from recthinker.features.inputs import GONE, rows_by_key
from recthinker.tables import schemas
from recthinker.tables.arrow import read_arrow

CARRIED = (*schemas.STATE, schemas.USER_PROFILE, schemas.USER_HISTORY, schemas.SIMILAR_USERS)
"""Tables whose rows a later date takes over; the others are computed whole at every date."""
PAIRS, ITEM_NUMBERS = schemas.CO_INTERACTION_PAIRS, schemas.ITEM_STATE


@dataclass(frozen=True, slots=True)
class Base:
    """What a build may stand on."""

    ds: str
    """The date whose rows are carried on."""
    changed_users: frozenset[str]
    """Users whose row of `users` is another one, new or gone since."""
    pairs: tuple[str, ...]
    """Dates whose rows of `co_interaction_pairs` add up to the pairs of `ds`: first one built from scratch, then
    increments."""
    events: int
    """Events that `ds` knew."""
    newest_event: datetime | None
    """Time of the newest of them."""
    inputs: Mapping[str, int]
    """Versions of the landing tables that all tables of `ds` were built from, by name; a version that differs between
    them is left out."""


def find_base(built: Built, ds: str) -> tuple[Base | None, str | None]:
    """The newest date before `ds` that it can be built on or, where there is none, why the newest one is not it."""
    first_fault: str | None = None
    for date in built.dates_before(ds):
        found = _as_base(built, date, ds)
        if isinstance(found, Base):
            return found, None
        first_fault = first_fault or f"{date}: {found}"
    return None, first_fault or "nothing was built before"


def _as_base(built: Built, date: str, ds: str) -> Base | str:
    """`date` as the base of `ds`, or why it cannot be."""
    for table in CARRIED:
        if fault := built.fault(table, date):
            return f"{table.name} {fault}"
    pairs = _pair_dates(built, date)
    if pairs is None:
        return f"the dates that {PAIRS.name} adds up from do not fit each other"
    now = built.inputs(ds)
    events, items, users = (_recorded(built, date, name) for name in ("interactions", "items", "users"))
    if not all(built.is_same("interactions", version, now["interactions"], date) for version in events):
        return "events that it knew changed"
    try:
        if any(_categories_differ(built, date, version, now["items"]) for version in items):
            return "categories of items that it knew changed"
        changed = [_changed_users(built, version, now["users"]) for version in users]
    except GONE:
        return "versions of items or users that it read are gone"
    state = built.status(schemas.ITEM_STATE, date)
    if state is None or state.events is None:
        return "its events were not counted"
    versions = {name: _recorded(built, date, name) for name in now}
    inputs = {name: next(iter(found)) for name, found in versions.items() if len(found) == 1}
    return Base(date, frozenset().union(*changed), pairs, state.events, state.newest_event, inputs)


def _recorded(built: Built, date: str, name: str) -> set[int]:
    """Versions of a landing table that the tables of `date` were built from: one, but for tables built apart."""
    rows = [row for table in BUILT_TABLES if name in READS[table.name] and (row := built.status(table, date))]
    # A version that was not recorded is none that can be read.
    return {row.inputs.get(name, -1) for row in rows}


def _pair_dates(built: Built, date: str) -> tuple[str, ...] | None:
    """The dates whose pairs add up to those of `date`, oldest first; None where one of them was lost or built anew
    since: its pairs may then name items by other numbers.
    """
    dates = [date]
    while True:
        pairs, items = built.status(PAIRS, dates[-1]), built.status(ITEM_NUMBERS, dates[-1])
        if pairs is None or items is None or pairs.run_id != items.run_id or built.fault(PAIRS, dates[-1]):
            return None
        if pairs.base_ds is None:
            return tuple(reversed(dates))
        below = built.status(PAIRS, pairs.base_ds)
        if below is None or below.ds >= pairs.ds or below.built_at > pairs.built_at:
            return None
        dates.append(below.ds)


def _categories_differ(built: Built, date: str, before: int, now: int) -> bool:
    """Whether an event that `date` knew counts for other categories now."""
    if before == now:
        return False
    columns = ("item_id", "categories")
    old, new = (rows_by_key(built.root, schemas.ITEMS, version, columns) for version in (before, now))
    if any(new.get(item) != row for item, row in old.items()):
        return True
    named = {item for item, row in new.items() if item not in old and row["categories"]}
    return bool(named) and not named.isdisjoint(_items_with_events(built, date))


def _items_with_events(built: Built, date: str) -> list[str]:
    rows = read_arrow(built.root, schemas.ITEM_STATE, columns=("ds", "item_id"), ds=date)
    items: list[str] = rows["item_id"].to_pylist()
    return items


def _changed_users(built: Built, before: int, now: int) -> set[str]:
    """Users whose row is another one at `now`, new or gone."""
    if before == now:
        return set()
    old, new = (rows_by_key(built.root, schemas.USERS, version) for version in (before, now))
    return {user for user in old.keys() | new.keys() if old.get(user) != new.get(user)}
