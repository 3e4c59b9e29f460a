import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from jobs import build_candidates, build_features
from jobs._cli import run_job
from recthinker.settings import Settings
from recthinker.tables import schemas
from recthinker.tables.store import TableStore
from tests import tiny_world

pytestmark = pytest.mark.spark


@pytest.fixture
def landed(tiny_store: TableStore, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> TableStore:
    """A copy of the landing tables, where a job finds them."""
    monkeypatch.setenv("RECTHINKER_ENV", "test")
    monkeypatch.setenv("RECTHINKER__PATHS__VAR", str(settings.paths.var))
    shutil.copytree(tiny_store.root, settings.paths.warehouse)
    return TableStore(settings.paths.warehouse, tiny_store.spark)


def run(job: str, *arguments: str, ds: str = tiny_world.DS) -> int:
    module = {"build_features": build_features, "build_candidates": build_candidates}[job]
    add_arguments = getattr(module, "add_arguments", None)
    return run_job(job, module.run, add_arguments, ["--ds", ds, "--run-id", "test", *arguments])


def test_features_then_candidates(landed: TableStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("build_features") == 0
    assert "user_profile 12" in capsys.readouterr().out
    assert run("build_candidates") == 0
    assert "candidates of 12 users" in capsys.readouterr().out

    assert landed.read(schemas.CANDIDATES, ds=tiny_world.DS).count() == 12


@pytest.mark.parametrize(
    ("base", "days", "is_short"),
    [("2024-03-06", 1, [True]), (None, 1, [False]), ("2024-03-06", 3, [False])],
    ids=["a night", "from scratch", "a range, once for all"],
)
def test_a_single_night_is_told_to_spark(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, base: str | None, days: int, is_short: list[bool]
) -> None:
    started: list[bool] = []
    monkeypatch.setattr(build_features, "spark_session", lambda *_, is_short: started.append(is_short))
    monkeypatch.setattr(build_features, "plan_features", lambda *_, **__: SimpleNamespace(base=base))
    monkeypatch.setattr(build_features, "build_planned", lambda *_, open_store, **__: open_store())
    assert run("build_features", "--to", f"2024-03-0{6 + days}", ds="2024-03-07") == 0
    assert started == is_short


def test_several_cuts_with_candidates_in_one_go(landed: TableStore, settings: Settings) -> None:
    assert run("build_features", "--cut", "holdout_last:2", "--cut", "holdout_last:1", "--with-candidates") == 0

    # u12 has one event, which both cuts take away.
    for name in ("holdout_last_1", "holdout_last_2"):
        store = TableStore(settings.paths.cut(name), landed.spark)
        assert store.read(schemas.CANDIDATES, ds=tiny_world.DS).count() == 11
    assert not Path(landed.path(schemas.CANDIDATES)).exists()


def test_date_before_the_first_event(landed: TableStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("build_features", ds="2024-01-01") == 42
    assert "first event is of 2024-03-01" in capsys.readouterr().out


def test_unknown_cut(landed: TableStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("build_features", "--cut", "last:1") == 42
    assert "holdout_last:N" in capsys.readouterr().out
