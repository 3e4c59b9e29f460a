from dataclasses import replace

import numpy as np
import pytest

from recthinker.settings import load_settings
from tests.benchmarks.adapts import by_kind
from tests.evaluation.test_gate import CHAMPION, USERS

SETTINGS = load_settings("test", environ={})


def test_figures_of_a_kind_are_of_its_users() -> None:
    is_series = np.arange(USERS) % 4 > 0
    users = tuple(f"{'s' if one else 'a'}{number}" for number, one in enumerate(is_series))
    figures = replace(CHAMPION, users=users, calls=np.where(is_series, 1.0, 2.0), ndcg=np.where(is_series, 0.75, 0.5))
    found = by_kind(figures, SETTINGS.evaluation)
    assert list(found) == ["series", "authors"]
    assert (found["series"]["users"], found["authors"]["users"]) == (is_series.sum(), USERS - is_series.sum())
    assert found["series"]["calls"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    assert found["authors"]["calls"]["mean"] == 2.0
    assert [one["ndcg"]["mean"] for one in found.values()] == pytest.approx([0.75, 0.5])
