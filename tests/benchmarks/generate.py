"""Writes a generated world into landing tables, and more nights after it.

`python -m tests.benchmarks.generate WAREHOUSE --events 5000000 --users 100000 --items 20000 [--days 180] [--seed 1]
[--late-share 0.002] [--planted-events 100000] [--half-category]`
"""

import argparse
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from recthinker.tables.schemas import INTERACTIONS, ITEM_RELATIONS, ITEMS, USERS, Table
from tests.benchmarks.world import World, item_ids, user_ids

CATEGORIES = 25
CHUNK_ROWS = 2_000_000
"""Events written by one commit, which bounds memory."""
NIGHT_LATE_SHARE = 0.02
"""Share of a night's events that are of the day before and arrive only now."""


def write_world(warehouse: Path, world: World) -> int:
    """Write all landing tables that a build reads; rows of `interactions`."""
    for table, rows in _catalogue(world).items():
        _append(warehouse, table, rows)
    written = 0
    for chunk in _chunks(world.event_days(), CHUNK_ROWS):
        _append(warehouse, INTERACTIONS, chunk)
        written += chunk.num_rows
    return written


def add_night(warehouse: Path, world: World, *, share: float = 0.002, night: int = 1) -> str:
    """Append the `night`-th day after the world's last, with `share` of its events; the day, as a logical date.

    Of the new events, `NIGHT_LATE_SHARE` are of the day before and arrived too late for it.
    """
    count, index = max(2, round(world.events * share)), world.days - 1 + night
    late = max(1, round(count * NIGHT_LATE_SHARE))
    days = [world.events_of(index, count - late, late_share=0), world.arrived_on(index, late)]
    _append(warehouse, INTERACTIONS, pa.concat_tables(days))
    return world.day(index).isoformat()


def _append(warehouse: Path, table: Table, rows: pa.Table) -> None:
    path, schema = str(warehouse / table.name), table.arrow_schema()
    plain = {"delta.enableDeletionVectors": "false"}
    DeltaTable.create(path, schema, mode="ignore", partition_by=list(table.partition_by), configuration=plain)
    write_deltalake(path, rows.cast(schema), mode="append", partition_by=list(table.partition_by))


def _chunks(days: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """`days` put together to tables of at least `rows` rows; the last one holds the rest."""
    waiting: list[pa.Table] = []
    for day in days:
        waiting.append(day)
        if sum(table.num_rows for table in waiting) >= rows:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _catalogue(world: World) -> dict[Table, pa.Table]:
    """Rows of the landing tables besides `interactions`."""
    items, users = item_ids(world), user_ids(world)
    return {
        ITEMS: pa.Table.from_pydict(
            {
                "item_id": items,
                "title": [f"Title {item}" for item in items],
                "description": [None] * len(items),
                "categories": _categories(world),
                "attributes": [[("year", str(1980 + n % 46))] for n in range(len(items))],
            },
            schema=ITEMS.arrow_schema(),
        ),
        USERS: pa.Table.from_pydict(
            {"user_id": users, "attributes": [[("age", str(18 + n % 60))] for n in range(len(users))]},
            schema=USERS.arrow_schema(),
        ),
        ITEM_RELATIONS: pa.Table.from_pylist(list(_relations(items)), schema=ITEM_RELATIONS.arrow_schema()),
    }


def _categories(world: World) -> list[list[str]]:
    """Two different categories an item; with `half_category`, `c0` is the first of every other item."""
    rng = np.random.default_rng([world.seed, world.days, 2])
    first = rng.integers(0, CATEGORIES, world.items)
    if world.half_category:
        first = np.where(np.arange(world.items) % 2 == 0, 0, rng.integers(1, CATEGORIES, world.items))
    second = (first + rng.integers(1, CATEGORIES, world.items)) % CATEGORIES
    if world.half_category:
        second = np.where(second == 0, (first % (CATEGORIES - 1)) + 1, second)
    return [[f"c{a}", f"c{b}"] for a, b in zip(first, second, strict=True)]


def _relations(items: list[str]) -> Iterator[dict[str, str | None]]:
    """Each item has a brand, twenty items a brand; every tenth item has a sequel."""
    for n, item in enumerate(items):
        brand = n // 20
        yield _edge(item, "brand", f"b{brand}", f"Brand {brand}")
        if n % 10 == 0 and n + 1 < len(items):
            yield _edge(item, "sequel", items[n + 1], f"Title {items[n + 1]}", items[n + 1])


def _edge(head: str, relation: str, tail: str, label: str, tail_item: str | None = None) -> dict[str, str | None]:
    names = ITEM_RELATIONS.column_names
    return dict(zip(names, (head, relation, tail, label, tail_item), strict=True))


def main() -> None:
    """Write a world and say how large it is."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.generate", description=__doc__)
    parser.add_argument("warehouse", type=Path, help="folder of the landing tables; made where there is none")
    for name in ("events", "users", "items", "days", "planted_events", "seed"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(World, name))
    parser.add_argument("--late-share", type=float, default=World.late_share)
    parser.add_argument("--half-category", action="store_true", help="one category holds half of all items")
    arguments = vars(parser.parse_args())
    warehouse, started = arguments.pop("warehouse"), time.monotonic()
    written = write_world(warehouse, World(**arguments))
    print(f"{written} events in {warehouse} after {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
