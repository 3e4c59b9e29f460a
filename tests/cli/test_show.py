import shutil
from io import StringIO

import pytest
from rich.console import Console

from recthinker.cli.show import show
from recthinker.errors import ConfigError, TableContractError
from recthinker.settings import Settings
from tests.report import night_world


@pytest.fixture
def settings(settings: Settings) -> Settings:
    night_world.write(settings.paths.warehouse)
    return settings


def shown(user_id: str, settings: Settings) -> str:
    screen = StringIO()
    show(user_id, night_world.DS, settings, Console(file=screen, width=160))
    return screen.getvalue()


def test_show_prints_the_published_list_with_titles_and_reasons(settings: Settings) -> None:
    text = shown("7", settings)
    tables = night_world.tables()
    titles = dict(zip(*(tables["item_metadata"][name].to_pylist() for name in ("item_id", "title")), strict=True))
    own = [row for row in tables["recommendations"].to_pylist() if row["user_id"] == "7"]
    assert len(own) == night_world.PUBLISHED
    for row in own:
        line = next(line for line in text.splitlines() if line.startswith(f"│ {row['rank']:2d} │"))
        assert titles[row["item_id"]] in line
        assert f"{row['score']:.2f}" in line
        assert row["reason"] in line


def test_show_tells_every_step(settings: Settings) -> None:
    text = shown("7", settings)
    assert "User 7, night of 1998-04-22" in text
    assert "co_interactions() found 14" in text
    assert "follows recent items" in text
    assert "sufficient yes · rank" in text


def test_show_says_when_a_user_got_the_candidate_order(settings: Settings) -> None:
    text = shown("1", settings)
    assert "fallback_timeout (timeout)" in text
    assert "▲" not in text
    assert "▼" not in text


def test_titles_can_neither_style_nor_steer_the_terminal(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(night_world, "ATTACK", "[bold]Red\x1b[31m")
    shutil.rmtree(settings.paths.warehouse)
    night_world.write(settings.paths.warehouse)
    text = "".join(shown(str(user), settings) for user in range(1, 6))
    assert "[bold]Red [31m" in text
    assert "\x1b" not in text


def test_unknown_user_is_told_whom_to_ask_for(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="found none among 60 users; name one of them, such as 1, 2, 3"):
        shown("nobody", settings)


def test_date_without_a_night_is_refused(settings: Settings) -> None:
    with pytest.raises(TableContractError, match="run_manifest has no rows for ds 1998-04-23"):
        show("7", "1998-04-23", settings)
