"""The `recthinker` command. Each command's body has a file of its own; errors end as one sentence, not a
traceback.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from recthinker.cli.children import run_job
from recthinker.errors import RecThinkerError
from recthinker.settings import Settings, load_settings

app = typer.Typer(
    name="recthinker",
    help="Nightly recommendations by an LLM agent over feature tables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()
Day = Annotated[
    datetime | None, typer.Option("--ds", formats=["%Y-%m-%d"], help="Logical date D; default: the demo's.")
]


@app.command()
def doctor() -> None:
    """Show the settings in force and check Java, jars, disk, tables and model."""
    from recthinker.cli.doctor import doctor as body

    if not body(load_settings(), console):
        raise typer.Exit(1)


@app.command()
def ingest(
    source: Annotated[str, typer.Argument(help="Kind of data: movielens, tabular, amazon_reviews or delta.")],
    path: Annotated[Path, typer.Argument(help="movielens: the folder; else the interactions.")],
    items: Annotated[Path | None, typer.Option(help="File, or Delta table, of items.")] = None,
    users: Annotated[Path | None, typer.Option(help="tabular, delta: file or table of users.")] = None,
    mapping: Annotated[str, typer.Option(help="tabular, delta: our=their column names, as user_id=uid.")] = "",
    event_type: Annotated[str, typer.Option(help="tabular, delta: type of all events, where none is told.")] = "",
    version: Annotated[int | None, typer.Option(help="delta: version of the interactions; else the newest.")] = None,
) -> None:
    """Bring outside data into the landing tables; rows that break a rule go to quarantine, with the
    reason.
    """
    options = {
        "--items": items,
        "--users": users,
        "--mapping": mapping,
        "--event-type": event_type,
        "--version": version,
    }
    given = [text for option, value in options.items() if value not in (None, "") for text in (option, str(value))]
    _run("ingest", "--source", source, "--path", str(path), *given)


@app.command()
def nightly(ds: Day = None) -> None:
    """Run the jobs of a night in order, without Airflow."""
    from recthinker.cli.nightly import nightly as body

    settings = load_settings()
    body(settings, _day(ds, settings), console)


@app.command()
def plan(
    ds: Day = None,
    to: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last date of a range that starts at D.")
    ] = None,
    force: Annotated[list[str] | None, typer.Option(help="Table to build in any case; repeatable.")] = None,
) -> None:
    """Show what a build would do and why, and about what it would take; builds nothing."""
    from recthinker.cli.plan import show_plan, show_range

    settings, forced = load_settings(), frozenset(force or ())
    if to is None:
        show_plan(_day(ds, settings), settings, console, force=forced)
    else:
        show_range(_day(ds, settings), _day(to, settings), settings, console, force=forced)


@app.command()
def lineage(table: Annotated[str, typer.Argument(help="Name of a table.")], ds: Day = None) -> None:
    """Show what a table of a date was made from, down to the source files."""
    from recthinker.cli.lineage import show_lineage

    settings = load_settings()
    show_lineage(table, _day(ds, settings), settings.paths.warehouse, console)


@app.command()
def status() -> None:
    """Show how fresh the tables are."""
    from recthinker.cli.status import show_status

    show_status(load_settings().paths.warehouse, datetime.now(UTC), console)


@app.command()
def maintain(dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False) -> None:
    """Delete old dates, remove files that nobody needs, put small files together."""
    from recthinker.cli.maintain import show_upkeep
    from recthinker.cli.nightly import new_run_id

    show_upkeep(load_settings(), console, now=datetime.now(UTC), run_id=new_run_id(), dry_run=dry_run)


@app.command()
def migrate(dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False) -> None:
    """Bring tables that another release made to what this one expects."""
    from recthinker.cli.migrate import show_migrations

    show_migrations(load_settings().paths, console, dry_run=dry_run)


@app.command()
def evaluate(
    ds: Day = None,
    protocol: Annotated[str, typer.Option(help="leave_last_one or temporal:YYYY-MM-DD; else that of settings.")] = "",
    ablations: Annotated[
        bool, typer.Option("--ablations", help="Also measure what each tool and call is worth.")
    ] = False,
) -> None:
    """Evaluate the model that serves on held-out interactions, beside the baselines."""
    from recthinker.cli.evaluate import show_evaluation

    settings = load_settings()
    given = ("--protocol", protocol) if protocol else ()
    _run("evaluate_model", "--ds", _day(ds, settings), *given, *(("--ablations",) if ablations else ()))
    show_evaluation(settings, protocol or settings.evaluation.protocol, console)


@app.command()
def retrain(
    ds: Day = None,
    stages: Annotated[
        str, typer.Option(help="Stages that run, as base,collect; else all of base,collect,select,sft,rl.")
    ] = "",
    algorithm: Annotated[str, typer.Option(help="grpo, dr_grpo or dapo; else rl.algorithm.")] = "",
    rl_steps: Annotated[int | None, typer.Option(min=1, help="Steps of reinforcement learning; else rl.steps.")] = None,
    requests: Annotated[int | None, typer.Option(min=1, help="Requests asked; else collect.requests.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Else training.seed.")] = None,
    like: Annotated[str, typer.Option(help="MLflow run of a retraining whose settings count.")] = "",
    promote: Annotated[
        bool, typer.Option("--promote/--no-promote", help="Whether the gate may move the alias.")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")] = False,
    run_id: Annotated[str, typer.Option(help="Run to go on with, as it was planned; else a new one.")] = "",
) -> None:
    """Run the jobs of a retraining in order, without Airflow; the gate decides who serves."""
    from recthinker.cli.retrain import plan_arguments
    from recthinker.cli.retrain import retrain as body

    settings = load_settings()
    options = {"stages": stages, "algorithm": algorithm, "rl-steps": rl_steps, "requests": requests, "seed": seed}
    arguments = plan_arguments({**options, "like": like}, promote=promote, dry_run=dry_run)
    body(settings, _day(ds, settings), console, arguments=arguments, run_id=run_id)


@app.command()
def rollback() -> None:
    """Let the champion of before serve again, from the next night on."""
    from recthinker.registry import Registry

    served, serves = Registry(load_settings()).rollback()
    console.out(f"{serves} serves again, in place of {served}; a night that is under way ends with {served}")


@app.command()
def show(user: Annotated[str, typer.Argument(help="User id.")], ds: Day = None) -> None:
    """Show a user's recommendations, with the agent's steps and evidence."""
    from recthinker.cli.show import show as body

    settings = load_settings()
    body(user, _day(ds, settings), settings, console)


@app.command()
def replay(user: Annotated[str, typer.Argument(help="User id.")], ds: Day = None) -> None:
    """Run a user's episode again, with the model and the snapshot of the night, and compare turn by turn."""
    from recthinker.cli.replay import show_replay

    settings = load_settings()
    if not show_replay(user, _day(ds, settings), settings, console):
        raise typer.Exit(1)


def main() -> None:
    """The command line; exit code 1 and one sentence when something is wrong."""
    try:
        app()
    except RecThinkerError as error:
        print(f"recthinker: {error}", file=sys.stderr)
        sys.exit(1)


def _run(name: str, *arguments: str) -> None:
    """A single job, its lines on the console."""
    from recthinker.cli.nightly import log_file, new_run_id

    run_id = new_run_id()
    run_job(name, *arguments, "--run-id", run_id, log=log_file(load_settings(), run_id), show=console.out)


def _day(ds: datetime | None, settings: Settings) -> str:
    return str(ds.date() if ds else settings.demo.ds)
