from pathlib import Path

import numpy as np

from recthinker.evaluation import read_targets, target_hashes, write_targets


def test_hashes_are_of_pairs_each_once() -> None:
    hashes = target_hashes(["u", "v", "u"], ["i", "i", "i"])
    assert len(hashes) == 2
    assert len(np.intersect1d(hashes, target_hashes(["v"], ["i"]))) == 1
    assert not np.intersect1d(hashes, target_hashes(["v"], ["j"])).size


def test_ids_do_not_run_into_each_other() -> None:
    assert target_hashes(["a"], ["bc"]) != target_hashes(["ab"], ["c"])


def test_hashes_are_the_same_on_every_machine() -> None:
    # blake2b-64 of "1|ui", little-endian.
    assert target_hashes(["u"], ["i"]).tolist() == [2725675273360059653]


def test_targets_travel_with_the_model(tmp_path: Path) -> None:
    assert read_targets(tmp_path) is None
    write_targets(tmp_path, target_hashes(["u", "v"], ["i", "j"]))
    found = read_targets(tmp_path)
    assert found is not None
    assert found.tolist() == target_hashes(["v", "u"], ["j", "i"]).tolist()
