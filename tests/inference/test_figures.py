import pytest

from recthinker.inference.figures import night_metrics, shard_summary

FIRST = shard_summary(
    users=6,
    resumed=2,
    outcomes={"unchanged": 1, "ranked": 5},
    totals={"prompt": 900, "cached": 600, "generated": 50, "calls": 12, "faults": 1},
    seconds=3.0,
)
SECOND = shard_summary(
    users=4, resumed=0, outcomes={"ranked": 4}, totals={"prompt": 100, "generated": 30, "calls": 3}, seconds=2.0
)


def test_summary_of_a_shard_tells_rates_and_shares() -> None:
    assert FIRST == {
        "users": 6,
        "resumed": 2,
        "outcomes": {"ranked": 5, "unchanged": 1},
        "seconds": 3.0,
        "tool_calls": 12,
        "tool_faults": 1,
        "tokens": {"prompt": 900, "cached": 600, "generated": 50},
        "users_per_s": 2.0,
        "tokens_per_s": {"computed": (900 - 600) / 3, "generated": 16.7},
        "cache_hit_share": 0.6667,
    }


def test_night_adds_shards_and_divides_the_sums() -> None:
    assert night_metrics([FIRST, SECOND]) == {
        "resumed": 2,
        "seconds": 5,
        "tool_calls": 15,
        "tool_faults": 1,
        "tokens.prompt": 1000,
        "tokens.cached": 600,
        "tokens.computed": 400,
        "tokens.generated": 80,
        "users_per_s": 10 / 5,
        "tokens_per_s.computed": 400 / 5,
        "tokens_per_s.generated": 80 / 5,
        "cache_hit_share": 600 / 1000,  # and not the mean of the shards' shares
    }


def test_night_of_unchanged_users_has_no_cache_hit_share() -> None:
    idle = shard_summary(users=3, resumed=0, outcomes={"unchanged": 3}, totals={}, seconds=0.5)
    assert idle["cache_hit_share"] is None
    metrics = night_metrics([idle])
    assert "cache_hit_share" not in metrics
    assert metrics["users_per_s"] == pytest.approx(6)
