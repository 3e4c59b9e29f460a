from datetime import date

import pytest

from recthinker.errors import ConfigError
from recthinker.evaluation import Protocol


def test_protocols_name_their_cut_and_say_what_they_do_not_prevent() -> None:
    last, before = Protocol.parse("leave_last_one"), Protocol.parse("temporal:1998-02-01")
    assert (last.cut, before.cut) == ("holdout_last_1", "temporal_1998-02-01")
    assert before.before == date(1998, 2, 1)
    assert [str(last), str(before)] == ["leave_last_one", "temporal:1998-02-01"]
    assert "among 19 random items" in last.rule(19)
    assert "from 1998-02-01 on" in before.rule(19)
    assert all("not prevent" in rule for rule in (last.rule(19), before.rule(19)))


@pytest.mark.parametrize("text", ["temporal", "temporal:1998-2-1", "leave_last_one:3", "random", ""])
def test_other_protocols_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"leave_last_one or temporal:YYYY-MM-DD, found"):
        Protocol.parse(text)


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="1998-02-30 is no date"):
        Protocol.parse("temporal:1998-02-30")
