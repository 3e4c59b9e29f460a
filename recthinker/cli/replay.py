"""`recthinker replay USER`: the user's episode of a night run again, turn by turn beside the recorded one."""

import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table
from rich.text import Text

from recthinker.errors import ConfigError
from recthinker.inference.plan import InferencePlan
from recthinker.inference.replay import Replay, replay
from recthinker.report import read_manifest
from recthinker.settings import Settings
from recthinker.tables.arrow import read_arrow
from recthinker.tables.schemas import TRAJECTORIES


def show_replay(user_id: str, ds: str, settings: Settings, console: Console) -> bool:
    """Run the episode again with the model and the snapshot of the night, print both; whether they are the same.

    Raises:
        ConfigError: the user has no episode on `ds`, or prompts are made another way by now.
        TableContractError: nothing was published for `ds`.
        SnapshotError: the run's plan or snapshot is gone.
    """
    manifest = read_manifest(settings.paths.warehouse, ds)
    version = manifest["table_versions"].get(TRAJECTORIES.name)
    rows = read_arrow(settings.paths.warehouse, TRAJECTORIES, ds=ds, version=version)
    rows = rows.filter(pc.field("user_id") == user_id)
    if not rows.num_rows:
        raise ConfigError(f"user {user_id} has no episode on {ds}; `recthinker show` names users who have")
    plan = InferencePlan.read(settings.paths.runs / ds / manifest["run_id"])
    found = replay(plan, settings, rows.to_pylist()[0])
    console.print(_turns(found, ds))
    console.print(_verdict(found))
    return found.is_same


def _turns(found: Replay, ds: str) -> Table:
    table = Table(title=f"User {found.user_id}, night of {ds}", title_justify="left", title_style="bold")
    for name in ("turn", "recorded", "now"):
        table.add_column(name)
    for step in found.steps:
        now = Text("the same", style="dim") if step.is_same else _plain(step.now)
        table.add_row(step.role, _plain(step.recorded), now)
    return table


def _verdict(found: Replay) -> Text:
    tokens = "same tokens" if found.same_tokens else "other tokens"
    ranking = "same ranking" if list(found.recorded) == list(found.now) else "another ranking"
    style = "green" if found.is_same else "yellow"
    return Text(f"{tokens}, {ranking}; scores differ by at most {found.drift:.2g}", style=style)


def _plain(text: str) -> Text:
    """Text from outside data: neither markup nor control characters take effect."""
    return Text("".join(letter if letter.isprintable() else " " for letter in text))
