"""From the names in `tools.enabled` to tools: the built-in ones, and those of anybody else.

A tool of one's own is named `package.module:Class`; the module is imported, and the class is made without arguments.
"""

import importlib
import re
from collections.abc import Iterable, Mapping
from typing import TypeGuard, get_args

from recthinker.errors import ConfigError
from recthinker.tables.schemas import FEATURES
from recthinker.tools.base import Takes, Tool
from recthinker.tools.co_interactions import CoInteractions
from recthinker.tools.item_info import ItemInfo
from recthinker.tools.item_relations import ItemRelations
from recthinker.tools.similar_users import SimilarUsers
from recthinker.tools.user_history import UserHistory
from recthinker.tools.user_profile import UserProfile

BUILT_IN: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (UserProfile(), UserHistory(), ItemInfo(), ItemRelations(), CoInteractions(), SimilarUsers())
}
"""The tools that come with the project, by name."""
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""What a tool may be called: the name becomes a token, and a word of pages."""
READABLE = {table.name for table in FEATURES}
"""Tables that a snapshot holds rows of."""


def enabled_tools(names: Iterable[str]) -> dict[str, Tool]:
    """The tools by name, in the order of settings.

    Args:
        names: of built-in tools, or `package.module:Class`.

    Raises:
        ConfigError: there is no such tool, it does not keep the contract of `Tool`, or two have one name.
    """
    found: dict[str, Tool] = {}
    for name in names:
        tool = _own(name) if ":" in name else _built_in(name)
        if tool.name in found or (":" in name and tool.name in BUILT_IN):
            raise ConfigError(
                f"tools.enabled: {name} is called {tool.name}, and so is another tool; give each a name of its own"
            )
        found[tool.name] = tool
    return found


def _built_in(name: str) -> Tool:
    try:
        return BUILT_IN[name]
    except KeyError:
        raise ConfigError(
            f"tools.enabled: there is no built-in tool {name}; take one of {', '.join(BUILT_IN)}, or name your own as "
            "package.module:Class"
        ) from None


def _own(path: str) -> Tool:
    module, _, name = path.partition(":")
    try:
        made: Tool = getattr(importlib.import_module(module), name)()
    # Somebody else's module may raise anything.
    except Exception as error:
        raise ConfigError(
            f"tools.enabled: {path} should be a class that can be imported and made without arguments, found "
            f"{error!r}; correct the name, or put the folder that holds {module.partition('.')[0]} on PYTHONPATH"
        ) from error
    faults = list(_faults(made))
    if faults:
        raise ConfigError(f"tools.enabled: {path} is no tool: {'; '.join(faults)}; docs/tools.md says what one is")
    return made


def _faults(tool: Tool) -> Iterable[str]:
    """What a tool's class says wrongly of itself."""
    name, takes = getattr(tool, "name", None), getattr(tool, "takes", None)
    evidence, reads = getattr(tool, "evidence", None), getattr(tool, "reads", None)
    described = isinstance(getattr(tool, "description", None), str) and tool.description.strip()
    kinds = ", ".join(get_args(Takes))
    if not isinstance(name, str) or not NAME.fullmatch(name):
        yield f"name should be a short word of a-z, 0-9 and _, found {name!r}"
    if not described:
        yield "description should be a sentence that the agent may read"
    if takes not in get_args(Takes):
        yield f"takes should be one of {kinds}, found {takes!r}"
    if not _are_words(evidence):
        yield f"evidence should be a tuple of names of levels, found {evidence!r}"
    if not _are_words(reads) or not set(reads) <= READABLE:
        yield f"reads should be a tuple of feature tables ({', '.join(sorted(READABLE))}), found {reads!r}"
    if not callable(tool):
        yield "it should have __call__(scene, call, settings)"


def _are_words(value: object) -> TypeGuard[tuple[str, ...]]:
    return isinstance(value, tuple) and all(isinstance(word, str) and word for word in value)
