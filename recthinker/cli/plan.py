"""`recthinker plan`: what a build of features would do, whom the agent would be asked for, and about what both would
take. Reads only, without Spark.
"""

from collections.abc import Collection, Iterable, Mapping

from rich.console import Console
from rich.table import Table

from recthinker.features.plan import FeaturePlan, TablePlan, plan_candidates, plan_features, plan_range
from recthinker.inference.forecast import Forecast, forecast_inference
from recthinker.registry import Registry
from recthinker.settings import Settings


def show_plan(ds: str, settings: Settings, console: Console, *, force: Collection[str] = frozenset()) -> None:
    """Print the plan of `ds`, one line a table.

    Raises:
        TableContractError: a landing table is missing.
        ConfigError: `force` names a table that is not built.
        RegistryError: MLflow cannot be read, or the model that serves is no model.
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
    registry = Registry(settings)
    forecast = forecast_inference(settings, ds, registry.resolve() if settings.model.path else registry.champion())
    show_inference(ds, forecast, console)


def show_inference(ds: str, forecast: Forecast, console: Console) -> None:
    """Print who will run the agent on `ds`, and about what that takes."""
    console.print(f"Inference of {ds}: {_who(forecast)}", _effort(forecast), sep="\n", highlight=False, soft_wrap=True)


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


def _who(forecast: Forecast) -> str:
    users, runs, night = forecast.users, forecast.runs, forecast.earlier_ds
    if forecast.why_all or users is None or runs is None:
        asked = "all users" if users is None or not forecast.is_sampled else f"all {users:,} users"
        known = f"; {users:,} users were asked for on {night}" if night and not forecast.is_sampled else ""
        return f"{asked} will run the agent: {forecast.why_all}{known}"
    if forecast.is_sampled:
        return f"about {runs:,} of {users:,} users will run the agent, {users - runs:,} keep the ranking of {night}"
    return (
        f"who keeps the ranking of {night} is known once the snapshot is written; that night {runs:,} of {users:,} "
        "users ran the agent"
    )


def _effort(forecast: Forecast) -> str:
    if forecast.seconds_per_run is None:
        return "what a user takes is not known: no night was published"
    each = f"{forecast.seconds_per_run:.3f} s a user, as on {forecast.measured_ds}"
    return each if forecast.seconds is None else f"about {forecast.seconds:,.0f} s of one shard's work, at {each}"


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
