import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recthinker.evaluation import Decision
from recthinker.report import Systems, read_evaluation, read_retraining, render_retraining
from recthinker.settings import load_settings
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.stage import StageResult
from tests.report import retrain_world as world
from tests.report.test_page import Parsed

BEFORE_THE_GATE = {name: taken for name, taken in world.SECONDS.items() if name != "promote_model"}
Page = Callable[..., str]


@pytest.fixture
def page(tmp_path: Path) -> Page:
    """Renders the page of a run."""

    def render(
        plan: RetrainPlan | None = None,
        results: dict[str, StageResult] | None = None,
        decision: Decision | None = None,
        jobs: dict[str, float] | None = None,
        systems: Systems | None = None,
    ) -> str:
        made = world.results() if results is None else results
        world.write(tmp_path, plan or world.plan(), made, decision, jobs)
        both = systems or both_measured()
        defaults = load_settings("base", environ={}).model_dump(mode="json")
        return render_retraining(read_retraining(tmp_path), both, defaults)

    return render


def both_measured(**more: Any) -> Systems:
    challenger, champion = world.evaluation(0.6723, **more), world.evaluation(0.66)
    return Systems(read_evaluation(challenger), read_evaluation(champion))


def text_of(html: str) -> str:
    return Parsed(html).text


def test_a_promoted_challenger_serves_and_the_page_says_why(page: Page) -> None:
    text = text_of(page(decision=world.decision()))
    assert "recthinker/5 serves from now on , in the place of recthinker/4: NDCG differs by +0.0123" in text
    assert "+0.0123 NDCG@10, challenger minus champion" in text
    assert "0.6723 NDCG@10 of the challenger; the champion's 0.6600" in text
    assert "1.42 tool calls of an episode; the champion's 1.91" in text
    assert "10 of 10 checks of the gate met" in text
    assert "+0.0123, 95% interval +0.0070 to +0.0178, paired by user over 900 users." in text
    assert "−0.11, −0.16 to −0.06, and all of that must lie below 0" in text


def test_the_interval_is_drawn_against_the_margin(page: Page) -> None:
    html = page(decision=world.decision())
    # The axis runs from -0.01 to 0.03: 0 stands at 25 %, the margin of 0.005 at 37.5 %, -0.005 at 12.5 %.
    assert '<rect class="zone-same" x="12.5%" width="25.0%" height="100%"/>' in html
    assert '<rect class="zone-better" x="37.5%" width="62.5%" height="100%"/>' in html
    assert 'x1="42.5%" x2="69.5%"' in html
    assert '<circle class="one" cx="55.75%"' in html


def test_a_refusal_names_the_check_that_decided(page: Page) -> None:
    text = text_of(page(decision=world.decision(slower=True)))
    assert "recthinker/5 is refused, recthinker/4 goes on serving : a user takes 9.8 ms, allowed are 6.3." in text
    assert "no time for a user a user takes 9.8 ms, allowed are 6.3 9.8 ms at most 6.3 ms" in text
    assert "9 of 10 checks of the gate met" in text
    assert "serves from now on" not in text


def test_a_run_that_was_to_change_nothing_changed_nothing(page: Page) -> None:
    text = text_of(page(plan=world.plan(promote=False), decision=world.decision()))
    assert "recthinker/5 may serve, recthinker/4 goes on serving : the run was asked to decide" in text


def test_a_gate_that_did_not_end_is_no_promotion(page: Page) -> None:
    text = text_of(page(decision=world.decision(), jobs=BEFORE_THE_GATE))
    assert "recthinker/5 passed the gate, but promote_model did not end" in text
    assert "serves from now on" not in text


def test_a_run_that_stopped_says_where(page: Page) -> None:
    results = world.results()
    jobs = {"plan_retrain": 2.1, "train_base": 3.0, "collect_rollouts": 61.5}
    done = {stage: results[stage] for stage in ("base", "collect")}
    text = text_of(page(results=done, jobs=jobs, systems=Systems(None, None)))
    assert "Nothing was decided: the run stopped before select_episodes. recthinker/4 goes on serving." in text
    assert "select Not done. The run stopped here. sft Not done. rl Not done." in text
    assert "Neither version has an evaluation of this run" in text
    assert "What the gate asked" not in text


def test_a_run_that_stopped_after_its_stages_says_where(page: Page) -> None:
    text = text_of(page(jobs=BEFORE_THE_GATE))
    assert "the run stopped before promote_model" in text


@pytest.mark.parametrize(
    ("promote", "verdict"),
    [
        (True, "recthinker/5 serves from now on , the first to: NDCG differs"),
        (False, "recthinker/5 may serve, no model serves yet :"),
    ],
)
def test_popularity_is_not_said_to_serve(promote: bool, verdict: str, page: Page) -> None:
    plan = replace(world.plan(), champion=None, promote=promote)
    assert verdict in text_of(page(plan=plan, decision=world.decision()))


def test_a_run_that_left_nothing_is_a_page(page: Page) -> None:
    plan = replace(world.plan(), champion=None)
    text = text_of(page(plan=plan, results={}, jobs={}, systems=Systems(None, None)))
    assert "the run stopped before train_base. No model serves yet." in text
    assert "No stage of this run left a curve." in text
    assert "This run left no times." in text


def test_stages_that_were_not_asked_for_are_no_failure(page: Page) -> None:
    results = world.results()
    del results["rl"]
    plan = world.plan(stages=("base", "collect", "select", "sft"))
    text = text_of(page(plan=plan, results=results, decision=world.decision()))
    assert "rl 3 min 00 s Not part of this run." in text
    assert "Not done" not in text
    assert "Algorithm of RL –" in text


def test_a_run_that_makes_no_model_has_nothing_to_decide(page: Page) -> None:
    results = world.results()
    stages = ("base", "collect", "select")
    chosen = {stage: results[stage] for stage in stages}
    jobs = {"plan_retrain": 2.1, "train_base": 3.0, "collect_rollouts": 61.5, "select_episodes": 4.5}
    text = text_of(page(plan=world.plan(stages=stages), results=chosen, jobs=jobs))
    assert "Nothing was to be decided: this run trains no model that may serve. recthinker/4 goes on serving." in text


def test_many_figures_are_folded_away(page: Page) -> None:
    results = world.results()
    results["rl"] = replace(results["rl"], figures={f"figure_{n}": n / 16 for n in range(13)})
    html = page(results=results)
    assert "<summary>13 figures</summary>" in html
    assert "figure 12 0.75" in text_of(html)


def test_stages_tell_seconds_summary_and_figures(page: Page) -> None:
    text = text_of(page())
    assert "base 3.0 s taken as it is from base-1a2b3c parameters 1,438,720 final loss 0.7123" in text
    assert "collect 1 min 02 s 7,544 rollouts of 1,886 requests rollouts 7,544 valid share 0.9904" in text
    # 2.1 + 3 + 61.5 + 4.5 + 58 + 180 + 6 + 45 + 3.9
    assert "6 min 04 s in all" in text
    assert "Rollouts drawn by recthinker/4" in text


def test_every_curve_of_every_stage_is_drawn(page: Page) -> None:
    html = page()
    curves = [curve for result in world.results().values() for curve in result.curves]
    assert html.count('<path class="line"') == len(curves) == 17
    text = text_of(html)
    for told in (
        "Gradient norm",
        "nats per trained token",
        "KL",
        "Groups without variance",
        "Answers",
        "Valid episodes",
    ):
        assert told in text


def test_a_line_that_is_no_mean_only_joins_the_points(page: Page) -> None:
    results = world.results()
    few = [(step, 1.0 / step) for step in range(1, 9)]
    results["sft"] = replace(results["sft"], curves={"loss": few})
    text = text_of(page(results=results))
    assert "The line joins the points." in text
    assert re.search(r"The line is the mean of \d+", text)


def test_challenger_and_champion_stand_beside_the_baselines(page: Page) -> None:
    text = text_of(page(decision=world.decision()))
    assert "challenger 0.672 [0.652, 0.692] champion 0.660 [0.640, 0.680] EASE 0.650 [0.630, 0.670]" in text
    assert "popularity +0.122 [+0.112, +0.132] +0.110 [+0.100, +0.120]" in text
    assert "rare targets: at most 5 events 225 0.572 0.560 0.530" in text
    assert "What the tools are worth" not in text
    assert "do not compare" not in text


def test_ablations_are_told_where_they_were_measured(page: Page) -> None:
    lead = {"against": "without co_interactions", "difference": 0.25, "low": 0.2, "high": 0.3}
    measured = {"name": "without co_interactions", "ndcg": 0.4, "calls": 2.0, "lead": lead}
    text = text_of(page(systems=both_measured(ablations=[measured])))
    assert "challenger with NDCG calls all tools lead by without co_interactions 0.400 2.00 +0.250" in text
    assert "champion with" not in text


def test_figures_of_different_requests_are_not_for_comparison(page: Page) -> None:
    text = text_of(page(systems=both_measured(requests="r2")))
    assert "The two were measured on different requests: do not compare them." in text


def test_one_that_was_not_measured_is_said_plainly(page: Page) -> None:
    text = text_of(page(systems=Systems(None, read_evaluation(world.evaluation(0.66)))))
    assert "The challenger was not measured." in text
    assert "champion 0.660 [0.640, 0.680] EASE" in text


def test_plans_are_shares_before_and_after_the_selection(page: Page) -> None:
    text = text_of(page())
    assert "co_ interactions 50.0% → 60.0%" in text
    assert f"{world.ATTACK} > item_ info 20.0% → 0.0%" in text
    assert "Learned from most: co_interactions, 60.0%." in text
    # Told by the chart, the text is not shown again.
    assert "select: plans.txt" not in text


def test_what_is_trained_is_marked_in_the_sample(page: Page) -> None:
    html = page()
    assert "<mark>known history missing together &lt;call&gt; co_interactions</mark> B 9 8<br>" in html
    assert "<mark>&lt;rank&gt; B</mark>" in html
    assert "[[" not in html
    # The sample with marks comes first, and is the one that stands open.
    assert re.findall(r'<details class="sample"( open)?>\n<summary>(.*)</summary>', html) == [
        (" open", "select: samples.txt"),
        ("", "base: plans.txt"),
    ]


def test_the_way_back_is_told(page: Page) -> None:
    text = text_of(page(plan=world.plan(rl={"steps": 30})))
    assert f"recthinker retrain --ds {world.DS} --like {world.PARENT}" in text
    assert f"rl.steps 30 {load_settings('base', environ={}).rl.steps}" in text
    assert "base holdout_ last_ 11 rollouts@2, user_ history@7" in text
    assert "Training cut holdout_last_11" in text


def test_default_settings_are_not_listed(page: Page) -> None:
    assert "None: all are those of conf/base.yaml." in text_of(page())


def test_text_from_outside_stays_text(page: Page) -> None:
    results = world.results()
    hostile = f"{world.ATTACK} \u202eevil"
    results["sft"] = replace(results["sft"], summary=hostile, figures={hostile: 1.0}, curves={hostile: [(1, 2.0)]})
    results["select"] = replace(results["select"], texts={hostile: hostile, "plans.txt": f"1.00% 2.00% {hostile}"})
    results["rl"] = replace(results["rl"], tables={hostile: 1}, cut=hostile, params={"drawn_by": hostile})
    html = page(plan=replace(world.plan(), mlflow_run=hostile), results=results)
    assert "<script" not in html
    assert "\u202e" not in html
    assert html.count("&lt;script&gt;") > 10


def test_page_needs_no_network_and_runs_no_script(page: Page) -> None:
    html = page(decision=world.decision())
    parsed = Parsed(html)
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(tag for tag, _ in parsed.tags)
    assert not [attrs for _, attrs in parsed.tags if {"src", "href", "srcset"} & attrs.keys()]
    assert not re.search(r"url\(|@import|https?:", html)
    assert "nan" not in parsed.text.lower().split()


def test_pages_are_made_without_torch() -> None:
    code = "import sys, recthinker.report, jobs.write_retrain_report; print('torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"
