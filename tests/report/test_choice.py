from dataclasses import replace

import pyarrow.compute as pc

from recthinker.report.choice import choose_traced, choose_users
from tests.report import night_world, small_night


def test_users_are_chosen_by_rule_among_those_ranked_tonight() -> None:
    # u3 has the longest history, but fell back; u1 has 1 event and 2 calls, u2 2 events and 1 call
    assert choose_users(small_night.rows(), 3) == [
        ("u1", "the shortest history"),
        ("u2", "a history of median length"),
    ]
    assert choose_users(small_night.rows(), 0) == []


def test_users_are_chosen_among_all_where_the_agent_ranked_nobody() -> None:
    rows = small_night.rows()
    place = rows.trajectories.schema.get_field_index("status")
    failed = rows.trajectories.set_column(place, "status", [["fallback_error"] * 3])
    assert choose_users(replace(rows, trajectories=failed), 1) == [("u1", "the shortest history")]


def test_chosen_users_keep_their_rules() -> None:
    tables = night_world.tables()
    rows = replace(
        small_night.rows(),
        trajectories=tables["trajectories"],
        histories=tables["user_history"],
    )
    ranked = tables["trajectories"].filter(pc.field("status") == "ranked")["user_id"].to_pylist()
    both = (tables["user_history"]["user_id"].to_pylist(), tables["user_history"]["events"].to_pylist())
    lengths = {user: len(events) for user, events in zip(*both, strict=True) if user in ranked}
    calls = {row["user_id"]: len(row["tool_calls"]) for row in tables["trajectories"].to_pylist()}
    short, _, most, long = (user for user, _ in choose_users(rows, 4))
    assert lengths[short] == min(lengths.values())
    assert lengths[long] == max(lengths.values())
    assert calls[most] == max(calls[user] for user in ranked)


def test_traced_users_are_of_each_outcome_what_went_wrong_first() -> None:
    statuses = {f"r{n}": "ranked" for n in range(50)} | {f"k{n}": "unchanged" for n in range(50)}
    statuses |= {"bad": "fallback_invalid", "late": "fallback_timeout", "mended": "repaired"}
    chosen = choose_traced(statuses, 7, "run")
    outcomes = [statuses[user] for user in chosen]
    assert outcomes[:5] == ["fallback_invalid", "fallback_timeout", "repaired", "ranked", "unchanged"]
    assert outcomes[5:] == ["ranked", "unchanged"]
    assert len(set(chosen)) == 7
    assert chosen == choose_traced(dict(reversed(statuses.items())), 7, "run")
    assert chosen != choose_traced(statuses, 7, "other run")
    assert len(choose_traced(statuses, 500, "run")) == 103
    assert choose_traced(statuses, 0, "run") == []
