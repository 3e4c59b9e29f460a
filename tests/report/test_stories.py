from dataclasses import replace

import pytest

from recthinker.errors import ConfigError, TableContractError
from recthinker.report.labels import Piece
from recthinker.report.stories import Story, tell_story
from recthinker.tables.schemas import TRAJECTORIES
from tests.report import small_night


@pytest.fixture
def story() -> Story:
    return tell_story(small_night.rows(), "u1")


def test_story_tells_history_by_title_newest_first() -> None:
    story = tell_story(small_night.rows(), "u2", most_events=1)
    assert [(event.title, event.rating) for event in story.history] == [("Heat", 4.0)]
    assert story.history_length == 2


def test_story_shows_candidates_in_label_order(story: Story) -> None:
    assert story.shown == (("A", "A Little Princess"), ("B", "Plan B"), ("C", "<script>alert('x')</script>"))


def test_story_joins_each_call_with_its_answer(story: Story) -> None:
    assert [turn.role for turn in story.turns] == ["prompt", "agent", "tool", "agent", "tool", "agent"]
    history, together = (turn.call for turn in story.turns if turn.call)
    assert history.name == "user_history"
    assert history.arguments == (Piece("limit: 8"),)
    assert together.arguments == (
        Piece("labels: "),
        Piece("B", "Plan B"),
        Piece(" "),
        Piece("C", "<script>alert('x')</script>"),
    )
    assert [(row.label, row.levels) for row in together.evidence] == [("B", (9, 8)), ("C", (3, 0))]


def test_titles_in_a_history_are_never_read_as_labels(story: Story) -> None:
    # "A Little Princess Drama": A is a label of this episode, but here it is a word
    assert story.turns[2].call is not None
    assert story.turns[2].call.evidence == ()
    assert story.turns[2].call.text == "A Little Princess Drama"


def test_agent_turn_is_translated_clause_by_clause(story: Story) -> None:
    assert story.turns[-1].pieces == (Piece("sufficient yes · rank "), Piece("B", "Plan B"))


def test_ranking_marks_what_the_agent_moved(story: Story) -> None:
    assert [(place.title, place.position, place.moved, place.is_published) for place in story.ranking] == [
        ("Plan B", 3, 2, True),
        ("<script>alert('x')</script>", 1, -1, True),
        ("A Little Princess", 2, -1, False),
    ]
    assert story.ranking[0].score == -0.1
    assert story.ranking[1].sources == ("als", "popularity")


def test_call_without_an_answer_of_its_own_is_a_forced_one() -> None:
    trajectory = small_night.trajectory("u3") | {"turns": [{"role": "tool", "text": "rank"}]}
    forced = small_night.arrow(TRAJECTORIES, [trajectory])
    turn = tell_story(replace(small_night.rows(), trajectories=forced), "u3").turns[0]
    assert (turn.call, turn.pieces) == (None, (Piece("rank"),))


def test_unknown_user_is_told_who_is_known() -> None:
    with pytest.raises(ConfigError, match=r"user nobody .* found none among 3 users; .* such as u1, u2, u3"):
        tell_story(small_night.rows(), "nobody")


def test_ranking_of_other_candidates_is_refused() -> None:
    rows = small_night.rows()
    with pytest.raises(TableContractError, match="trajectories of user u3"):
        tell_story(replace(rows, candidates=rows.candidates.filter([True, True, False])), "u3")
