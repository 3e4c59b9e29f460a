"""The page of a retraining: does the new model serve, and why; what each stage did, and what it learned from.

Layout and words are in templates/retrain*.html; here the files of the run become what they show. A run that was
refused, left stages out or stopped on its way has a page too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recthinker.report.curves import MOST_STEPS, axis_ticks, charts, written
from recthinker.report.data import Stage, read_stages
from recthinker.report.decision import Decision, read_decision
from recthinker.report.evaluation import Evaluation
from recthinker.report.plans import PLANS_FILE, SELECT, plan_mixes
from recthinker.report.provenance import changed_settings
from recthinker.report.rendering import environment
from recthinker.report.samples import Sample, read_sample
from recthinker.training.retrain_plan import JOBS, STAGES, TRAINED, RetrainPlan
from recthinker.training.stage import StageResult, read_result

AFTER_STAGES = ("register_challenger", "evaluate_model", "promote_model")
"""Jobs that follow them, in order."""


@dataclass(frozen=True, slots=True)
class Retraining:
    """What is known of a run."""

    plan: RetrainPlan
    results: Mapping[str, StageResult]
    """By stage, of those that are done."""
    jobs: tuple[Stage, ...]
    """Those that are done, in the order in which they ended."""
    decision: Decision | None
    """None: the gate was not reached."""

    @property
    def seconds(self) -> dict[str, float]:
        """Wall seconds by job, of those that are done."""
        return {job.name: job.seconds for job in self.jobs}

    @property
    def stopped_before(self) -> str | None:
        """The job that is the first of the run not to be done; None: all are."""
        waiting = [JOBS[stage] for stage in STAGES if stage in self.plan.stages and stage not in self.results]
        if set(TRAINED) & set(self.plan.stages):
            waiting += [job for job in AFTER_STAGES if job not in self.seconds]
        return waiting[0] if waiting else None

    @property
    def is_served(self) -> bool:
        """Whether the challenger took the champion's place."""
        is_promoted = self.decision is not None and self.decision.is_promoted
        return is_promoted and self.plan.promote and AFTER_STAGES[-1] in self.seconds


@dataclass(frozen=True, slots=True)
class Systems:
    """Challenger and champion beside simple systems; each None where it was not measured."""

    challenger: Evaluation | None
    champion: Evaluation | None

    @property
    def measured(self) -> dict[str, Evaluation]:
        """Those that were, by role."""
        both = {"challenger": self.challenger, "champion": self.champion}
        return {role: evaluation for role, evaluation in both.items() if evaluation is not None}

    @property
    def ticks(self) -> list[float]:
        """Tenths that span NDCG and intervals of all."""
        return sorted({tick for one in self.measured.values() for tick in one.ticks("ndcg")})

    @property
    def is_comparable(self) -> bool:
        """Whether both were measured on the same requests, as far as they tell."""
        return len({one.requests for one in self.measured.values() if one.requests}) <= 1


def read_retraining(run_dir: Path) -> Retraining:
    """What a run has left so far.

    Raises:
        ConfigError: it has no plan.
        RegistryError: its decision cannot be read.
    """
    results = {stage: result for stage in STAGES if (result := read_result(run_dir, stage))}
    return Retraining(RetrainPlan.read(run_dir), results, read_stages(run_dir), read_decision(run_dir))


def render_retraining(retraining: Retraining, systems: Systems, defaults: Mapping[str, Any]) -> str:
    """The page as HTML.

    Args:
        retraining: what was read.
        systems: figures of challenger and champion.
        defaults: all settings where nobody changed any, as JSON.
    """
    results, decision = retraining.results, retraining.decision
    return (
        environment()
        .get_template("retrain.html")
        .render(
            run=retraining,
            plan=retraining.plan,
            decision=decision,
            axis=_gain_axis(decision) if decision else (),
            stages=STAGES,
            jobs_of=JOBS,
            curves={stage: drawn for stage, result in results.items() if (drawn := charts(stage, result.curves))},
            systems=systems,
            plans=plan_mixes(results),
            samples=_samples(results),
            changed=changed_settings(retraining.plan.settings, defaults),
        )
    )


def _samples(results: Mapping[str, StageResult]) -> list[Sample]:
    """All texts of the stages, those that mark what is trained first."""
    samples = [
        read_sample(stage, name, text)
        for stage, result in results.items()
        for name, text in result.texts.items()
        if (stage, name) != (SELECT, PLANS_FILE)
    ]
    return sorted(samples, key=lambda sample: not sample.is_marked)


def _gain_axis(decision: Decision) -> list[tuple[float, str]]:
    """Ticks, each with its label, that span the difference, 0 and the margin on both sides, with room at the ends."""
    ends = (decision.difference.low, decision.difference.high, decision.margin, -decision.margin)
    room = (max(ends) - min(ends)) / 10
    ticks = axis_ticks(min(ends) - room, max(ends) + room, MOST_STEPS)
    return [(tick, written(tick, ticks)) for tick in ticks]
