"""The night before, and whose episode would go the same way tonight.

What the model writes depends on what it reads. So a recorded episode is gone through again: tonight's prompt and
tonight's lookups, the model's turns as recorded. Where every token comes out as it did, the model would write the same
once more, and its ranking stands (outcome `unchanged`). So the cost of a night follows what changed in what is read.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from itertools import islice
from math import ceil
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from recthinker.agent import Agent, Episode, Generate, Generated, Outcome, TokenCount
from recthinker.lookup import ItemRows, RequestRow, Snapshot
from recthinker.lookup.columns import Lists, TextLists
from recthinker.tables.arrow import Root, open_table, table_dates, table_location, table_version
from recthinker.tables.schemas import TRAJECTORIES

logger = logging.getLogger(__name__)

KEPT = (str(Outcome.RANKED), str(Outcome.UNCHANGED))
"""Outcomes whose ranking may stand."""
SAMPLED = 1_000
"""Users by whom it is judged how many will run."""
READ = ("token_ids", "agent_mask", "logprobs", "ranking", "scores")
"""Columns by which an episode is gone through again."""
FOLLOWS = ("turns", "fingerprint")
"""Columns that come out the same where its tokens and the labels' items do."""


class EarlierNight:
    """Recorded episodes of some users.

    Args:
        root: folder of the tables.
        ds: logical date of the night.
        version: of `trajectories`.
        users: whose episodes are wanted.
        model_version: of tonight; episodes of other models are left out.
        prompt_version: likewise.

    Raises:
        TableContractError: there is no such version.
    """

    def __init__(
        self, root: Root, *, ds: str, version: int, users: Collection[str], model_version: str, prompt_version: str
    ) -> None:
        delta = open_table(root, TRAJECTORIES, version=version)
        wanted = pc.field("status").isin(KEPT) & pc.field("user_id").isin(pa.array(sorted(users), pa.string()))
        columns = ["user_id", *READ, *FOLLOWS, "tool_calls", "versions"]
        rows = delta.to_pyarrow_dataset(partitions=[("ds", "=", ds)]).to_table(columns=columns, filter=wanted)
        self._rows = _told(_made_with(rows, model=model_version, prompt=prompt_version).combine_chunks())
        ranking = self._rows["ranking"].combine_chunks()
        self._ranking = TextLists(pa.ListArray.from_arrays(ranking.offsets, ranking.values.dictionary_encode()))
        self._numbers = {name: Lists(self._rows[name].combine_chunks()) for name in READ if name != "ranking"}
        self._of_user = {user: row for row, user in enumerate(self._rows["user_id"].to_pylist())}

    def __len__(self) -> int:
        return len(self._of_user)

    def unchanged(self, agent: Agent, items: ItemRows, request: RequestRow) -> Episode | None:
        """The user's episode, ended as it did that night; None where it would go another way, is not known, or cannot
        be gone through: that user runs.
        """
        row = self._of_user.get(request.user_id)
        if row is None:
            return None
        numbers = {name: lists[row].tolist() for name, lists in self._numbers.items()}
        try:
            return again(agent, items, request, {"ranking": self._ranking[row], **numbers})
        except Exception as error:  # noqa: BLE001 - one user's data must end neither the plan nor the shard
            logger.warning("recorded episode cannot be gone through key=%s error=%r", request.key, error)
            return None

    def told(self, users: Sequence[str]) -> pa.Table:
        """What the night tells of users that it knows, a row each, in their order: the columns `user_id`, `READ` and
        `FOLLOWS`; `labels`, their items as JSON (null where it is not known), and `results`, the text that each call
        gave.
        """
        return self._rows.take(pa.array([self._of_user[user] for user in users], pa.int64()))


def _made_with(rows: pa.Table, **versions: str) -> pa.Table:
    """The rows of which all of `versions` are recorded."""
    found = (pc.equal(pc.map_lookup(rows["versions"], name, "first"), version) for name, version in versions.items())
    return rows.filter(reduce(pc.and_, found))


def _told(rows: pa.Table) -> pa.Table:
    """Rows of the contract's types, with `labels` and `results` in the place of `versions` and `tool_calls`."""
    schema = TRAJECTORIES.arrow_schema()
    calls = rows["tool_calls"].combine_chunks()
    results = pa.ListArray.from_arrays(calls.offsets, pc.struct_field(calls.values, "result"))
    told = {name: rows[name].cast(schema.field(name).type) for name in ("user_id", *READ, *FOLLOWS)}
    return pa.table({**told, "labels": pc.map_lookup(rows["versions"], "labels", "first"), "results": results})


def newest_night(root: Root, before: str) -> tuple[str, int] | None:
    """The newest night before a date: its date, and the version of `trajectories` now; None where there is none."""
    if not DeltaTable.is_deltatable(table_location(root, TRAJECTORIES)):
        return None
    version = table_version(root, TRAJECTORIES)
    dates = [ds for ds in table_dates(root, TRAJECTORIES, version=version) if ds < before]
    return (max(dates), version) if dates else None


def expected_runs(root: Root, ds: str, version: int, agent: Agent, snapshot: Snapshot, *, model_version: str) -> int:
    """About how many users' episodes will not go the way they went on `ds`, from a sample of `SAMPLED` users."""
    per_shard = ceil(SAMPLED / len(snapshot.shards))
    # Requests lie in the order of a hash: the first ones are as good as any.
    asked = [row for shard in snapshot.shards for row in islice(snapshot.requests(shard), per_shard)]
    users = [row.user_id for row in asked]
    versions = {"model_version": model_version, "prompt_version": agent.prompt_version}
    night = EarlierNight(root, ds=ds, version=version, users=users, **versions)
    run = sum(night.unchanged(agent, snapshot.items, row) is None for row in asked)
    return round(run / len(asked) * snapshot.request_count)


def again(agent: Agent, items: ItemRows, user: RequestRow, recorded: Mapping[str, Any]) -> Episode | None:
    """The episode with tonight's lookups and the model's recorded turns; None where a token comes out another way.

    Args:
        agent: tonight's.
        items: of tonight's snapshot.
        user: whom to rank for, of tonight's snapshot.
        recorded: a row of `trajectories`.
    """
    episode = Episode.start(agent, items, user)
    ids, checked = recorded["token_ids"], 0
    while not episode.is_done:
        place = len(episode.ids)
        if ids[checked:place] != episode.ids[checked:]:
            return None
        request = episode.next_request()
        written = _written(ids, recorded["agent_mask"], place, request)
        if not written:
            return None
        scores = _scores(episode, recorded) if request.score_ids else ()
        logprobs = recorded["logprobs"][place : place + len(written)]
        episode.observe(Generated(list(written), logprobs, scores=scores))
        checked = place
    if episode.outcome is not Outcome.RANKED or ids != episode.ids:
        return None
    episode.outcome, episode.tokens = Outcome.UNCHANGED, TokenCount()
    return episode


def _written(ids: Sequence[int], mask: Sequence[int], place: int, request: Generate) -> Sequence[int]:
    """What the model wrote from `place` on, up to where the engine handed over."""
    end = place
    while end < len(ids) and mask[end]:
        end += 1
        if ids[end - 1] in request.stop_ids:
            break
    return ids[place:end]


def _scores(episode: Episode, recorded: Mapping[str, Any]) -> tuple[float, ...]:
    """The recorded score of each label; none where other items were ranked."""
    by_item = dict(zip(recorded["ranking"], recorded["scores"], strict=True))
    items = episode.scene.item_ids
    return tuple(map(by_item.__getitem__, items)) if by_item.keys() == set(items) else ()
