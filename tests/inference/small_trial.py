"""A trial over the little world: the newest event of ann, bob and cat is taken away; dan has none, eve nothing else."""

from pathlib import Path

import pyarrow as pa

from recthinker.evaluation import CutRows
from recthinker.inference.trial import Trial, make_trial
from recthinker.settings import Settings
from tests import little_world as world

TAKEN = {"ann": ["i3"], "bob": ["i5"], "cat": ["i1"], "eve": ["i2"]}
"""Position 1 first."""


def cut(taken: dict[str, list[str]] = TAKEN) -> CutRows:
    """The little world's tables as a cut that took `taken` away."""
    rows = world.features()
    held_out = [
        {"user_id": user, "position": place, "item_id": item}
        for user, items in taken.items()
        for place, item in enumerate(items, start=1)
    ]
    events = [{"user_id": user, "item_id": item} for user, items in world.HISTORIES.items() for item in items]
    return CutRows(
        user_history=rows.user_history,
        held_out=pa.Table.from_pylist(held_out),
        candidates=world.candidates(),
        interactions=pa.Table.from_pylist(events),
        item_metadata=rows.item_metadata,
    )


def trial(folder: Path, settings: Settings, taken: dict[str, list[str]] = TAKEN, *, negatives: int = 3) -> Trial:
    """The requests, each among `negatives` others."""
    evaluation = settings.evaluation.model_copy(update={"negatives": negatives})
    tools = settings.tools.model_copy(update={"privacy_min_users": world.MIN_USERS})
    asked = settings.model_copy(update={"evaluation": evaluation, "tools": tools})
    return make_trial(cut(taken), world.features(), asked, ds=world.DS, folder=folder)
