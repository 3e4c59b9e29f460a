from pathlib import Path

import pytest

from recthinker.errors import ConfigError
from recthinker.features import Cut
from recthinker.settings import load_settings


@pytest.mark.parametrize("overlay", ["local", "test", "prod", "bench", "qwen3_8b"])
def test_each_overlay_is_valid(overlay: str) -> None:
    assert load_settings(overlay, environ={}).model.name == "recthinker"


def test_an_overlay_changes_only_what_it_names() -> None:
    base, test = load_settings("local", environ={}), load_settings("test", environ={})
    assert (base.candidates.max_items, test.candidates.max_items) == (20, 8)
    assert base.candidates.rrf_k == test.candidates.rrf_k


def test_the_environment_wins_and_is_read_as_a_value() -> None:
    environ = {
        "RECTHINKER_ENV": "test",
        "RECTHINKER__SNAPSHOT__SHARDS": "7",
        "RECTHINKER__CANDIDATES__ALS__RANK": "3",
    }
    settings = load_settings(environ=environ)
    assert settings.snapshot.shards == 7
    assert settings.candidates.als.rank == 3
    assert settings.candidates.als.iterations == 3  # from the test overlay


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        (
            {"RECTHINKER__FEATURES__CO_WINDOWS": "3"},
            "unknown key features.co_windows; did you mean co_window?",
        ),
        ({"RECTHINKER__AGNT__SEED": "3"}, "unknown key agnt; did you mean agent?"),
        ({"RECTHINKER__SNAPSHOT__SHARDS": "0"}, "snapshot.shards: .* greater than or equal to 1, found 0"),
        ({"RECTHINKER__SNAPSHOT__SHARDS": "many"}, "snapshot.shards: .*found 'many'"),
        ({"RECTHINKER__SNAPSHOT__SHARDS": "[1"}, "RECTHINKER__SNAPSHOT__SHARDS: '\\[1' cannot be read"),
        ({"RECTHINKER__EVALUATION__K": "20"}, "near_best should be below 0.0037, .* ranks 19 and 20 .*, found 0.01"),
        (
            {"RECTHINKER_ENV": "staging"},
            "staging.yaml not found; files there: base, bench, local, prod, qwen3_8b, test",
        ),
    ],
)
def test_a_bad_key_or_value_is_one_clear_sentence(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_settings(environ=environ)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings("test", environ={}).snapshot.shards = 2  # type: ignore[misc]


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("a: [1")
    (tmp_path / "local.yaml").write_text("")
    with pytest.raises(ConfigError, match=r"base.yaml is not valid YAML"):
        load_settings("local", conf_dir=tmp_path, environ={})
    (tmp_path / "base.yaml").write_text("[1]")
    with pytest.raises(ConfigError, match="should hold a mapping"):
        load_settings("local", conf_dir=tmp_path, environ={})


def test_the_folder_of_a_holdout_is_that_of_its_cut() -> None:
    settings = load_settings("test", environ={})
    assert settings.paths.cut("holdout_last_11") == settings.paths.var / "cuts" / Cut.parse("holdout_last:11").name
