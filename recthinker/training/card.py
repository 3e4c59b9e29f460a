"""The model card: what a version was trained on, what it does, what it cannot, how to make it again. Plain text that
travels beside the weights.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.stage import StageResult

AUTHORS = {"planner": "the scripted planner", "base": "the base model"}
"""Who draws rollouts where it is no version, by `drawn_by` of the collection."""
LIMITS = (
    "It ranks candidates that it is given, by labels, as the agent of RecThinker (arXiv 2603.09843); it recommends "
    "nothing by itself and is no chat model.",
    "It knows this catalogue, these tools and this prompt: other data needs another training.",
    "Sampled candidates make every figure higher than a ranking of the whole catalogue would (Krichene & Rendle, KDD "
    "2020); they compare systems on these lists alone.",
    "Intervals are over users; what another seed of training would give is not in them.",
    "Whether people like the lists, and how groups of users that nobody named are served, was not measured.",
)


def model_card(
    name: str,
    plan: RetrainPlan,
    results: Sequence[StageResult],
    *,
    evaluation: Mapping[str, Any] | None = None,
    decision: Mapping[str, Any] | None = None,
) -> str:
    """The card of a retraining's model, as Markdown.

    Args:
        name: registered model.
        results: of the stages that are done, in order.
        evaluation: evaluation.json; None: it was not measured yet.
        decision: gate.json; None: the gate has not decided.
    """
    parts = [
        f"# {name}: retraining of {plan.ds}, run {plan.run_id}",
        "A causal language model that looks up what it needs to know of a user and ranks candidate items.",
        "## What it was trained on",
        *_training(plan, results),
        "## What it does",
        *(_figures(evaluation) if evaluation else ["Not measured yet: run `python -m jobs.evaluate_model`."]),
        *([f"The gate, against {decision['champion']}: {decision['headline']}."] if decision else []),
        "## What it cannot, and what is not known",
        "\n".join(f"- {limit}" for limit in LIMITS),
        "## How to make it again",
        _again(plan),
    ]
    return "\n\n".join(parts) + "\n"


def _training(plan: RetrainPlan, results: Sequence[StageResult]) -> list[str]:
    authors = [str(result.params["drawn_by"]) for result in results if "drawn_by" in result.params]
    drawn = "".join(f" Rollouts were drawn by {AUTHORS.get(author, author)}." for author in authors)
    held_out, seed = (plan.settings["training"][name] for name in ("holdout_last", "seed"))
    stages = [(result.stage, result.summary.replace("|", "/")) for result in results]
    tables = [(table, str(version)) for table, version in sorted(plan.tables.items())]
    return [
        f"The training cut `{plan.cut}` of {plan.ds}: statistics without the newest {held_out} events of each user, "
        f"some of which are the targets. Seed {seed}.{drawn}",
        _table(("stage", "what it did"), stages),
        _table(("table", "Delta version"), tables),
    ]


def _figures(evaluation: Mapping[str, Any]) -> list[str]:
    k = evaluation["k"]
    rows = [
        (system["name"], *(_interval(system, metric) for metric in ("ndcg", "hr", "mrr")))
        for system in evaluation["systems"]
    ]
    leads = [
        (pair["against"], f"{pair['difference']:+.4f} [{pair['low']:+.4f}, {pair['high']:+.4f}]")
        for pair in evaluation["paired"]
    ]
    return [
        f"{evaluation['users']} users; {evaluation['protocol']} 95 % intervals, bootstrap over users.",
        _table(("system", f"NDCG@{k}", f"HR@{k}", "MRR"), rows),
        f"The agent's NDCG@{k} less that of each baseline, paired by user:",
        _table(("baseline", "difference"), leads),
    ]


def _interval(system: Mapping[str, Any], metric: str) -> str:
    return f"{system[metric]:.4f} [{system[f'{metric}_low']:.4f}, {system[f'{metric}_high']:.4f}]"


def _again(plan: RetrainPlan) -> str:
    return (
        f"Code version, packages, settings and table versions are those of MLflow run `{plan.mlflow_run}` (tags, "
        "`environment.txt`, `retrain_plan.json`). With that code checked out:\n\n"
        f"```\nrecthinker retrain --ds {plan.ds} --like {plan.mlflow_run}\n```\n\n"
        "Figures are the same on the same machine where its kernels are deterministic; on another they may differ by "
        "rounding."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
