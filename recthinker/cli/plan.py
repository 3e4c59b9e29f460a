"""`recthinker plan`: what a build of features would do, and about what it would take. Reads only, without Spark."""

from collections.abc import Collection, Iterable, Mapping

from rich.console import Console
from rich.table import Table

from recthinker.features.plan import FeaturePlan, TablePlan, plan_candidates, plan_features, plan_range
from recthinker.settings import Settings


def show_plan(ds: str, settings: Settings, console: Console, *, force: Collection[str] = frozenset()) -> None:
    """Print the plan of `ds`, one line a table.

    Raises:
        TableContractError: a landing table is missing.
        ConfigError: `force` names a table that is not built.
    """
    root, features = settings.paths.warehouse, settings.features
    plan = plan_features(root, ds, features, force=force)
    candidates = plan_candidates(root, ds, features, settings.candidates, force=force, rebuilt=plan.to_build)
    table = _table("table", "what", "why", "rows expected", "seconds expected")
    for row in (*plan.tables, candidates):
        what = "build" if row.reason else "up to date"
        table.add_row(row.table.name, what, row.reason or "", *_numbers([row] if row.reason else []))
    console.print(f"Features of {ds}: {_how(plan)}", highlight=False)
    console.print(f"reads {_versions(plan.inputs)}", highlight=False)
    console.print(table)


def show_range(
    first: str, last: str, settings: Settings, console: Console, *, force: Collection[str] = frozenset()
) -> None:
    """Print the plan of each date from `first` to `last`, one line a date.

    Raises:
        TableContractError: a landing table is missing.
        ConfigError: `force` names a table that is not built, or the range is empty.
    """
    plans = plan_range(settings.paths.warehouse, first, last, settings.features, force=force)
    table = _table("date", "what", "why", "rows expected", "seconds expected")
    for plan in plans:
        to_build = [row for row in plan.tables if row.reason]
        what = f"build {len(to_build)} of {len(plan.tables)}" if to_build else "up to date"
        table.add_row(plan.ds, what, _reasons(to_build, len(plan.tables)), *_numbers(to_build))
    holes = sum(bool(plan.to_build) for plan in plans)
    console.print(f"{holes} of {len(plans)} dates are to be built", highlight=False)
    console.print(table)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name.endswith("expected") else "left")
    return table


def _how(plan: FeaturePlan) -> str:
    if not plan.to_build:
        return "all up to date"
    if plan.base is None:
        return f"built from scratch ({plan.why_full})"
    users = f", {len(plan.base.changed_users)} users changed" if plan.base.changed_users else ""
    return f"built on {plan.base.ds}{users}"


def _versions(versions: Mapping[str, int]) -> str:
    return ", ".join(f"{name}@{version}" for name, version in versions.items())


def _reasons(to_build: Iterable[TablePlan], of: int) -> str:
    """Each reason with its tables; a reason of all tables alone."""
    tables: dict[str, list[str]] = {}
    for row in to_build:
        tables.setdefault(row.reason or "", []).append(row.table.name)
    return "; ".join(f"{why}: {', '.join(names)}" if len(names) < of else why for why, names in tables.items())


def _numbers(rows: Iterable[TablePlan]) -> tuple[str, str]:
    """Rows and seconds in all, empty where nothing is known."""
    known = [(row.rows, row.seconds) for row in rows if row.rows is not None and row.seconds is not None]
    if not known:
        return "", ""
    return f"{sum(count for count, _ in known):,}", f"{sum(seconds for _, seconds in known):.1f}"
