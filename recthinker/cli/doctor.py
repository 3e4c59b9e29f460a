"""`recthinker doctor`: the settings in force and where they come from; what a night needs, and what to do if
it lacks.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recthinker.errors import ConfigError, RecThinkerError, TableContractError
from recthinker.registry import Registry
from recthinker.settings import ENV_PREFIX, Settings, resource_dir
from recthinker.tables.arrow import table_version
from recthinker.tables.jars import default_jars_dir, missing_jars
from recthinker.tables.java import require_java
from recthinker.tables.schemas import INTERACTIONS, ITEMS

MIN_FREE_GIB = 2.0


def doctor(settings: Settings, console: Console) -> bool:
    """Print settings and checks; whether all checks passed."""
    console.print(_settings_table(settings))
    checks: dict[str, Callable[[Settings], str]] = {
        "Java": _java,
        "Delta jars": _jars,
        "disk": _disk,
        "tables": _tables,
        "model": _model,
    }
    is_well = True
    for name, check in checks.items():
        try:
            found, mark = check(settings), "[green]ok[/]"
        except RecThinkerError as error:
            found, mark, is_well = str(error), "[red]wrong[/]", False
        console.print(f"{mark}  {name}: {escape(found)}", highlight=False, soft_wrap=True)
    return is_well


def _settings_table(settings: Settings) -> Table:
    table = Table("setting", "value", "set by", box=None, pad_edge=False)
    base = dict(flat(yaml.safe_load((resource_dir("conf") / "base.yaml").read_text(encoding="utf-8"))))
    base = {key: str(value) for key, value in base.items()}
    section = ""
    for key, value in flat(settings.model_dump(mode="json")):
        if section != (section := key.split(".")[0]):
            table.add_section()
        by_environment = f"{ENV_PREFIX}{key.replace('.', '__').upper()}"
        origin = "" if base.get(key) == str(value) else "overlay"
        table.add_row(key, escape(str(value)), by_environment if by_environment in os.environ else origin)
    return table


def flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """`{"a": {"b": 1}}` as ("a.b", 1)."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _java(settings: Settings) -> str:
    return f"version {require_java()}"


def _jars(settings: Settings) -> str:
    folder = settings.spark.jars_dir or default_jars_dir()
    if missing := missing_jars(folder):
        raise ConfigError(f"{', '.join(missing)} not in {folder}; run `make setup`")
    return str(folder)


def _disk(settings: Settings) -> str:
    """Free space where `var` lies or will lie."""
    folder = next(
        path for path in (settings.paths.var.absolute(), *settings.paths.var.absolute().parents) if path.exists()
    )
    free_gib = shutil.disk_usage(folder).free / 2**30
    if free_gib < MIN_FREE_GIB:
        raise ConfigError(
            f"{free_gib:.1f} GiB free at {folder}, a night needs {MIN_FREE_GIB:g}; free some, or set "
            "paths.var to another disk"
        )
    return f"{free_gib:.0f} GiB free at {folder}"


def _tables(settings: Settings) -> str:
    try:
        versions = {table.name: table_version(settings.paths.warehouse, table) for table in (INTERACTIONS, ITEMS)}
    except TableContractError as error:
        raise TableContractError(
            f"{error} (`recthinker ingest SOURCE PATH`, or `make nightly` for the demo data)"
        ) from error
    return ", ".join(f"{name} version {version}" for name, version in versions.items())


def _model(settings: Settings) -> str:
    version = Registry(settings).resolve()
    return f"{version} at {version.path}"
