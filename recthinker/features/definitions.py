"""Definitions: a fingerprint of all that decides what a table's rows are, given its inputs.

That is code, settings and columns. Equal fingerprints promise equal rows of equal inputs, so a table whose fingerprint
is the one in `table_status` need not be built again. Code is read from the source files, without importing them, and
compared as a syntax tree: comments, docstrings and layout do not count.
"""

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from recthinker.errors import TableContractError
from recthinker.settings import CandidateSettings, FeatureSettings
from recthinker.tables import schemas
from recthinker.tables.schemas import Table

PACKAGE = Path(__file__).resolve().parents[1]
"""Folder of the package `recthinker`."""
ORCHESTRATION = frozenset(
    {
        "__init__",
        "base",
        "build",
        "built",
        "caps",
        "cut_build",
        "definitions",
        "inputs",
        "landing",
        "plan",
        "record",
        "staged_tables",
    }
)
"""Modules of `recthinker.features` that decide what is built when, not what comes out."""

MODULES: Mapping[str, tuple[str, ...]] = {
    "user_profile": ("user_profile", "user_state", "known", "events"),
    "user_history": ("user_history", "known", "events"),
    "item_metadata": ("item_metadata", "item_state", "known", "events"),
    "item_relation": ("item_relation",),
    "co_interaction": ("co_interaction", "built_pairs", "known", "events"),
    "similar_users": ("similar_users", "known", "events"),
    "user_state": ("user_state", "known", "events"),
    "item_state": ("item_state", "known", "events"),
    "co_interaction_pairs": ("co_interaction", "built_pairs", "known", "events"),
}
"""By table, the modules of `recthinker.features` (files or packages) that make it; what these import counts too."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    "user_profile": ("seed", "arrival_grace_h", "profile_top_categories"),
    "user_history": ("seed", "arrival_grace_h", "history_max_events"),
    "item_metadata": ("seed", "arrival_grace_h"),
    "item_relation": ("seed", "relation_max_neighbours"),
    "co_interaction": (
        "seed",
        "arrival_grace_h",
        "event_weights",
        "co_window",
        "co_half_life",
        "co_min_support",
        "co_top_k",
    ),
    "similar_users": (
        "seed",
        "arrival_grace_h",
        "event_weights",
        "similar_top_k",
        "similar_items",
        "similar_users_per_item",
    ),
    "user_state": ("seed", "arrival_grace_h", "event_weights", "co_window", "similar_items"),
    "item_state": ("seed", "arrival_grace_h", "event_weights", "similar_users_per_item"),
    "co_interaction_pairs": ("seed", "arrival_grace_h", "event_weights", "co_window", "co_half_life"),
}
"""By table, the fields of `FeatureSettings` that its rows depend on."""

READS: Mapping[str, tuple[str, ...]] = {
    "user_profile": ("interactions", "users", "items"),
    "user_history": ("interactions",),
    "item_metadata": ("interactions", "items"),
    "item_relation": ("item_relations",),
    "co_interaction": ("interactions",),
    "similar_users": ("interactions",),
    "user_state": ("interactions", "items"),
    "item_state": ("interactions",),
    "co_interaction_pairs": ("interactions",),
}
"""By table, the landing tables that its rows depend on."""

CANDIDATES_READ = (schemas.USER_HISTORY, schemas.CO_INTERACTION, schemas.ITEM_METADATA)
"""Feature tables of the same date that candidates are made from, besides the interactions."""


def definition(table: Table, settings: FeatureSettings, *, package: Path = PACKAGE) -> str:
    """The fingerprint of a feature or state table: 16 hex digits.

    Args:
        table: one of `FEATURES` or `STATE`.
        settings: the settings to build with.
        package: folder of the package's source files.

    Raises:
        TableContractError: no definition is known of the table.
    """
    if table.name not in MODULES:
        raise TableContractError(f"no definition is known of table {table.name}; known: {', '.join(sorted(MODULES))}")
    values = {name: settings.model_dump(mode="json")[name] for name in FIELDS[table.name]}
    return _fingerprint(_columns(table), values, code(table, package=package))


def candidates_definition(features: FeatureSettings, candidates: CandidateSettings, *, package: Path = PACKAGE) -> str:
    """The fingerprint of `candidates`: its own code, settings and columns, and the definitions of what it reads."""
    files = sorted((package / "candidates").glob("*.py"))
    return _fingerprint(
        _columns(schemas.CANDIDATES),
        candidates.model_dump(mode="json"),
        {file.stem: _normal_code(_text(file)) for file in files},
        {table.name: definition(table, features, package=package) for table in CANDIDATES_READ},
    )


def code(table: Table, *, package: Path = PACKAGE) -> dict[str, str]:
    """The code that makes a feature or state table, without comments and docstrings, by file below
    `recthinker.features`.
    """
    folder = package / "features"
    return {str(file.relative_to(folder)): _normal_code(_text(file)) for file in source_files(table, package=package)}


def source_files(table: Table, *, package: Path = PACKAGE) -> list[Path]:
    """The files that make a feature or state table: those of `MODULES`, and what they import of the same package."""
    folder = package / "features"
    found: set[Path] = set()
    waiting = [file for module in MODULES[table.name] for file in _files(folder, module)]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += [other for module in _imports(_text(file)) for other in _files(folder, module)]
    return sorted(found)


def _files(folder: Path, module: str) -> list[Path]:
    """The files of a module (`order`) or package (all of its files); none for orchestration and other names."""
    name = module.split(".")[0]
    if name in ORCHESTRATION:
        return []
    file = folder / f"{name}.py"
    return [file] if file.is_file() else sorted((folder / name).rglob("*.py"))


@cache
def _imports(text: str) -> tuple[str, ...]:
    """Modules of `recthinker.features` that a file's text imports, by their names inside it."""
    return tuple(name for node in ast.walk(ast.parse(text)) for name in _imported(node))


def _imported(node: ast.AST) -> Iterator[str]:
    inside = "recthinker.features."
    if isinstance(node, ast.Import):
        yield from (alias.name.removeprefix(inside) for alias in node.names if alias.name.startswith(inside))
    elif isinstance(node, ast.ImportFrom) and node.module == inside.rstrip("."):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(inside):
        yield (node.module or "").removeprefix(inside)


@cache
def _normal_code(text: str) -> str:
    """The code of a file's text in one fixed layout, without comments and docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            # A body of nothing but its docstring must stay one.
            node.body = [line for line in body if not _is_text(line)] or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.unparse(tree)


def _is_text(node: ast.stmt) -> bool:
    """Whether a statement is a bare string: the docstring of a module, class, function or field."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _columns(table: Table) -> list[list[str]]:
    """Key, partitions and columns, without their docs."""
    columns = [[column.name, str(column.type), str(column.nullable)] for column in table.columns]
    return [list(table.key), list(table.partition_by), *columns]


def _fingerprint(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
