"""The planner's reading, fitted: a conditional logit of the item really chosen on the levels that the tools tell.

One fit for each set of tools that may have told something. Few numbers are learned from thousands of choices, so that
they are sure where a model's answer, learned from the same choices, is not.
Source: McFadden, "Conditional logit analysis of qualitative choice behavior" (1974).
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from recthinker.inference.evidence_weights import EvidenceWeights, prior
from recthinker.lookup import RequestRow
from recthinker.tools import Scene, Tool, Toolbox, ToolCall
from recthinker.training.training_requests import TrainingRequests

MOST_TOGETHER = 4
"""Tools of a set that is fitted, besides that of all."""
PRIOR_WEIGHT = 10.0
"""How many choices the prior counts as, roughly: what few of them say is not believed."""
MOST_REQUESTS = 4000


def fit_weights(toolbox: Toolbox, asked: TrainingRequests) -> EvidenceWeights:
    """Weights for each set of up to `MOST_TOGETHER` tools, and for all; fitted on the first `MOST_REQUESTS`.

    How likely the choices are is told less what so many weights reach by chance, a nat each over all choices (Akaike
    1974).
    """
    rows = asked.rows[:MOST_REQUESTS]
    tools = {name: tool for name, tool in toolbox.tools.items() if tool.evidence}
    levels = {name: _levels(toolbox, tool, rows, asked) for name, tool in tools.items()}
    chosen = np.array([int(np.flatnonzero(row.candidates == asked.targets[row.key])[0]) for row in rows])
    shown = np.array([len(row.candidates) for row in rows])
    sets = [told for size in range(1, MOST_TOGETHER + 1) for told in combinations(tools, size)]
    if len(tools) > MOST_TOGETHER:
        sets.append(tuple(tools))
    fits = {frozenset(told): _fit({name: tools[name] for name in told}, levels, chosen, shown) for told in sets}
    # The same choice can be asked again, among other items.
    choices = len({(row.user_id, asked.targets[row.key]) for row in rows})
    numbers = {told: sum(map(len, weights.values())) for told, (weights, _) in fits.items()}
    return EvidenceWeights(
        {frozenset(): {}, **{told: weights for told, (weights, _) in fits.items()}},
        {
            frozenset(): -float(np.log(shown).mean()),
            **{told: nats - numbers[told] / choices for told, (_, nats) in fits.items()},
        },
    )


def _levels(toolbox: Toolbox, tool: Tool, rows: Sequence[RequestRow], asked: TrainingRequests) -> np.ndarray:
    """What a tool tells of the candidates of each request, (R, N, E); 0 where it tells nothing."""
    most = max(len(row.candidates) for row in rows)
    levels = np.zeros((len(rows), most, len(tool.evidence)))
    for place, row in enumerate(rows):
        scene = Scene(asked.snapshot.items, row, np.arange(len(row.candidates)))
        for label, told in toolbox.call(scene, ToolCall(tool.name)).evidence.items():
            levels[place, label, : len(told)] = told
    return levels


def _fit(
    tools: Mapping[str, Tool], levels: Mapping[str, np.ndarray], chosen: np.ndarray, shown: np.ndarray
) -> tuple[dict[str, tuple[float, ...]], float]:
    """Weights by tool, most likely given the choices and a normal prior around `prior`; and the mean log-likelihood of
    the choices, nats.
    """
    before = prior(tools)
    told = torch.from_numpy(np.concatenate([levels[name] for name in tools], axis=2))
    is_shown = torch.from_numpy(np.arange(told.shape[1]) < shown[:, None])
    targets = torch.from_numpy(chosen)
    start = torch.tensor([weight for name in tools for weight in before[name]], dtype=torch.float64)
    weights = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([weights], line_search_fn="strong_wolfe")

    def surprise() -> torch.Tensor:
        logits = (told @ weights).masked_fill(~is_shown, -torch.inf)
        return cross_entropy(logits, targets, reduction="sum")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = surprise() + PRIOR_WEIGHT / 2 * ((weights - start) ** 2).sum()
        value.backward()
        return value

    optimizer.step(loss)
    ends = np.cumsum([len(before[name]) for name in tools])
    values = [[round(float(one), 4) for one in part] for part in np.split(weights.detach().numpy(), ends[:-1])]
    nats = -float(surprise().detach()) / len(chosen)
    return {name: tuple(part) for name, part in zip(tools, values, strict=True)}, nats
