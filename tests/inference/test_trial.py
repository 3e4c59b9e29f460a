from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from recthinker.errors import TableContractError
from recthinker.inference.trial import exchanged
from recthinker.settings import Settings
from tests.inference import small_trial


def test_targets_stand_at_their_place(tmp_path: Path, settings: Settings) -> None:
    trial = small_trial.trial(tmp_path, settings)
    item_id = trial.snapshot.items.item_id
    assert trial.users == ("ann", "bob", "cat")
    assert [item_id(int(code)) for code in trial.target_codes] == ["i3", "i5", "i1"]
    assert trial.candidates.shape == (3, 4)


def test_who_has_no_request_is_counted_by_the_reason(tmp_path: Path, settings: Settings) -> None:
    assert small_trial.trial(tmp_path, settings).left_out == {
        "no event taken away to predict": 1,  # dan
        "no event left to know them by": 1,  # eve
    }


def test_lists_are_of_one_length(tmp_path: Path, settings: Settings) -> None:
    # Of six items dan does not have four besides the target; the others do not have three.
    trial = small_trial.trial(tmp_path, settings, small_trial.TAKEN | {"dan": ["i6"]}, negatives=4)
    assert trial.users == ("dan",)
    assert trial.left_out["too few items that they do not have"] == 3


def test_who_came_back_to_an_item_has_no_request(tmp_path: Path, settings: Settings) -> None:
    trial = small_trial.trial(tmp_path, settings, small_trial.TAKEN | {"ann": ["i1"]})
    assert trial.users == ("bob", "cat")
    assert trial.left_out["an item that they had before"] == 1
    with pytest.raises(TableContractError, match="new to them"):
        small_trial.trial(tmp_path / "none", settings, {"ann": ["i1"]})


def test_statistics_are_of_the_view_and_what_is_known_grows_to_the_target(tmp_path: Path, settings: Settings) -> None:
    trial = small_trial.trial(tmp_path, settings, {"ann": ["i3", "i5"]}, negatives=2)
    code = trial.snapshot.items.code
    # bob and cat have i3, nobody i6; the events taken away are not counted.
    assert [int(trial.event_counts[code(item)]) for item in ("i1", "i3", "i5", "i6")] == [2, 2, 1, 0]
    assert trial.train.shape == (4, 6)
    # i5 is older than the target, and was taken away: known of ann, though in no statistic of hers.
    assert sorted(trial.known[0].indices) == sorted(code(item) for item in ("i1", "i2", "i5"))


def test_a_strangers_rows_stand_beside_ones_own_candidates(tmp_path: Path, settings: Settings) -> None:
    trial = small_trial.trial(tmp_path, settings)
    for own, stranger in zip(trial.rows, trial.strangers, strict=True):
        assert stranger.key == own.key
        assert stranger.user_id != own.user_id
        assert stranger.candidates.tolist() == own.candidates.tolist()
    by_user = {row.user_id: row.history.tolist() for row in trial.rows}
    assert all(row.history.tolist() == by_user[row.user_id] for row in trial.strangers)


def test_everybody_gives_and_gets_rows_once() -> None:
    ids = [f"u{n}" for n in range(7)]
    asked = pa.table({"key": ids, "user_id": ids, "history": [[one] for one in ids]})
    found = exchanged(asked, seed=1)
    assert found["key"].to_pylist() == ids
    assert sorted(found["user_id"].to_pylist()) == ids
    assert all(a != b for a, b in zip(found["user_id"].to_pylist(), ids, strict=True))
    assert found["history"].to_pylist() == [[one] for one in found["user_id"].to_pylist()]


def test_evidence_is_what_the_tools_tell(tmp_path: Path, settings: Settings) -> None:
    trial = small_trial.trial(tmp_path, settings)
    place = trial.target[0]
    # ann's i1 goes with i3 by a cosine of 0.8; bob and cat, who are like her, have it.
    assert trial.evidence["together"][0, place] == np.float32(0.8)
    assert trial.evidence["similar users"][0, place] == 2


def test_fingerprint_is_of_the_requests(tmp_path: Path, settings: Settings) -> None:
    first, again = small_trial.trial(tmp_path / "a", settings), small_trial.trial(tmp_path / "b", settings)
    other = small_trial.trial(tmp_path / "c", settings, negatives=2)
    assert first.fingerprint == again.fingerprint != other.fingerprint
