import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from recthinker.report import Night, TableChecks, read_evaluation, read_night, render_page, write_page
from tests.report import night_world, small_night

TOOLS = ("user_history", "co_interactions", "item_info")


class Parsed(HTMLParser):
    """Tags with their attributes, and the text that a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._hidden = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag."""
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        """Text after a style sheet is seen again."""
        self._hidden = False

    def handle_data(self, data: str) -> None:
        """Keep what is seen."""
        if not self._hidden:
            self.words += data.split()

    @property
    def text(self) -> str:
        """All that is seen, single blanks between words."""
        return " ".join(self.words)


def render(night: Night, evaluation: dict[str, object] | None = None) -> str:
    return render_page(night, read_evaluation(evaluation), stories=3, tools=TOOLS)


@pytest.fixture(scope="module")
def html() -> str:
    return render(small_night.night(), small_night.evaluation())


@pytest.fixture
def world(tmp_path: Path) -> Night:
    night_world.write(tmp_path / "warehouse")
    night_world.write_stages(tmp_path / "run")
    return read_night(tmp_path / "warehouse", tmp_path / "run", night_world.DS, night_world.RUN_ID)


def test_verdict_and_header_name_the_night(html: str) -> None:
    text = Parsed(html).text
    assert "3 users: 2 ranked by the agent, 0 repaired, 0 unchanged since the night before, 1 fallback" in text
    assert "6 recommendations reach 60.0% of the catalogue" in text
    for fact in ("1998-04-22", "manual", "recthinker/3", "abc123", "candidates@4", "user_ history@7"):
        assert fact in text


def test_numbers_are_those_computed_by_hand(html: str) -> None:
    text = Parsed(html).text
    assert "Outcomes sum to the 3 users asked for. 1 (33.3%) fell back" in text
    assert "co_interactions is called most (66.7% of calls); never called: item_info." in text
    assert "33.3% of the episodes made 2 calls; the mean is 1.00." in text
    # 660 of 1,100 prompt tokens from cache
    assert "The prefix cache served 60.0% of the prompt tokens" in text
    assert "infer_shard-0 took 75.0% of the 2 min 00 s in all" in text
    assert "the median recommended item has 2 events, against 8 in histories" in text
    assert "The largest shift is Crime, from 85.7% of the events to 33.3% of the recommendations." in text
    assert "Plan B is on 100.0% of the lists." in text


def test_pace_of_the_inference_is_told(html: str) -> None:
    text = Parsed(html).text
    # 3 users, 440 tokens computed, 30 written, in 12 s
    assert "it did 0.2 users a second: 37 tokens computed and 2 written." in text
    assert "60.0% of the prompts from cache" in text
    assert "No tool broke." in text
    assert "earlier attempt" not in text


def test_resumed_users_and_broken_tools_are_told() -> None:
    metrics = {**small_night.METRICS, "resumed": 2.0, "tool_faults": 1.0}
    text = Parsed(render(replace(small_night.night(), manifest={**small_night.manifest(), "metrics": metrics}))).text
    assert "2 were finished by an earlier attempt of this run" in text
    assert "In 1 call the tool itself broke" in text


def test_night_that_was_published_without_figures_still_renders() -> None:
    text = Parsed(render(replace(small_night.night(), manifest={**small_night.manifest(), "metrics": None}))).text
    assert "– users a second, per shard" in text
    assert "it did" not in text


def test_evaluation_shows_intervals_and_what_they_allow_to_say(html: str) -> None:
    text = Parsed(html).text
    assert "agent 0.654 [0.600, 0.700]" in text
    assert "a random order has 0.227" in text
    assert "900 users, 43 left out" in text
    assert "ItemKNN +0.014 −0.002 to +0.030 not told apart" in text
    assert "popularity +0.100 +0.080 to +0.120 better" in text
    assert "anti-popularity 0.080 not above chance" in text


def test_evaluation_shows_groups_orders_tools_and_the_other_protocol() -> None:
    temporal = small_night.evaluation() | {"protocol": "temporal: from a day on.", "users": 128}
    evaluation = read_evaluation(small_night.whole_evaluation(), temporal)
    text = Parsed(render_page(small_night.night(), evaluation, stories=3, tools=TOOLS)).text
    assert "43 left out (43: no event taken away to predict)" in text
    assert "EASE was not run: its catalogue is too large." in text
    assert "MRR" in text
    assert "rare targets: at most 5 events 225 0.500 0.450 +0.050 [+0.010, +0.090]" in text
    assert "order 2 0.660 [0.610, 0.710]" in text
    for name in ("without co_interactions", "another user's rows", "another user's results"):
        assert f"{name} 0.400 2.00 +0.250 [+0.200, +0.300]" in text
    assert "own count alarm 3.000 none" in text
    assert "1 of 2 alarm." in text
    assert "temporal: from a day on. 128 users, 43 left out." in text


def test_evaluation_shows_whether_effort_adapts_and_what_calls_buy() -> None:
    html = render(small_night.night(), small_night.whole_evaluation())
    text = Parsed(html).text
    assert "5–40 events 2.000 [1.750, 2.250] 41 events 9 users: not told 0 1 2 3 Mean calls" in text
    assert "length of history by −0.25 [−0.38, −0.12], with the NDCG without tools by not told" in text
    assert "wrong without tools 75.0% [70.0%, 80.0%] right without tools 25.0% [15.0%, 35.0%]" in text
    assert "not first for 800 users, and first for 100. The difference is +0.50 [+0.38, +0.62]" in text
    assert "90.0% are of users ranked wrong without; by chance it would be 80.0%." in text
    assert "1 1,700 850 +0.125 [+0.100, +0.150] 4 6 5 not told" in text
    assert "From 0.250 without a call to 0.650 with at most 5, of which 1.50 are made." in text
    assert "1 call 50.0% of 500 12.5% of 400 +0.38 [+0.25, +0.50] +0.25 [+0.20, +0.30]" in text
    assert "2 calls 100.0% of 290 not told of 9 not told not told" in text
    # Ticks 0.1 to 0.8, calls 0 to 1.5 on 12 % to 92 % of the width: 0.65 is 0.15 / 0.7 from above.
    assert '<circle class="one" cx="92.0%" cy="21.43%" r="4"/>' in html
    # The bar of 0.75 with its interval.
    assert 'width="75.0%"' in html
    assert 'x1="70.0%" x2="80.0%"' in html


def test_evaluation_without_these_figures_still_renders() -> None:
    text = Parsed(render(small_night.night(), small_night.evaluation())).text
    assert "Does it call" not in text
    assert "What a call buys" not in text


def test_missing_evaluation_is_said_plainly() -> None:
    text = Parsed(render(small_night.night())).text
    assert "There is no offline evaluation for model recthinker/3 ." in text
    assert "NDCG@" not in text


def test_titles_and_reasons_stay_text(html: str) -> None:
    assert "<script" not in html
    assert "<b>history</b>" not in html
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in html
    assert "goes with <b>history</b>" in Parsed(html).text


def test_page_needs_no_network_and_runs_no_script(world: Night) -> None:
    html = render(world)
    assert night_world.ATTACK not in html
    parsed = Parsed(html)
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(tag for tag, _ in parsed.tags)
    assert not [attrs for _, attrs in parsed.tags if {"src", "href", "srcset"} & attrs.keys()]
    assert not re.search(r"url\(|@import|https?:", html)


def test_checks_list_each_warning_once_and_stay_text() -> None:
    warning = 'mean_rating_jumped: rule (1 row), such as {"user_id":"<script>"}'
    checks = (TableChecks("user_history", 3, (warning,)), TableChecks("user_profile", None, (warning,)))
    html = render(replace(small_night.night(), checks=checks))
    text = Parsed(html).text
    assert "2 tables were audited before publication; no check that stops a build found a row. 1 warned:" in text
    assert text.count(warning) == 1
    assert "user_ history 3 1 user_ profile – 1" in text
    assert "<script" not in html


def test_checks_without_warnings_say_so() -> None:
    text = Parsed(render(replace(small_night.night(), checks=(TableChecks("user_history", 3, ()),)))).text
    assert "1 table was audited before publication; no check that stops a build found a row. None warned." in text


def test_checks_are_silent_where_nothing_is_recorded(html: str) -> None:
    assert "Checks" not in Parsed(html).text


def test_stories_translate_labels_to_titles(html: str) -> None:
    text = Parsed(html).text
    assert "B Plan B 9 8 C <script>alert('x')</script> 3 0" in text
    assert "1 B Plan B −0.10 3 ▲ 2 popularity" in text


def test_plausible_night_renders_whole(world: Night) -> None:
    text = Parsed(render(world)).text
    assert "60 users: 56 ranked by the agent, 1 repaired, 2 unchanged since the night before, 1 fallback" in text
    assert "Bars: share of the 58 episodes run tonight" in text
    assert text.count("What the agent asked and read") == 3
    assert "nan" not in text.lower().split()


def test_dark_and_light_are_both_styled(html: str) -> None:
    light, dark = html.split("@media (prefers-color-scheme: dark)")
    names = set(re.findall(r"(--\w+):", light))
    assert names == set(re.findall(r"(--\w+):", dark.split("}\n}")[0]))


def test_write_page_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    page, copy = tmp_path / "run" / "report.html", tmp_path / "reports" / "d.html"
    write_page("old", page, copy)
    write_page("new", page, copy)
    assert (page.read_text(), copy.read_text()) == ("new", "new")
    assert [path.name for path in (*page.parent.iterdir(), *copy.parent.iterdir())] == [
        "report.html",
        "d.html",
    ]


def test_failed_write_keeps_the_old_page(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    write_page("old", page)
    with pytest.raises(UnicodeEncodeError):
        write_page("half \ud800", page)
    assert page.read_text() == "old"
    assert list(tmp_path.iterdir()) == [page]
