import gzip
from pathlib import Path

import pytest

from recthinker.sources.recbole import recbole_files
from tests.benchmarks.grocery import write_files

EVENTS = "user_id\titem_id\ttime\n7\t3\t965779200\n7\t1\t965779300\n8\t1\t965779400\n"
ITEMS = "item_id\ti_category\tr_complement\tr_substitute\n1\t0\t[3, 5]\t[]\n3\t2\t[1, 5, 5]\t[1]\n"


def test_what_is_bought_along_becomes_edges_that_items_share(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(EVENTS)
    with gzip.open(tmp_path / "item_meta.csv.gz", "wt") as packed:
        packed.write(ITEMS)
    write_files(tmp_path, tmp_path / "recbole", least_events=2)
    files = recbole_files(tmp_path / "recbole")
    rows = {ending: path.read_text().splitlines()[1:] for ending, path in files.items()}
    assert rows["inter"] == ["u7\ti3\t5\t965779200", "u7\ti1\t5\t965779300"]
    assert rows["item"] == ["i1\tgrocery\tc0", "i3\tgrocery\tc2"]
    assert rows["link"] == ["i1\te1", "i3\te3"]
    assert {tuple(row.split("\t")[1:]) for row in rows["kg"]} == {
        *(("item.also_bought", f"also_bought{item}") for item in (1, 3, 5)),
        *(("item.also_viewed", f"also_viewed{item}") for item in (1, 3)),
    }
    tails = {head: {row.split("\t")[2] for row in rows["kg"] if row.startswith(head)} for head in ("e1", "e3")}
    assert tails["e1"] == {"also_bought1", "also_bought3", "also_bought5", "also_viewed1"}
    # What lists an item shares that item's own edge, and two that list the same share its.
    assert tails["e1"] & tails["e3"] == {"also_bought1", "also_bought3", "also_bought5", "also_viewed1"}
    assert len(rows["kg"]) == len(set(rows["kg"])) == 4 + 5


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"train\.csv is missing, and so is train\.csv\.gz"):
        write_files(tmp_path, tmp_path / "recbole")
