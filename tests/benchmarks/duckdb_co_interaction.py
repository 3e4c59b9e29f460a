"""Table `co_interaction` once more, in DuckDB SQL on the same Parquet files: what the build's time is compared with.

The same definition (`recthinker.tables.schemas.CO_INTERACTION`): events of a weight above 0 in the order in which they
became known, ties in an order of DuckDB's own hash. So rows are equal but where a user has events of one moment, or
where neighbours of equal cosine compete for the last place.
`python -m tests.benchmarks.duckdb_co_interaction WAREHOUSE DS OUT.parquet [--memory 5GB] [--threads 2]`
"""

import argparse
import tempfile
from pathlib import Path

import duckdb
from deltalake import DeltaTable

from recthinker.settings import FeatureSettings, load_settings

EVENTS = """
CREATE TABLE events AS
SELECT user_id, item_id, event_time, weight, hash(user_id, item_id, event_type) AS tie,
       greatest(event_date, CAST(ingested_at - to_seconds({grace_s}) AS DATE), event_date) AS known_day
FROM read_parquet({files}, hive_partitioning = true, hive_types = {{'event_date': DATE}})
LEFT JOIN (SELECT unnest({types}) AS event_type, unnest({weights}) AS weight_of_type) USING (event_type)
CROSS JOIN LATERAL (SELECT coalesce(weight_of_type, 1)::FLOAT AS weight)
WHERE event_date <= DATE '{ds}' AND weight > 0 AND known_day <= DATE '{ds}'
"""
ITEMS = """
CREATE TABLE items AS
SELECT item_id, (row_number() OVER (ORDER BY item_id))::INTEGER AS item, count(*) AS n FROM events GROUP BY item_id
"""
RANKED = """
CREATE TABLE ranked AS
SELECT user_id, item, weight, row_number() OVER (PARTITION BY user_id ORDER BY known_day, event_time, tie) AS rank
FROM events JOIN items USING (item_id)
"""
# A pair of items in one number, so that pairs are counted by a 64-bit key: (smaller << 32) + larger.
# Twenty joins on the rank in one; windows of twenty `lag`s take a third longer.
PAIRS = """
CREATE TABLE pairs AS
SELECT (least(later.item, earlier.item)::BIGINT << 32) + greatest(later.item, earlier.item) AS key, count(*) AS support,
       sum(CASE WHEN earlier.item < later.item THEN weight * {closeness}[distance] ELSE 0 END) AS up,
       sum(CASE WHEN earlier.item > later.item THEN weight * {closeness}[distance] ELSE 0 END) AS down
FROM (
    SELECT user_id, item, weight, unnest({distances}) AS distance, rank - unnest({distances}) AS rank FROM ranked
) AS later
JOIN (SELECT user_id, item, rank FROM ranked) AS earlier
  ON later.user_id = earlier.user_id AND later.rank = earlier.rank AND later.item <> earlier.item
GROUP BY key
"""
NEIGHBOURS = """
COPY (
    WITH strong AS (
        SELECT (key >> 32)::INTEGER AS low, (key & 4294967295)::INTEGER AS high, support, up, down
        FROM pairs WHERE support >= {min_support}
    ),
    edges AS (
        SELECT low AS item, high AS neighbour, support, up AS next_weight FROM strong
        UNION ALL
        SELECT high, low, support, down FROM strong
    ),
    measured AS (
        SELECT a.item_id, b.item_id AS neighbour_id, support, next_weight,
               support / sqrt(a.n::DOUBLE * b.n) AS cosine,
               support * (SELECT sum(n) FROM items) / (a.n::DOUBLE * b.n) AS lift
        FROM edges JOIN items a ON a.item = edges.item JOIN items b ON b.item = edges.neighbour
    )
    SELECT item_id, max_by(
        {{'item_id': neighbour_id, 'support': support, 'cosine': cosine, 'lift': lift, 'next_weight': next_weight}},
        cosine, {top_k}
    ) AS neighbours
    FROM measured GROUP BY item_id
) TO '{out}' (FORMAT parquet)
"""


def write_co_interaction(
    warehouse: Path, ds: str, settings: FeatureSettings, out: Path, *, memory: str = "5GB", threads: int = 2
) -> None:
    """Write the rows of `co_interaction` of `ds` but their `ds`, from the landing tables, to the Parquet file `out`."""
    distances = range(1, settings.co_window + 1)
    values = {
        "ds": ds,
        "files": DeltaTable(warehouse / "interactions").file_uris(),
        "grace_s": round(settings.arrival_grace_h * 3600),
        "types": list(settings.event_weights),
        "weights": [float(weight) for weight in settings.event_weights.values()],
        "distances": list(distances),
        "closeness": [2 ** ((1 - distance) / settings.co_half_life) for distance in distances],
        "min_support": settings.co_min_support,
        "top_k": settings.co_top_k,
        "out": out,
    }
    with tempfile.TemporaryDirectory(prefix="duckdb-", dir=out.parent) as spill, duckdb.connect() as database:
        database.execute(f"SET memory_limit = '{memory}'; SET threads = {threads}; SET temp_directory = '{spill}'")
        database.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
        for statement in (EVENTS, ITEMS, RANKED, PAIRS, NEIGHBOURS):
            database.execute(statement.format(**values))


def main() -> None:
    """Write the rows; settings as everywhere."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.duckdb_co_interaction", description=__doc__)
    parser.add_argument("warehouse", type=Path)
    parser.add_argument("ds")
    parser.add_argument("out", type=Path)
    parser.add_argument("--memory", default="5GB")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    write_co_interaction(
        arguments.warehouse,
        arguments.ds,
        load_settings().features,
        arguments.out,
        memory=arguments.memory,
        threads=arguments.threads,
    )


if __name__ == "__main__":
    main()
