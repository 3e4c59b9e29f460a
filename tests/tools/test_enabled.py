"""Tools of one's own, and what is told of those that are none."""

from pathlib import Path

import pytest

from recthinker.errors import ConfigError
from recthinker.tools import BUILT_IN
from recthinker.tools.enabled import enabled_tools

GOOD = {
    "name": '"mine"',
    "description": '"What I know."',
    "takes": '"nothing"',
    "evidence": "()",
    "reads": '("user_profile",)',
}


def written(folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: str) -> str:
    """Write a module with the class Mine, and its name as settings have it."""
    # A module is imported once a process: each test has one of its own name.
    module = f"own_{folder.name}".replace("-", "_")
    lines = [f"    {name} = {value}" for name, value in {**GOOD, **changes}.items()]
    body = ["class Mine:", *lines, "    def __call__(self, scene, call, settings):", "        return None", ""]
    (folder / f"{module}.py").write_text("\n".join(body), encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    return f"{module}:Mine"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return written(tmp_path, monkeypatch)


def test_tools_come_in_the_order_of_settings(path: str) -> None:
    assert list(enabled_tools(["similar_users", path, "item_info"])) == ["similar_users", "mine", "item_info"]


def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match=r"no built-in tool item_inof; take one of user_profile, user_history"):
        enabled_tools(["item_inof"])


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no_such_package.tools:Mine", r"ModuleNotFoundError.*put the folder that holds no_such_package on PYTHONPATH"),
        ("recthinker.tools:Nothing", "AttributeError.*Nothing"),
        ("recthinker.tools:Scene", r"without arguments, found TypeError"),
    ],
)
def test_a_class_that_cannot_be_made_is_told(path: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        enabled_tools([path])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": '"My tool"'}, "name should be a short word of a-z, 0-9 and _, found 'My tool'"),
        ({"name": '"rank>"'}, "name should be a short word"),
        ({"description": '" "'}, "description should be a sentence"),
        ({"takes": '"users"'}, "takes should be one of nothing, labels, limit, found 'users'"),
        ({"evidence": '"popular"'}, "evidence should be a tuple of names of levels, found 'popular'"),
        ({"reads": '("users",)'}, r"reads should be a tuple of feature tables \(co_interaction, .*found \('users',\)"),
    ],
)
def test_a_class_that_is_no_tool_is_told_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], message: str
) -> None:
    path = written(tmp_path, monkeypatch, **change)
    with pytest.raises(ConfigError, match=f"{path} is no tool: {message}"):
        enabled_tools([path])


@pytest.mark.parametrize("name", ["item_info", "mine"])
def test_two_tools_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = written(tmp_path, monkeypatch, name=f'"{name}"')
    with pytest.raises(ConfigError, match=f"{path} is called {name}, and so is another tool"):
        enabled_tools([path, path])


def test_a_class_without_anything_is_told_all_that_it_lacks() -> None:
    with pytest.raises(ConfigError, match=r"name should.*description should.*takes should.*evidence should.*reads"):
        enabled_tools(["pathlib:Path"])


def test_the_built_in_tools_keep_the_contract_that_others_must_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    classes = [f"{type(tool).__module__}:{type(tool).__name__}" for tool in BUILT_IN.values()]
    monkeypatch.setattr("recthinker.tools.enabled.BUILT_IN", {})
    assert list(enabled_tools(classes)) == list(BUILT_IN)
