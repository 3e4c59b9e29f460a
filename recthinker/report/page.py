"""The nightly page: one HTML file that needs nothing else, rendered from a night's figures and stories.

Layout and words are in templates/; here they get their values.
"""

from collections.abc import Sequence

from recthinker.agent import Outcome
from recthinker.report.catalogue import Catalogue
from recthinker.report.choice import choose_users
from recthinker.report.data import Night
from recthinker.report.effort import (
    OUTCOMES,
    Count,
    calls_per_user,
    count_outcomes,
    episodes_run,
    read_pace,
    token_spreads,
    tool_uses,
)
from recthinker.report.evaluation import Evaluation
from recthinker.report.rendering import environment
from recthinker.report.stories import tell_story

MOST_CATEGORIES = 14
MOST_TOP_ITEMS = 8


def render_page(night: Night, evaluation: Evaluation | None, *, stories: int, tools: Sequence[str]) -> str:
    """The page as HTML.

    Args:
        night: what was read.
        evaluation: offline figures of the model that served; None where none were logged.
        stories: users told of.
        tools: tools that the agent may call; those it never called are shown with 0.

    Raises:
        TableContractError: the night's tables contradict each other.
    """
    outcomes = count_outcomes(night)
    episodes = episodes_run(night.rows.trajectories)
    catalogue = Catalogue(night.rows)
    return (
        environment()
        .get_template("page.html")
        .render(
            night=night,
            manifest=night.manifest,
            outcomes=outcomes,
            outcome_docs=OUTCOMES,
            fallbacks=_fallbacks(outcomes),
            episodes=episodes.num_rows,
            tools=tool_uses(episodes, tools),
            calls=calls_per_user(episodes),
            tokens=token_spreads(episodes),
            pace=read_pace(night.manifest),
            catalogue=catalogue,
            popularity=catalogue.popularity(),
            categories=catalogue.categories(MOST_CATEGORIES),
            sources=catalogue.sources(),
            order=catalogue.order(),
            top_items=catalogue.top_items(MOST_TOP_ITEMS),
            recommendations=night.rows.recommendations.num_rows,
            evaluation=evaluation,
            stories=[tell_story(night.rows, user_id, why) for user_id, why in choose_users(night.rows, stories)],
        )
    )


def _fallbacks(outcomes: Sequence[Count]) -> int:
    return sum(outcome.count for outcome in outcomes if Outcome(outcome.name).is_fallback)
