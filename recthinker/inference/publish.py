"""The checks between inference and publish: is every shard there, and is every user's list fit to be served?

Reads what `jobs.infer_shard` left in a run's folder, shard by shard and only the columns it needs, with
Arrow. Writing the tables is not here. A night that fails one check publishes nothing.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recthinker.agent import Outcome
from recthinker.errors import TableContractError
from recthinker.inference.figures import NEEDED, night_metrics
from recthinker.inference.plan import InferencePlan
from recthinker.inference.shard import SUMMARY
from recthinker.tables.schemas import RECOMMENDATIONS, TRAJECTORIES, Table

_AGAIN = "run jobs.infer_shard --shard %d again"


@dataclass(frozen=True, slots=True)
class Night:
    """A run's shards, checked."""

    run_dir: Path
    plan: InferencePlan
    users: int
    outcomes: Mapping[str, int]
    """Users by outcome; they sum to `users`."""
    recommendations: int
    """Rows of all lists."""
    metrics: Mapping[str, float]
    """Figures of all shards (`recthinker.inference.figures.night_metrics`)."""

    def files(self, table: Table) -> list[str]:
        """The shards' files of one output table."""
        return [str(_file(self.run_dir, shard, table)) for shard in self.plan.shards]


def check_night(run_dir: Path, *, ds: str, run_id: str, top_n: int, max_failed_share: float) -> Night:
    """The run's shards, after all checks that need no other table.

    Args:
        run_dir: the run's folder.
        ds: logical date that plan and rows must carry.
        run_id: run that they must carry.
        top_n: length of a list; shorter only for a user with fewer candidates.
        max_failed_share: of the users that were asked for, the share that may be served by fallback.

    Raises:
        SnapshotError: the run has no plan.
        TableContractError: the plan is another run's, a shard is missing, users or outcomes do not add up, a
            list has the wrong length, ranks, a repeated item or a score that is no number, or too many users
            got a fallback.
    """
    plan = _read_plan(run_dir, ds=ds, run_id=run_id)
    outcomes: Counter[str] = Counter()
    summaries: list[dict[str, Any]] = []
    users: list[pa.ChunkedArray] = []
    rows = 0
    for shard in plan.shards:
        trajectories = _read(run_dir, shard, TRAJECTORIES, ["ds", "user_id", "status", "ranking"])
        lists = _read(run_dir, shard, RECOMMENDATIONS, ["ds", "user_id", "rank", "item_id", "score", "run_id"])
        where = f"shard {shard} of {ds}"
        _check_stamps(trajectories, lists, ds=ds, run_id=run_id, where=where)
        summaries.append(_check_summary(run_dir, shard, trajectories, where))
        outcomes += Counter(summaries[-1]["outcomes"])
        _check_lists(trajectories, lists, top_n, where)
        users.append(trajectories["user_id"])
        rows += lists.num_rows
    _check_users(users, plan.users, ds)
    check_failed_share(outcomes, max_failed_share, ds)
    return Night(run_dir, plan, plan.users, dict(outcomes), rows, night_metrics(summaries))


def check_failed_share(outcomes: Mapping[str, int], max_failed_share: float, ds: str) -> None:
    """Make sure that at most `max_failed_share` of the users got a fallback.

    Raises:
        TableContractError: more did.
    """
    failed = {name: count for name, count in outcomes.items() if Outcome(name).is_fallback and count}
    total, found = sum(outcomes.values()), sum(failed.values())
    if found > max_failed_share * total:
        raise TableContractError(
            f"{found} of {total} users of {ds} got a fallback ({failed}), more than inference.max_failed_share "
            f"{max_failed_share:g} allows; nothing is published. Their trajectories' stop_reason says why"
        )


def _read_plan(run_dir: Path, *, ds: str, run_id: str) -> InferencePlan:
    plan = InferencePlan.read(run_dir)
    if (plan.ds, plan.run_id) != (ds, run_id):
        raise TableContractError(
            f"the inference plan in {run_dir} should be for ds {ds}, run {run_id}, found {plan.ds}, "
            f"{plan.run_id}; plan this run again"
        )
    if not plan.shards:
        raise TableContractError(f"the inference plan in {run_dir} has no shard; nothing to publish for {ds}")
    return plan


def _file(run_dir: Path, shard: int, table: Table) -> Path:
    return run_dir / "shards" / str(shard) / f"{table.name}.parquet"


def _read(run_dir: Path, shard: int, table: Table, columns: list[str]) -> pa.Table:
    path = _file(run_dir, shard, table)
    if not path.is_file():
        raise TableContractError(f"planned shard {shard} is missing: no {path}; {_AGAIN % shard}")
    try:
        schema = pq.read_schema(path).remove_metadata()
        if not schema.equals(table.arrow_schema()):
            raise TableContractError(
                f"{path} should have the columns of {table.name}, found {schema.names}; {_AGAIN % shard}"
            )
        return pq.read_table(path, columns=columns)
    except (pa.ArrowInvalid, OSError) as error:
        raise TableContractError(f"{path} cannot be read: {error}; {_AGAIN % shard}") from error


def _check_stamps(trajectories: pa.Table, lists: pa.Table, *, ds: str, run_id: str, where: str) -> None:
    """All rows carry this date and this run."""
    for column, wanted in ((trajectories["ds"], ds), (lists["ds"], ds), (lists["run_id"], run_id)):
        others = [value for value in column.unique().to_pylist() if value != wanted]
        if others:
            raise TableContractError(f"{where}: rows should carry {wanted}, found {others[:3]}; run it again")


def _check_summary(run_dir: Path, shard: int, trajectories: pa.Table, where: str) -> dict[str, Any]:
    """The shard's summary, which must count users by outcome as its rows do."""
    path = run_dir / "shards" / str(shard) / SUMMARY
    if not path.is_file():
        raise TableContractError(f"{where}: {path} is missing; {_AGAIN % shard}")
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    missing = [name for name in NEEDED if name not in told]
    if missing:
        raise TableContractError(
            f"{where}: {path} should tell {', '.join(NEEDED)}, found no {', '.join(missing)}; another release wrote "
            f"it: {_AGAIN % shard}"
        )
    counted = Counter(trajectories["status"].to_pylist())
    if told["users"] != trajectories.num_rows or +Counter(told["outcomes"]) != counted:
        raise TableContractError(
            f"{where}: its summary says {told['users']} users, {told['outcomes']}; trajectories hold "
            f"{trajectories.num_rows}, {dict(counted)}; {_AGAIN % shard}"
        )
    return told


def _check_lists(trajectories: pa.Table, lists: pa.Table, top_n: int, where: str) -> None:
    """Each user of `trajectories`, and nobody else, has a list of the right length with ranks 1..n."""
    length = pc.min_element_wise(pc.list_value_length(trajectories["ranking"]), top_n)
    wanted = pa.table({"user_id": trajectories["user_id"], "length": length})
    found = lists.group_by("user_id").aggregate(
        [(column, "count_distinct") for column in ("rank", "item_id")]
        + [("rank", function) for function in ("count", "min", "max")]
    )
    users = wanted.join(found, "user_id", join_type="full outer")
    n = users["length"]
    rules = {
        "no candidates": pc.equal(n, 0),
        "a list but no trajectory": pc.is_null(n),
        "no list": pc.is_null(users["rank_count"]),
        "a list of the wrong length": pc.not_equal(users["rank_count"], n),
        "an item twice": pc.not_equal(users["item_id_count_distinct"], users["rank_count"]),
        "ranks that are not 1..n": pc.or_(
            pc.not_equal(users["rank_count_distinct"], users["rank_count"]),
            pc.or_(pc.not_equal(users["rank_min"], 1), pc.not_equal(users["rank_max"], users["rank_count"])),
        ),
    }
    for rule, broken in rules.items():
        _refuse(users.filter(broken), f"{where}: %d users with {rule}")
    endless = pc.invert(pc.is_finite(lists["score"]))
    _refuse(lists.filter(endless), f"{where}: %d rows whose score is no finite number")


def _check_users(shards: list[pa.ChunkedArray], planned: int, ds: str) -> None:
    """The shards hold the planned number of users, each in one shard only."""
    users = pa.chunked_array([chunk for shard in shards for chunk in shard.chunks], type=pa.string())
    distinct = pc.count_distinct(users).as_py()
    if len(users) != planned or distinct != planned:
        raise TableContractError(
            f"{planned} users were planned for {ds}, the shards hold {len(users)}, {distinct} of them "
            "distinct; run jobs.plan_inference and all shards again"
        )


def _refuse(broken: pa.Table, message: str) -> None:
    if broken.num_rows:
        examples = ", ".join(str(user) for user in broken["user_id"].slice(0, 3).to_pylist())
        raise TableContractError(f"{message % broken.num_rows}, such as user {examples}; nothing is published")
