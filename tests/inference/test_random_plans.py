import random
from collections import Counter
from pathlib import Path

from recthinker.inference import ScriptedEngine, run_episodes
from recthinker.inference.random_plans import any_plan, some_tools
from recthinker.inference.scripted import Planner
from recthinker.settings import Settings
from tests import little_world as world

TOOLS = ["a", "b", "c", "d", "e", "f"]


def test_some_tools_are_one_to_four_none_twice() -> None:
    plans = [some_tools(TOOLS, random.Random(seed)) for seed in range(400)]
    assert {len(plan) for plan in plans} == {1, 2, 3, 4}
    assert all(len(set(plan)) == len(plan) for plan in plans)
    assert {tool for plan in plans for tool in plan} == set(TOOLS)
    assert max(len(some_tools(TOOLS[:2], random.Random(seed))) for seed in range(100)) == 2


def test_any_plan_looks_up_nothing_one_thing_some_or_all_and_one_again() -> None:
    plans = [any_plan(TOOLS, random.Random(seed)) for seed in range(4000)]
    lengths = Counter(map(len, plans))
    # A quarter each; one tool is also a quarter of the plans with one to four. Standard error of a quarter: 27.
    assert abs(lengths[0] - 1000) < 120
    assert abs(lengths[7] - 1000) < 120
    assert abs(lengths[1] - 1250) < 120
    assert set(lengths) == {0, 1, 2, 3, 4, 7}
    wasteful = [plan for plan in plans if len(plan) == 7]
    assert all(Counter(plan).most_common(1)[0][1] == 2 and set(plan) == set(TOOLS) for plan in wasteful)


def test_the_same_seed_draws_the_same_plan() -> None:
    assert any_plan(TOOLS, random.Random("u1~2")) == any_plan(TOOLS, random.Random("u1~2"))


def test_the_planner_follows_its_plan_in_order_a_tool_twice_too(settings: Settings, tmp_path: Path) -> None:
    agent, snapshot = world.agent(settings), world.snapshot(tmp_path / "s")
    plan = ["similar_users", "co_interactions", "similar_users"]
    planner = Planner(agent.chat, agent.toolbox.tools, random_share=1.0, draw_plan=lambda tools, rng: plan)
    rows = [snapshot.request("ann")]
    [episode] = run_episodes(ScriptedEngine(planner), agent, snapshot.items, rows, max_in_flight=1)
    assert [called.call.name for called in episode.calls] == plan
    assert episode.stop_reason == "answered"
