"""The nightly page: one HTML file that needs nothing else, rendered from a night's figures and stories.

Layout and words are in templates/; here they get their values and the ways in which numbers are written.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from recthinker.agent import Outcome
from recthinker.lookup.text import readable
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
        _environment()
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


def write_page(html: str, *paths: Path) -> None:
    """Write the page to each path; a reader finds the old page or the new one, never half of it."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            partial.write_text(html, encoding="utf-8")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("recthinker.report"),
        # titles and reasons come from outside data
        autoescape=True,
        undefined=StrictUndefined,
        # and may hold characters that turn or hide what stands beside them
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        breakable=_breakable, percent=_percent, number=_number, duration=_duration, signed=_signed
    )
    return environment


def _shown(value: object) -> object:
    """Text as it may be shown; what is markup already is made by templates."""
    return readable(value, limit=None) if isinstance(value, str) and not isinstance(value, Markup) else value


def _fallbacks(outcomes: Sequence[Count]) -> int:
    return sum(outcome.count for outcome in outcomes if Outcome(outcome.name).is_fallback)


def _breakable(name: str) -> Markup:
    """A name that may be broken over lines after its underscores."""
    return escape(name).replace("_", Markup("_<wbr>"))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _number(value: float, digits: int = 0) -> str:
    return f"{value:,.{digits}f}"


def _signed(value: float, digits: int = 3) -> str:
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"
