"""The planner's reading, fitted: a conditional logit of the item really chosen on the levels that the tools tell.

One fit for each set of tools that may have told something. Few numbers are learned from thousands of choices, so that
they are sure where a model's answer, learned from the same choices, is not.
Source: McFadden, "Conditional logit analysis of qualitative choice behavior" (1974).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from recthinker.inference.evidence_weights import Curve, EvidenceWeights, Fit, Weights, prior
from recthinker.lookup import RequestRow
from recthinker.tools import MAX_LEVEL, Scene, Tool, Toolbox, ToolCall
from recthinker.training.enough_leads import DIGITS, enough_leads
from recthinker.training.training_requests import TrainingRequests

MOST_TOGETHER = 4
"""Tools of a set that is fitted, besides that of all."""
PRIOR_WEIGHT = 10.0
"""How many choices the prior counts as, roughly: what few of them say is not believed."""
MOST_REQUESTS = 4000
MOST_STEPS = 100
"""Of a fit."""
LEVELS = np.arange(MAX_LEVEL + 1)
SHAPES = np.stack([LEVELS, LEVELS > 0, LEVELS**2 / MAX_LEVEL], axis=1).astype(np.float64)
"""What a curve is a sum of, (levels, 3): so much a level, something for being told at all, and more or less at high
levels."""


def fit_weights(toolbox: Toolbox, asked: TrainingRequests, call_price: float) -> EvidenceWeights:
    """For each set of up to `MOST_TOGETHER` tools, and for all; fitted on the first `MOST_REQUESTS`.

    Args:
        call_price: NDCG that a further call of the planner has to bring on average.
    """
    rows = asked.rows[:MOST_REQUESTS]
    tools = {name: tool for name, tool in toolbox.tools.items() if tool.evidence}
    levels = {name: _levels(toolbox, tool, rows, asked) for name, tool in tools.items()}
    chosen = np.array([int(np.flatnonzero(row.candidates == asked.targets[row.key])[0]) for row in rows])
    shown = np.array([len(row.candidates) for row in rows])
    sets = [told for size in range(1, MOST_TOGETHER + 1) for told in combinations(tools, size)]
    if len(tools) > MOST_TOGETHER:
        sets.append(tuple(tools))
    # The same choice can be asked again, among other items.
    choices = len({(row.user_id, asked.targets[row.key]) for row in rows})
    fits: dict[frozenset[str], Fit] = {frozenset(): Fit(nats=-float(np.log(shown).mean()))}
    for told in sets:
        weights, nats = _fit({name: tools[name] for name in told}, levels, chosen, shown)
        # What so many numbers reach by chance, a nat each over all choices (Akaike 1974).
        by_chance = sum(len(curves) for curves in weights.values()) * SHAPES.shape[1] / choices
        fits[frozenset(told)] = Fit(weights, nats - by_chance)
    plan = EvidenceWeights(fits).plan(tools)
    planned = [frozenset(plan[: place + 1]) for place in range(len(plan))]
    scores = [_scores(fits[known].weights, levels, shown) for known in planned]
    for known, enough in zip(planned, enough_leads(scores, chosen, call_price), strict=False):
        fits[known] = replace(fits[known], enough=enough)
    return EvidenceWeights(fits)


def _levels(toolbox: Toolbox, tool: Tool, rows: Sequence[RequestRow], asked: TrainingRequests) -> np.ndarray:
    """What a tool tells of the candidates of each request, (R, N, E); 0 where it tells nothing."""
    most = max(len(row.candidates) for row in rows)
    levels = np.zeros((len(rows), most, len(tool.evidence)), np.int64)
    for place, row in enumerate(rows):
        scene = Scene(asked.snapshot.items, row, np.arange(len(row.candidates)))
        for label, told in toolbox.call(scene, ToolCall(tool.name)).evidence.items():
            levels[place, label, : len(told)] = told
    return levels


def _scores(weights: Weights, levels: Mapping[str, np.ndarray], shown: np.ndarray) -> np.ndarray:
    """Of each candidate, in logits, (R, N); -inf where none is shown."""
    scores = sum(
        np.array(curve)[levels[name][:, :, place]]
        for name, curves in weights.items()
        for place, curve in enumerate(curves)
    )
    return np.where(np.arange(np.shape(scores)[1]) < shown[:, None], scores, -np.inf)


def _fit(
    tools: Mapping[str, Tool], levels: Mapping[str, np.ndarray], chosen: np.ndarray, shown: np.ndarray
) -> tuple[dict[str, tuple[Curve, ...]], float]:
    """Weights by tool, most likely given the choices and a normal prior around lines of `PRIOR`; and the mean
    log-likelihood of the choices, nats.
    """
    shaped = SHAPES[np.concatenate([levels[name] for name in tools], axis=2)]
    told = torch.from_numpy(shaped.reshape(*shaped.shape[:2], -1))
    is_shown = torch.from_numpy(np.arange(told.shape[1]) < shown[:, None])
    targets = torch.from_numpy(chosen)
    lines = [curve for curves in prior(tools).values() for curve in curves]
    start = torch.zeros(len(lines), SHAPES.shape[1], dtype=torch.float64)
    start[:, 0] = torch.tensor([curve[1] for curve in lines])
    found = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [found], max_iter=MOST_STEPS, tolerance_grad=1e-3, tolerance_change=1e-6, line_search_fn="strong_wolfe"
    )

    def surprise() -> torch.Tensor:
        logits = (told @ found.flatten()).masked_fill(~is_shown, -torch.inf)
        return cross_entropy(logits, targets, reduction="sum")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = surprise() + PRIOR_WEIGHT / 2 * ((found - start) ** 2).sum()
        value.backward()
        return value

    optimizer.step(loss)
    curves = iter((found.detach().numpy() @ SHAPES.T).round(DIGITS).tolist())
    weights = {name: tuple(tuple(next(curves)) for _ in tool.evidence) for name, tool in tools.items()}
    return weights, -float(surprise().detach()) / len(chosen)
