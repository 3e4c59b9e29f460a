import json
from pathlib import Path

import pyarrow as pa
import pytest

from recthinker.errors import SnapshotError
from recthinker.lookup import Snapshot, nightly_requests, write_snapshot
from recthinker.lookup.columns import Texts
from recthinker.lookup.files import find, hash_keys
from recthinker.lookup.snapshot import FORMAT
from tests import little_world as world


def titles(snapshot: Snapshot, codes: object) -> list[str]:
    return [snapshot.items.item_id(int(code)) for code in codes]  # type: ignore[attr-defined]


def test_request_holds_the_rows_of_its_user(tmp_path: Path) -> None:
    snapshot = world.snapshot(tmp_path / "s")
    ann = snapshot.request("ann")
    assert titles(snapshot, ann.candidates) == ["i4", "i3", "i5", "i6"]
    assert titles(snapshot, ann.history) == ["i1", "i2"]
    assert ann.mean_rating == 4.0
    assert ann.top_categories == ["Drama"]
    assert ann.attributes == {"age": "30"}


def test_similar_users_are_counted_and_small_counts_hidden(tmp_path: Path) -> None:
    # i3: bob and cat = 2; i4: cat alone = 1, below the threshold of 2; i5: dan alone; i6: nobody.
    assert world.snapshot(tmp_path / "s").request("ann").similar_counts.tolist() == [0, 2, 0, 0]


def test_co_interactions_are_listed_by_the_earlier_item(tmp_path: Path) -> None:
    items = world.snapshot(tmp_path / "s").items
    row = items.code("i1")
    found = zip(items.co_items[row].tolist(), items.co_weights[row].tolist(), strict=True)
    assert {items.item_id(code): pair for code, pair in found} == {
        "i3": [9.0, pytest.approx(0.8)],
        "i5": [0.0, pytest.approx(0.1)],
    }


def test_links_are_shared_by_items_with_the_same_tail(tmp_path: Path) -> None:
    items = world.snapshot(tmp_path / "s").items
    shared = set(items.links[items.code("i1")]) & set(items.links[items.code("i3")])
    assert [items.link(code) for code in shared] == [("directed_by", "Kim")]
    # Two items have the edge: 1 / log2(1 + 2).
    assert items.link_weight[shared.pop()] == pytest.approx(0.63093, abs=1e-5)


@pytest.mark.parametrize("shards", [1, 3])
def test_every_request_is_in_exactly_one_shard(tmp_path: Path, shards: int) -> None:
    snapshot = world.snapshot(tmp_path / "s", shards=shards)
    keys = [row.key for shard in snapshot.shards for row in snapshot.requests(shard)]
    assert sorted(keys) == ["ann", "bob", "cat", "dan"]
    assert snapshot.request_count == 4


def test_unknown_keys_are_not_found(tmp_path: Path) -> None:
    snapshot = world.snapshot(tmp_path / "s")
    assert snapshot.items.code("i99") == -1
    assert snapshot.requests(0).get("eve") is None
    with pytest.raises(SnapshotError, match="no request 'eve'"):
        snapshot.request("eve")


def test_find_tells_keys_of_the_same_hash_apart() -> None:
    keys = Texts(pa.array(["x", "a", "y"]))
    same = hash_keys(["a", "a", "a"])
    assert find(same, keys, "a") == 1


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    world.snapshot(tmp_path / "s")
    file = tmp_path / "s" / "items.arrow"
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(SnapshotError, match=r"items.arrow is corrupt: expected \d+ bytes"):
        Snapshot(tmp_path / "s")


def test_a_snapshot_of_another_release_is_refused(tmp_path: Path) -> None:
    world.snapshot(tmp_path / "s")
    path = tmp_path / "s" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": FORMAT - 1}))
    with pytest.raises(SnapshotError, match=rf"another release \(format {FORMAT - 1}, expected {FORMAT}\)"):
        Snapshot(tmp_path / "s")


def test_a_changed_byte_is_found_by_verify(tmp_path: Path) -> None:
    snapshot = world.snapshot(tmp_path / "s")
    file = tmp_path / "s" / "requests-00000.arrow"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(SnapshotError, match="checksum"):
        snapshot.verify()


def test_no_snapshot_names_the_job_to_run(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match=r"jobs\.write_snapshot"):
        Snapshot(tmp_path)


def test_a_failed_write_leaves_the_old_snapshot(tmp_path: Path) -> None:
    world.snapshot(tmp_path / "s")
    rows = world.features()
    asked = nightly_requests(world.candidates(), rows.user_history)
    stranger = asked.set_column(2, "candidates", pa.array([["nowhere"]] * 4))
    with pytest.raises(SnapshotError, match="'nowhere' is not in item_metadata"):
        write_snapshot(tmp_path / "s", stranger, rows, ds=world.DS, shards=1, min_users=2)
    assert Snapshot(tmp_path / "s").request_count == 4


def test_no_requests_is_an_error(tmp_path: Path) -> None:
    rows = world.features()
    asked = nightly_requests(world.candidates(), rows.user_history).slice(0, 0)
    with pytest.raises(SnapshotError, match="no requests"):
        write_snapshot(tmp_path / "s", asked, rows, ds=world.DS, shards=1, min_users=2)
