"""Files written aside: what is told of them."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recthinker.tables.staging import write_staged

ROWS = pa.table(
    {
        "user_id": ["a", "c", "b"],
        "count": [3, None, 1],
        "events": pa.array([[{"item_id": "x"}], [], [{"item_id": "y"}]]),
    }
)


def test_bounds_are_told_of_plain_columns_and_not_of_what_is_inside_lists(tmp_path: Path) -> None:
    file = write_staged(str(tmp_path), "ds=2026-01-01/run/0.parquet", ROWS, {"ds": "2026-01-01"})
    assert json.loads(file.stats) == {
        "numRecords": 3,
        "minValues": {"user_id": "a", "count": 1},
        "maxValues": {"user_id": "c", "count": 3},
        "nullCount": {"user_id": 0, "count": 1},
    }
    group = pq.read_metadata(tmp_path / file.path).row_group(0)
    told = {group.column(n).path_in_schema: group.column(n).is_stats_set for n in range(group.num_columns)}
    assert told == {"user_id": True, "count": True, "events.list.element.item_id": False}
    assert pq.read_table(tmp_path / file.path, partitioning=None).to_pylist() == ROWS.to_pylist()
