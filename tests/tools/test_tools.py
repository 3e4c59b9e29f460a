"""Each tool on the little world, by hand. Labels follow the candidates' own order: A = i4, B = i3, C = i5, D = i6."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from recthinker.lookup import Snapshot, nightly_requests, write_snapshot
from recthinker.settings import Settings, ToolSettings
from recthinker.tables.schemas import FEATURES
from recthinker.tools import BUILT_IN, Label, Level, Scene, Tool, Toolbox, ToolCall, ToolResult, Words
from recthinker.tools.base import by_strength, levels
from tests import little_world as world


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    snapshot = world.snapshot(tmp_path / "s")
    return Scene(snapshot.items, snapshot.request("ann"), np.arange(4))


@pytest.fixture
def toolbox(settings: Settings) -> Toolbox:
    return Toolbox(settings.tools)


def test_levels_are_square_roots_of_the_share_of_the_strongest() -> None:
    # sqrt(1/4) * 9 = 4.5, rounded up; any evidence is at least 1.
    assert levels(np.array([4.0, 1.0, 1e-9, 0.0])).tolist() == [9, 5, 1, 0]
    assert levels(np.zeros(2)).tolist() == [0, 0]
    assert levels(np.array([np.nan, 4.0, 1.0])).tolist() == [0, 9, 5]


def test_co_interactions_weighs_recent_items_and_the_whole_history(scene: Scene, toolbox: Toolbox) -> None:
    result = toolbox.call(scene, ToolCall("co_interactions"))
    # next: B = 1 * 9 / (10 + 5) = 0.6, A = 2^-0.1 * 1 / (20 + 5) = 0.0373 -> 9 * sqrt(0.0622) = 2.24 -> 3, C = 0.
    # together: B = 0.8, A = 0.2 -> 9 * sqrt(1/4) = 4.5 -> 5, C = 0.1 -> 9 * sqrt(1/8) = 3.2 -> 4.
    assert result.evidence == {1: (9, 9), 0: (3, 5), 2: (0, 4)}
    assert list(result.evidence) == [1, 0, 2]
    assert result.segments[:3] == (Label(1), Level(9), Level(9))


def test_similar_users_shows_counts_over_enough_people_only(scene: Scene, toolbox: Toolbox) -> None:
    assert toolbox.call(scene, ToolCall("similar_users")).evidence == {1: (9,)}


def test_item_relations_names_what_is_shared(scene: Scene, toolbox: Toolbox) -> None:
    result = toolbox.call(scene, ToolCall("item_relations"))
    # Kim is shared by 2 items: 1/log2(3) = 0.63, one history item has it. Lee by 3: 1/log2(4) = 0.5, two have it: 1.0.
    assert result.evidence == {2: (9,), 1: (8,)}
    assert result.segments == (Label(2), Level(9), Words("actor"), Label(1), Level(8), Words("directed by"))


def test_item_info_shows_popularity_rating_and_category(scene: Scene, toolbox: Toolbox) -> None:
    result = toolbox.call(scene, ToolCall("item_info", labels=(0, 3)))
    # events 60 and 40: 9 * sqrt(2/3) = 7.3 -> 8; i6 has no rating.
    assert result.segments == (
        Label(3),
        Level(9),
        Level(0),
        Words("Comedy"),
        Label(0),
        Level(8),
        Level(9),
        Words("Comedy"),
    )


def test_a_label_without_a_kind_has_none_listed() -> None:
    scores = np.array([2.0, 1.0])
    found = by_strength([0, 1], (levels(scores),), scores, 9, ["", "Drama"])
    assert found.segments == (Label(0), Level(9), Label(1), Level(7), Words("Drama"))


def test_user_history_is_newest_first_and_limited(scene: Scene, toolbox: Toolbox) -> None:
    assert toolbox.call(scene, ToolCall("user_history", limit=1)).segments == (
        Words("Title 1"),
        Words("Drama"),
    )
    assert toolbox.call(scene, ToolCall("user_history")).rows == 2


def test_user_profile_tells_categories_rating_and_attributes(scene: Scene, toolbox: Toolbox) -> None:
    segments = toolbox.call(scene, ToolCall("user_profile")).segments
    assert segments == (Words("Drama"), Words("rates"), Level(4), Words("30"))


@pytest.mark.parametrize("tool", BUILT_IN.values(), ids=list(BUILT_IN))
class TestContract:
    def test_same_call_same_result(self, tool: object, scene: Scene, toolbox: Toolbox) -> None:
        call = ToolCall(tool.name)  # type: ignore[attr-defined]
        assert toolbox.call(scene, call) == toolbox.call(scene, call)

    def test_wrong_arguments_become_a_message(self, tool: object, scene: Scene, toolbox: Toolbox) -> None:
        name, takes = tool.name, tool.takes  # type: ignore[attr-defined]
        wrong = ToolCall(name, labels=(25,)) if takes != "limit" else ToolCall(name, limit=0)
        result = toolbox.call(scene, wrong)
        assert not result.is_valid
        assert result.rows == 0

    def test_result_is_bounded(self, tool: object, scene: Scene, settings: Settings) -> None:
        small = Toolbox(settings.tools.model_copy(update={"max_results": 1, "max_history": 1}))
        result = small.call(scene, ToolCall(tool.name))  # type: ignore[attr-defined]
        assert len(result.evidence) <= 1
        assert len([s for s in result.segments if isinstance(s, Label)]) <= 1

    def test_another_users_rows_do_not_matter(
        self, tool: object, tmp_path: Path, toolbox: Toolbox, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call = ToolCall(tool.name)  # type: ignore[attr-defined]
        before = toolbox.call(scene, call)
        monkeypatch.setitem(world.OFFERED, "bob", ["i6"])
        other = world.snapshot(tmp_path / "other")
        after = toolbox.call(Scene(other.items, other.request("ann"), np.arange(4)), call)
        assert before == after

    @pytest.mark.parametrize("table", [table.name for table in FEATURES])
    def test_a_table_that_it_does_not_read_does_not_matter(
        self, tool: Tool, table: str, tmp_path: Path, toolbox: Toolbox, scene: Scene
    ) -> None:
        rows = world.features()
        empty = replace(rows, **{table: getattr(rows, table).slice(0, 0)})
        if table == "item_metadata":
            # Without its items there is no snapshot: its words and numbers are changed instead.
            empty = replace(rows, item_metadata=_other_items(rows.item_metadata))
        asked = nightly_requests(world.candidates(), empty.user_history)
        write_snapshot(tmp_path / "o", asked, empty, ds=world.DS, shards=1, min_users=world.MIN_USERS)
        other = Snapshot(tmp_path / "o")
        after = toolbox.call(Scene(other.items, other.request("ann"), np.arange(4)), ToolCall(tool.name))
        assert (after != toolbox.call(scene, ToolCall(tool.name))) == (table in tool.reads)


def _other_items(items: pa.Table) -> pa.Table:
    rows = items.to_pylist()
    changed = [{**row, "title": "Other", "categories": ["Other"], "popularity": 70 - row["popularity"]} for row in rows]
    return pa.Table.from_pylist(changed, schema=items.schema)


class Strange:
    """Returns what it is given."""

    name, description, takes, evidence, reads = "strange", "Strange.", "nothing", ("strength",), ()

    def __init__(self, result: ToolResult) -> None:
        self.result = result

    def __call__(self, scene: Scene, call: ToolCall, settings: ToolSettings) -> ToolResult:
        return self.result


@pytest.mark.parametrize(
    ("result", "fault"),
    [
        (ToolResult((Label(4),), 1), "a label that none of the 4 candidates has"),
        (ToolResult((Label(-1),), 1), "a label that none of the 4 candidates has"),
        (ToolResult((), 1, {7: (1,)}), "a label that none of the 4 candidates has"),
        (ToolResult((Level(10),), 1), "a level that is not from 0 to 9"),
        (ToolResult((), 1, {0: (-1,)}), "a level that is not from 0 to 9"),
        (ToolResult((), 1, {0: (1, 2)}), "gives 2 levels instead of 1"),
        (ToolResult((Label(0),) * 21, 21), "speaks of 21 labels, more than 20"),
    ],
)
def test_a_result_that_breaks_the_contract_is_a_fault_of_the_tool(
    scene: Scene, toolbox: Toolbox, result: ToolResult, fault: str
) -> None:
    toolbox.tools = {"strange": Strange(result)}
    told = toolbox.call(scene, ToolCall("strange"))
    assert told.segments == (Words("the tool failed"),)
    assert fault in told.fault


def test_a_tool_that_is_not_enabled_cannot_be_called(scene: Scene, settings: Settings) -> None:
    toolbox = Toolbox(settings.tools.model_copy(update={"enabled": ("item_info",)}))
    result = toolbox.call(scene, ToolCall("similar_users"))
    assert result.segments == (Words("no tool similar_users; tools: item_info"),)
