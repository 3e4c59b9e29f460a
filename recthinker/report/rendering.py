"""How a page becomes HTML: templates that escape what comes from outside, the ways in which numbers are written, and
files that are replaced whole.
"""

import math
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from recthinker.files import replacing
from recthinker.lookup.text import readable


def environment() -> Environment:
    """The templates, and the ways in which a page writes text and numbers."""
    pages = Environment(
        loader=PackageLoader("recthinker.report"),
        # titles and reasons come from outside data
        autoescape=True,
        undefined=StrictUndefined,
        # and may hold characters that turn or hide what stands beside them
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(
        breakable=_breakable,
        percent=_percent,
        number=_number,
        figure=_figure,
        duration=_duration,
        signed=signed,
    )
    return pages


def write_page(html: str, *paths: Path) -> None:
    """Write the page to each path; a reader finds the old page or the new one, never half of it."""
    for path in paths:
        with replacing(path) as partial:
            partial.write_text(html, encoding="utf-8")


def _shown(value: object) -> object:
    """Text as it may be shown; what is markup already is made by templates."""
    return readable(value, limit=None) if isinstance(value, str) and not isinstance(value, Markup) else value


def _breakable(name: str) -> Markup:
    """A name that may be broken over lines after its underscores."""
    return escape(readable(name, limit=None)).replace("_", Markup("_<wbr>"))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _number(value: float, digits: int = 0) -> str:
    return f"{value:,.{digits}f}"


def _figure(value: float, digits: int = 4) -> str:
    """A figure of any kind: a count in full, anything else to `digits` digits."""
    is_whole = math.isfinite(value) and (value == round(value) or abs(value) >= 1000)
    return (f"{value:,.0f}" if is_whole else f"{value:.{digits}g}").replace("-", "\N{MINUS SIGN}")


def signed(value: float, digits: int = 3) -> str:
    """With its sign, as type is set."""
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"
