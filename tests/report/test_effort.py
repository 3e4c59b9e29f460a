from dataclasses import replace

import pytest

from recthinker.errors import TableContractError
from recthinker.report.effort import (
    Count,
    TokenSpread,
    ToolUse,
    calls_per_user,
    count_outcomes,
    episodes_run,
    token_spreads,
    tool_uses,
)
from tests.report import small_night


def test_outcomes_sum_to_the_users_and_name_those_that_did_not_happen() -> None:
    outcomes = count_outcomes(small_night.night())
    assert outcomes == [
        Count("ranked", 2, 2 / 3),
        Count("repaired", 0, 0.0),
        Count("unchanged", 0, 0.0),
        Count("fallback_invalid", 0, 0.0),
        Count("fallback_timeout", 1, 1 / 3),
        Count("fallback_error", 0, 0.0),
    ]
    assert sum(outcome.count for outcome in outcomes) == small_night.manifest()["users"]


@pytest.mark.parametrize(
    "claim",
    [
        {"users": 4},
        {"outcomes": {"ranked": 3}},
        {"outcomes": {"ranked": 1, "fallback_timeout": 2}},
        {"outcomes": {}},
    ],
)
def test_outcomes_that_disagree_with_the_manifest_are_refused(claim: dict[str, object]) -> None:
    night = replace(small_night.night(), manifest={**small_night.manifest(), **claim})
    with pytest.raises(TableContractError, match="agree and sum to"):
        count_outcomes(night)


def test_tool_uses_share_of_calls_and_of_episodes() -> None:
    # u1 called user_history and co_interactions, u2 co_interactions, u3 nothing: 3 calls in 3 episodes
    uses = tool_uses(small_night.rows().trajectories, ["item_info", "user_history", "co_interactions"])
    assert uses == [
        ToolUse("co_interactions", 2, 2 / 3, 2 / 3, 0, (2 + 0) / 2),
        ToolUse("user_history", 1, 1 / 3, 1 / 3, 0, 1.0),
        ToolUse("item_info", 0, 0.0, 0.0, 0, 0.0),
    ]


def test_tool_called_twice_in_an_episode_counts_once_as_episode(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = [
        small_night.tool_call("item_info", {}, "", 1),
        small_night.tool_call("item_info", {}, "", 3, ok=False),
    ]
    monkeypatch.setitem(small_night.CALLS, "u3", twice)
    use = next(use for use in tool_uses(small_night.rows().trajectories, []) if use.name == "item_info")
    assert use == ToolUse("item_info", 2, 2 / 5, 1 / 3, 1, (1 + 3) / 2)


def test_calls_per_user_has_a_place_for_every_number() -> None:
    assert calls_per_user(small_night.rows().trajectories) == [
        Count("0", 1, 1 / 3),
        Count("1", 1, 1 / 3),
        Count("2", 1, 1 / 3),
    ]


def test_token_spreads_split_prompt_tokens_by_cache() -> None:
    # turns: u1 1 + 2 * 2 + 1 = 6, u2 1 + 2 + 1 = 4, u3 1
    # 100 prompt tokens a turn, 60 of them cached; 10 generated a user
    computed, cached, generated = token_spreads(small_night.rows().trajectories)
    assert computed == TokenSpread("prompt, computed", 40 * 11 / 3, 160.0, 160 + 0.9 * 80, 440)
    assert cached.total == 60 * 11
    assert generated == TokenSpread("generated", 10.0, 10.0, 10.0, 30)


def test_unchanged_users_are_no_episodes_of_tonight() -> None:
    trajectories = small_night.rows().trajectories
    place = trajectories.schema.get_field_index("status")
    unchanged = trajectories.set_column(place, "status", [["unchanged", "ranked", "unchanged"]])
    assert episodes_run(unchanged)["user_id"].to_pylist() == ["u2"]


def test_no_episode_gives_no_figures() -> None:
    nobody = small_night.rows().trajectories.slice(0, 0)
    assert calls_per_user(nobody) == []
    assert token_spreads(nobody) == []
    assert tool_uses(nobody, ["item_info"]) == [ToolUse("item_info", 0, 0.0, 0.0, 0, 0.0)]
