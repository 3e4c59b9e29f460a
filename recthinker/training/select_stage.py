"""The stage `select`: the run's rollouts from their table, filtered, as what SFT is taught with."""

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from recthinker.agent import Agent, ChatFormat
from recthinker.errors import ConfigError, TrainingError
from recthinker.evaluation import target_hashes, write_targets
from recthinker.lookup import Snapshot
from recthinker.settings import RankingName, Settings
from recthinker.tables.arrow import read_arrow, table_version
from recthinker.tables.schemas import ROLLOUTS
from recthinker.training.collect import SNAPSHOT, warm
from recthinker.training.collect import STAGE as COLLECT
from recthinker.training.examples import Example, marked
from recthinker.training.leaks import LeakCheck, require_cut
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.rollout import Rollout
from recthinker.training.rollout_examples import answer_alone, rollout_example, turns_alone, write_examples
from recthinker.training.rollout_rows import read_rollouts
from recthinker.training.selection import Selected, first_answers, plan_counts, select
from recthinker.training.stage import StageResult, require_model_of, require_result, stage_folder
from recthinker.training.tidy_turns import is_tidy

STAGE = "select"
EXAMPLES = "examples.parquet"
"""What SFT is taught with, beside the result; columns of `rollout_examples.SCHEMA`."""
SHOWN_PLANS = 5
"""Most frequent plans of which an episode is shown."""


def select_episodes(plan: RetrainPlan, settings: Settings, run_dir: Path) -> StageResult:
    """Choose from the rollouts of a run, and write examples, the hashes of their targets, and the result.

    Args:
        settings: those of the plan (`RetrainPlan.apply`).

    Raises:
        ConfigError: the rollouts are not collected yet, or code and settings make other prompts than theirs.
        TrainingError: none is good enough.
    """
    collected = require_result(run_dir, COLLECT)
    base = require_model_of(run_dir, "base")
    agent = Agent.load(base, warm(settings).agent, settings.tools)
    snapshot = Snapshot(stage_folder(run_dir, COLLECT) / SNAPSHOT)
    require_cut(plan, collected, snapshot)
    groups, version = _read(plan, settings, agent)
    leak = LeakCheck(agent, snapshot)
    chosen = select(
        groups,
        settings.selection,
        call_price=settings.training.call_price,
        is_tidy=lambda rollout: is_tidy(rollout, agent.chat),
        has_leak=leak.has_leak,
        seed=settings.training.seed,
    )
    drawn = list(chain.from_iterable(groups))
    if not chosen.kept:
        raise TrainingError(
            f"none of {len(drawn)} rollouts is good enough for SFT; dropped: {dict(chosen.dropped)}. Raise "
            "selection.hard_rank or collect.requests, or look at the rollouts"
        )
    answered = first_answers(groups, leak.has_leak) if settings.agent.ranking == "labels" else []
    examples = taught_by(chosen.kept, answered, agent.chat, settings.agent.ranking)
    folder = stage_folder(run_dir, STAGE)
    learned_from = [*chosen.kept, *answered]
    write_examples(folder / EXAMPLES, learned_from, examples)
    targets = [rollout.labels[rollout.target] for rollout in learned_from]
    write_targets(folder, target_hashes([rollout.user_id for rollout in learned_from], targets))
    result = StageResult(
        stage=STAGE,
        summary=f"{len(chosen.kept)} of {len(drawn)} rollouts are learned from, and {len(answered)} answers",
        figures={**figures(drawn, chosen), "answers": float(len(answered))},
        params={**settings.selection.model_dump(mode="json"), "call_price": settings.training.call_price},
        texts=_texts(drawn, chosen, examples[: len(chosen.kept)], agent),
        tables={ROLLOUTS.name: version},
    )
    result.write(folder)
    return result


def taught_by(
    kept: Sequence[Rollout], answered: Sequence[Rollout], chat: ChatFormat, ranking: RankingName
) -> list[Example]:
    """What is learned from each, `kept` first: of a rollout that was selected its turns, and its answer where that is a
    list; of an answered one the item really chosen.
    """
    whole = [rollout_example(one, chat, ranking) for one in kept]
    if ranking == "labels":
        whole = [turns_alone(example, one.answer_at) for example, one in zip(whole, kept, strict=True)]
    return [*whole, *(answer_alone(rollout_example(one, chat, ranking), one.answer_at) for one in answered)]


def _read(plan: RetrainPlan, settings: Settings, agent: Agent) -> tuple[list[list[Rollout]], int]:
    """The run's rollouts by request, and the version of their table."""
    version = table_version(settings.paths.warehouse, ROLLOUTS)
    rows = read_arrow(settings.paths.warehouse, ROLLOUTS, ds=plan.ds, version=version)
    rows = rows.filter(pc.equal(rows["run_id"], plan.run_id))
    prompts = rows["prompt_version"].unique().to_pylist()
    if prompts != [agent.prompt_version]:
        raise ConfigError(
            f"the rollouts of {plan.ds}, run {plan.run_id}, should be of prompt version {agent.prompt_version}, found "
            f"{', '.join(prompts) or 'none'}; collect again"
        )
    return read_rollouts(rows), version


def _texts(drawn: Sequence[Rollout], chosen: Selected, examples: Sequence[Example], agent: Agent) -> dict[str, str]:
    """What the result shows, by name; `examples` are those of the rollouts that were kept."""
    return {
        "plans.txt": plans_text(drawn, chosen.kept),
        "leads.txt": leads_text(chosen.enough),
        "samples.txt": samples_text(chosen.kept, examples, agent),
    }


def figures(drawn: Sequence[Rollout], chosen: Selected) -> dict[str, float]:
    """Counts and means before and after, and what each filter dropped."""
    kept, plans = chosen.kept, plan_counts(chosen.kept)
    return {
        "rollouts": float(len(drawn)),
        "kept": float(len(kept)),
        **{f"dropped_{name}": float(count) for name, count in chosen.dropped.items()},
        "requests": float(len({rollout.key for rollout in kept})),
        "users": float(len({rollout.user_id for rollout in kept})),
        "plans": float(len(plans)),
        "largest_plan_share": max(plans.values()) / len(kept),
        "calls_drawn": float(np.mean([rollout.calls for rollout in drawn])),
        "calls_kept": float(np.mean([rollout.calls for rollout in kept])),
        "target_first_share_drawn": float(np.mean([rollout.rank == 1 for rollout in drawn])),
        "target_first_share_kept": float(np.mean([rollout.rank == 1 for rollout in kept])),
    }


def plans_text(drawn: Sequence[Rollout], kept: Sequence[Rollout]) -> str:
    """The share of each plan before and after, a line each, most kept first."""
    before, after = plan_counts(drawn), plan_counts(kept)
    ordered = sorted(before, key=lambda plan: (-after[plan], -before[plan], plan))
    lines = [f"{before[p] / len(drawn):7.2%}  {after[p] / len(kept):7.2%}  {_plan_name(p)}" for p in ordered]
    return "\n".join(["  drawn     kept  plan", *lines])


def leads_text(enough: Mapping[int, float]) -> str:
    """From which lead on a further call did not pay, by the number of calls before, nats."""
    lines = [f"{calls:5}  {'none' if math.isinf(lead) else f'{lead:.2f}':>6}" for calls, lead in enough.items()]
    return "\n".join(["calls  enough", *lines])


def samples_text(kept: Sequence[Rollout], examples: Sequence[Example], agent: Agent) -> str:
    """An episode of each of the most frequent plans, what is learned in [[ ]]."""
    shown = []
    for plan, count in plan_counts(kept).most_common(SHOWN_PLANS):
        rollout, example = next(pair for pair in zip(kept, examples, strict=True) if pair[0].plan == plan)
        head = f"{_plan_name(plan)} ({count} kept): {rollout.key}, sample {rollout.sample}, rank {rollout.rank:.0f}"
        shown.append(f"{head}\n{marked(example, agent.chat)}")
    return "\n\n".join(shown)


def _plan_name(plan: Sequence[str]) -> str:
    return " > ".join(plan) or "no call"
