"""docs/tools.md: its table is what the code says, and its example runs as it stands there."""

import re
from pathlib import Path

import pytest
import yaml

from recthinker.agent import Agent, Outcome
from recthinker.agent.record import recommendation_table, trajectory_row
from recthinker.errors import ConfigError
from recthinker.inference import ScriptedEngine, run_episodes
from recthinker.inference.scripted import Planner
from recthinker.settings import Settings, load_settings
from recthinker.tools import BUILT_IN, Toolbox
from tests import little_world as world

PAGE = (Path(__file__).parents[2] / "docs" / "tools.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The page's only block of code in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The page's tool on the path, and the page's settings."""
    (tmp_path / "shop_tools.py").write_text(block("python"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return load_settings("test", environ={}, overrides=yaml.safe_load(block("yaml")))


def test_the_page_lists_the_tools_that_there_are() -> None:
    rows = [
        line.strip("| ").split(" | ") for line in PAGE.splitlines() if re.match(r"\| `\w+` \| (nothing|lab|lim)", line)
    ]
    assert rows == [
        [
            f"`{tool.name}`",
            tool.takes,
            "; ".join(tool.evidence) or "none",
            ", ".join(f"`{name}`" for name in tool.reads),
        ]
        for tool in BUILT_IN.values()
    ]


def test_the_pages_tool_is_called_in_an_episode_and_recorded(tmp_path: Path, own: Settings) -> None:
    agent = Agent.build(world.chat(Toolbox(own.tools).tools), own.agent, own.tools)
    snapshot = world.snapshot(tmp_path / "s")
    engine = ScriptedEngine(Planner(agent.chat, agent.toolbox.tools))
    # dan: nobody's history goes with his candidates i1, i2, i3, so the planner asks the tool too.
    (episode,) = run_episodes(engine, agent, snapshot.items, [snapshot.request("dan")], max_in_flight=1)

    assert episode.outcome is Outcome.RANKED
    row = trajectory_row(episode, ds=world.DS, versions={"table:item_metadata": "3"})
    call = row["tool_calls"][-1]
    assert call["name"] == "favourite_categories"
    assert call["tables"] == [("item_metadata", 3)]
    # dan likes Drama: i1 and i3 are of it, i2 is a comedy.
    assert set(row["ranking"][:2]) == {"i1", "i3"}
    best = recommendation_table([episode], ds=world.DS, model_version="m/1", run_id="r", top_n=1).to_pylist()[0]
    assert best["reason"] == "of favourite categories 9/9"


def test_a_model_trained_without_the_tool_is_refused(own: Settings) -> None:
    with pytest.raises(ConfigError, match=r"trained without the tools favourite_categories; it knows user_profile, "):
        Agent.build(world.chat(), own.agent, own.tools)
