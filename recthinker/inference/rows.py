"""The rows of a part's users in the table `trajectories`.

Where a ranking stands, every token came out as it did the night before, and so did all that is told of tokens: texts,
scores, fingerprint. Such rows are made by columns, from those of that night, and only what tonight's lookups and
versions tell is put in anew. They are the rows that `trajectory_row` makes.
"""

from collections.abc import Sequence

import pyarrow as pa

from recthinker.agent import Episode, Outcome
from recthinker.agent.record import label_text, stop_text, token_counts, tool_call, trajectory_row
from recthinker.inference.earlier import EarlierNight
from recthinker.tables.schemas import TRAJECTORIES

SCHEMA = TRAJECTORIES.arrow_schema()


def trajectory_table(
    episodes: Sequence[Episode], earlier: EarlierNight | None, *, ds: str, versions: dict[str, str]
) -> pa.Table:
    """Rows of ended episodes, first of those whose ranking stands.

    Args:
        episodes: at most one a user.
        earlier: the night whose rankings stand; None where there is none.
        ds: tonight's logical date.
        versions: everything that an episode read, by name; model and prompt are those of `earlier`.
    """
    standing = [episode for episode in episodes if episode.outcome is Outcome.UNCHANGED]
    if not earlier or not standing:
        return _told(episodes, ds=ds, versions=versions)
    recorded = earlier.told([episode.scene.request.user_id for episode in standing])
    is_alike = _are_alike(recorded, standing)
    kept = [episode for episode, alike in zip(standing, is_alike, strict=True) if alike]
    others = [episode for episode, alike in zip(standing, is_alike, strict=True) if not alike]
    others += [episode for episode in episodes if episode.outcome is not Outcome.UNCHANGED]
    return pa.concat_tables(
        [
            _kept(recorded.filter(pa.array(is_alike)), kept, ds=ds, versions=versions),
            _told(others, ds=ds, versions=versions),
        ]
    )


def _told(episodes: Sequence[Episode], *, ds: str, versions: dict[str, str]) -> pa.Table:
    """Rows of episodes, whatever their outcome."""
    return pa.Table.from_pylist([trajectory_row(episode, ds=ds, versions=versions) for episode in episodes], SCHEMA)


def _are_alike(recorded: pa.Table, episodes: Sequence[Episode]) -> list[bool]:
    """Whether each episode's labels stand for the items that they stood for, as far as it is known."""
    rows = zip(recorded["labels"].to_pylist(), recorded["results"].to_pylist(), episodes, strict=True)
    return [labels == label_text(episode) and len(texts) == len(episode.calls) for labels, texts, episode in rows]


def _kept(recorded: pa.Table, episodes: Sequence[Episode], *, ds: str, versions: dict[str, str]) -> pa.Table:
    """Rows of episodes from their recorded ones, in the same order."""
    labels, results = recorded["labels"].to_pylist(), recorded["results"].to_pylist()
    anew = {
        "ds": [ds] * len(episodes),
        "status": [str(episode.outcome) for episode in episodes],
        "stop_reason": [stop_text(episode) for episode in episodes],
        "tool_calls": [
            [tool_call(episode, *called, versions) for called in zip(episode.calls, texts, strict=True)]
            for episode, texts in zip(episodes, results, strict=True)
        ],
        "tokens": [token_counts(episode) for episode in episodes],
        "versions": [[*versions.items(), ("labels", text)] for text in labels],
    }
    columns = [pa.array(anew[f.name], f.type) if f.name in anew else recorded[f.name] for f in SCHEMA]
    return pa.table(columns, schema=SCHEMA)
