"""Collecting: several rollouts of each request of the training cut, kept whether they end well or not.

The champion draws them, at a temperature at which they differ. Where there is none, or where its tokens are not those
of the base model, which is what learns from them, the scripted planner does, and some of its plans look up too much or
too little on purpose. A pretrained base model, whose format the planner does not write, draws them itself.
"""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from recthinker.agent import Agent, CompactFormat, Episode, Outcome
from recthinker.agent.formats import TOKENIZER_FILE
from recthinker.agent.record import trajectory_row
from recthinker.evaluation import CutRows
from recthinker.inference import BatchProgress, Engine, ScriptedEngine
from recthinker.inference.engines import open_engine
from recthinker.inference.evidence_weights import EvidenceWeights
from recthinker.inference.random_plans import any_plan
from recthinker.inference.scripted import Planner
from recthinker.lookup import FeatureRows
from recthinker.settings import Settings
from recthinker.training.base_model import WEIGHTS
from recthinker.training.planned_cut import read_planned_cut
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.rewards import Advantages, group_advantages
from recthinker.training.rollout import Rollout, roll_out
from recthinker.training.rollout_rows import DrawnBy, write_rollouts
from recthinker.training.stage import StageResult, require_model_of, stage_folder
from recthinker.training.training_requests import TrainingRequests, stage_seed, training_requests

logger = logging.getLogger(__name__)

STAGE = "collect"
ROLLOUTS_FILE = "rollouts.parquet"
"""Rows of the table `rollouts`, in the stage's folder."""
EPISODES_FILE = "episodes.json"
"""Beside them: the first few episodes as rows of `trajectories`, to be looked at."""
SNAPSHOT = "snapshot"
"""Folder beside them: what the tools looked up."""
PLANNER, BASE = "planner", "base"
"""Model versions of rollouts that the scripted planner drew, or the base model."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes the turns."""

    agent: Agent
    engine: Engine
    version: str
    """`name/version`, `planner` or `base`."""


def collect(
    plan: RetrainPlan,
    settings: Settings,
    *,
    run_dir: Path,
    on_progress: Callable[[BatchProgress], None] = lambda progress: None,
) -> StageResult:
    """Draw the rollouts of a run and write them to `ROLLOUTS_FILE` of the stage's folder; the result is not written.

    Args:
        settings: those of the plan (`RetrainPlan.apply`).

    Raises:
        ConfigError: the base model is not there yet, or a tokenizer does not fit the chat format.
        TableContractError: the training cut was not built for the plan's date.
        EngineError: the engine cannot start, or died.
    """
    cut, features, versions = read_planned_cut(plan, settings)
    author = open_author(plan, settings, require_model_of(run_dir, "base"))
    folder = stage_folder(run_dir, STAGE)
    figures = draw(author, cut, features, plan, settings, folder=folder, on_progress=on_progress)
    summary = f"{figures['rollouts']:.0f} rollouts of {figures['requests']:.0f} requests by {author.version}"
    params = {"drawn_by": author.version, "champion": plan.champion, **settings.collect.model_dump(mode="json")}
    return StageResult(STAGE, summary, figures, params, tables=versions, cut=plan.cut)


def open_author(plan: RetrainPlan, settings: Settings, base: Path) -> Author:
    """The champion, or the planner in the base model's words, or the base model.

    Args:
        base: folder of the base model.
    """
    asked = warm(settings)
    agent = Agent.load(base, asked.agent, settings.tools)
    if plan.champion and plan.champion_path:
        folder = Path(plan.champion_path)
        its = Agent.load(folder, asked.agent, settings.tools)
        if has_same_tokens(folder, base):
            return Author(its, open_engine(folder, its, asked), plan.champion)
        logger.warning("champion=%s has other tokens than the base model, it draws no rollouts", plan.champion)
    if not isinstance(agent.chat, CompactFormat):
        return Author(agent, open_engine(base, agent, asked), BASE)
    share = settings.collect.random_share
    weights = EvidenceWeights.read(base / WEIGHTS)
    planner = Planner(agent.chat, agent.toolbox.tools, weights=weights, random_share=share, draw_plan=any_plan)
    return Author(agent, ScriptedEngine(planner), PLANNER)


def warm(settings: Settings) -> Settings:
    """The settings at the temperature of collecting."""
    agent = settings.agent.model_copy(update={"temperature": settings.collect.temperature})
    return settings.model_copy(update={"agent": agent})


def has_same_tokens(one: Path, other: Path) -> bool:
    """Whether the tokenizers of two model folders make the same tokens of a text."""
    return _tokenizer(one) == _tokenizer(other)


def _tokenizer(folder: Path) -> dict[str, Any]:
    """What decides about tokens; how a batch would be padded or cut is left out."""
    told = json.loads(Tokenizer.from_file(str(folder / TOKENIZER_FILE)).to_str())
    return {name: part for name, part in told.items() if name not in ("padding", "truncation")}


def draw(
    author: Author,
    cut: CutRows,
    features: FeatureRows,
    plan: RetrainPlan,
    settings: Settings,
    *,
    folder: Path,
    on_progress: Callable[[BatchProgress], None] = lambda progress: None,
) -> dict[str, float]:
    """Draw rollouts over the rows of a cut and its feature tables, and write them; their figures.

    Args:
        folder: where rollouts and snapshot are written.
    """
    collecting, seed = settings.collect, stage_seed(settings.training.seed, STAGE)
    asked = training_requests(
        cut, features, settings, ds=plan.ds, folder=folder / SNAPSHOT, count=collecting.requests, seed=seed
    )
    groups, episodes = _roll_out(author, asked, settings, plan, on_progress)
    k = settings.evaluation.k
    advantages = [group_advantages(group, settings.rl, k) for group in groups]
    drawn_by = DrawnBy(plan.ds, plan.run_id, author.version, author.agent.prompt_version)
    write_rollouts(folder / ROLLOUTS_FILE, groups, advantages, drawn_by)
    (folder / EPISODES_FILE).write_text(json.dumps(episodes), encoding="utf-8")
    return _figures(groups, advantages, k)


def _roll_out(
    author: Author,
    asked: TrainingRequests,
    settings: Settings,
    plan: RetrainPlan,
    on_progress: Callable[[BatchProgress], None],
) -> tuple[list[list[Rollout]], list[dict[str, Any]]]:
    """The rollouts of each request, and the first few episodes as people read them."""
    progress = BatchProgress(total=len(asked.rows) * settings.collect.rollouts)
    shown: list[dict[str, Any]] = []

    def ended(episode: Episode) -> None:
        progress.count(episode)
        on_progress(progress)
        if len(shown) < settings.registry.traced_episodes:
            shown.append(_shown(episode, plan, author))

    groups = roll_out(
        author.engine,
        author.agent,
        asked.snapshot.items,
        asked.rows,
        asked.targets,
        rollouts=settings.collect.rollouts,
        max_in_flight=settings.inference.max_in_flight,
        on_episode=ended,
    )
    return groups, shown


def _shown(episode: Episode, plan: RetrainPlan, author: Author) -> dict[str, Any]:
    """A row of `trajectories`, its maps as dicts."""
    tables = {f"table:{name}": str(version) for name, version in plan.tables.items()}
    versions = {"model": author.version, "prompt": author.agent.prompt_version, **tables}
    row = trajectory_row(episode, ds=plan.ds, versions=versions)
    calls = [{**call, "tables": dict(call["tables"])} for call in row["tool_calls"]]
    return {**row, "versions": dict(row["versions"]), "tool_calls": calls}


def _figures(groups: Sequence[Sequence[Rollout]], advantages: Sequence[Advantages], k: int) -> dict[str, float]:
    """Means over all rollouts; a fault of ours counts as what it was."""
    drawn = [rollout for group in groups for rollout in group]
    ndcg = np.concatenate([earned.parts["ranking"] for earned in advantages])
    return {
        "requests": float(len(groups)),
        "rollouts": float(len(drawn)),
        f"ndcg_at_{k}": float(np.nanmean(ndcg)) if not np.isnan(ndcg).all() else 0.0,
        "target_first_share": _share([rollout.rank == 1 for rollout in drawn]),
        "ranked_share": _share([rollout.status == Outcome.RANKED for rollout in drawn]),
        "broken_call_share": _share([rollout.broken_calls > 0 for rollout in drawn]),
        "fault_share": _share([not rollout.is_scored for rollout in drawn]),
        "calls": float(np.mean([rollout.calls for rollout in drawn])),
        "tokens": float(np.mean([len(rollout.ids) for rollout in drawn])),
        "plans": float(len({rollout.plan for rollout in drawn})),
        "told_apart_share": _share([not earned.is_flat for earned in advantages]),
    }


def _share(is_so: Sequence[bool]) -> float:
    return float(np.mean(is_so))
