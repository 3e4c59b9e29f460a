import json
from pathlib import Path

import pytest

from recthinker.errors import RegistryError
from recthinker.evaluation import Check, Reason
from recthinker.report.decision import WORDS, Decision, read_decision
from tests.report import retrain_world as world


def read(folder: Path, **changed: object) -> Decision:
    gate = {"challenger": "new/2", "champion": "old/1", **world.decision().as_dict(), **changed}
    (folder / "gate.json").write_text(json.dumps(gate), encoding="utf-8")
    decision = read_decision(folder)
    assert decision is not None
    return decision


def test_every_reason_of_the_gate_has_its_words() -> None:
    assert set(WORDS) == set(Reason)


def test_a_run_that_did_not_reach_the_gate_has_no_decision(tmp_path: Path) -> None:
    assert read_decision(tmp_path) is None


def test_what_decides_is_the_gravest_check_not_met_or_the_gain(tmp_path: Path) -> None:
    assert read(tmp_path).why == "NDCG differs by +0.0123, all of it above 0.005"
    refused = read(tmp_path, **world.decision(slower=True).as_dict())
    assert refused.why == "a user takes 9.8 ms, allowed are 6.3"
    assert [check.reason for check in refused.failed] == [Reason.SLOWER]


def test_the_margin_is_the_one_that_was_asked(tmp_path: Path) -> None:
    # One that is only as good, with fewer calls, is held against minus the margin.
    gain = Check(Reason.NOT_BETTER, -0.001, -0.004, True, "as good")
    assert read(tmp_path, checks=[vars_of(gain)]).margin == 0.004
    assert read(tmp_path).margin == 0.005


def test_checks_are_written_in_their_units(tmp_path: Path) -> None:
    told = {check.reason: (check.found, check.asked) for check in read(tmp_path).checks}
    assert told[Reason.SLOWER] == ("4.1 ms", "at most 6.3 ms")
    assert told[Reason.LESS_VALID] == ("99.67%", "at least 98.61%")
    assert told[Reason.TOO_FEW_USERS] == ("900", "at least 100")
    assert told[Reason.SEGMENT_WORSE] == ("−0.0112", "at least −0.0200")
    assert told[Reason.LEAKED_TARGETS] == ("0", "at most 0")
    missing = read(tmp_path, checks=[vars_of(Check(Reason.UNKNOWN_TARGETS, 0.0, 0.0, False, "found none"))])
    assert (missing.checks[0].found, missing.checks[0].asked) == ("not told", "told")


def test_a_decision_that_lacks_something_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"should hold ndcg.*promote_model"):
        read(tmp_path, ndcg=None)


def vars_of(check: Check) -> dict[str, object]:
    return {name: getattr(check, name) for name in ("reason", "value", "bound", "is_met", "text")}
