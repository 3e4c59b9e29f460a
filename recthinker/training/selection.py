"""Which rollouts SFT learns from: those that rank the chosen item high, with the calls that pay and no others.

Each filter is a function of rollouts; none changes one. What was drawn tells what is good enough: a request whose
rollouts mostly rank the target first is held to that, a hard one accepts a lower rank. Equal scores count half, as in
evaluation: who looked nothing up and holds all items for equal has not found the target, wherever it was shown.
Source: self-augmented SFT of RecThinker, arXiv 2603.09843; sampling and keeping what is right, STaR (Zelikman et al.,
2203.14465).
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from recthinker.evaluation.metrics import target_ranks
from recthinker.settings import SelectionSettings
from recthinker.training.needless_calls import enough_after, without_hasty_answers, without_needless_calls
from recthinker.training.rollout import Rollout

Filter = Callable[[Sequence[Rollout]], list[Rollout]]


@dataclass(frozen=True, slots=True)
class Selected:
    """What is learned from, and what is not."""

    kept: list[Rollout]
    """By request key and sample."""
    dropped: Mapping[str, int]
    """Rollouts by the filter that dropped them, in the order of the filters."""
    enough: Mapping[int, float]
    """`enough_after`: the lead, nats, from which stopping was worth more, by the number of calls before."""


def select(
    groups: Sequence[Sequence[Rollout]],
    settings: SelectionSettings,
    *,
    call_price: float,
    is_tidy: Callable[[Rollout], bool],
    has_leak: Callable[[Rollout], bool],
    seed: int,
) -> Selected:
    """The rollouts that SFT learns from, of groups of one request each.

    Args:
        call_price: NDCG@10 that a call has to bring on average, or it is needless.
        is_tidy: whether a rollout's turns say what is so (`recthinker.training.tidy_turns`).
        has_leak: whether a rollout may know its target (`recthinker.training.leaks`).
        seed: of whom is dropped where there are too many of a user or a plan.
    """
    bars = {group[0].key: rank_bar(group, settings) for group in groups}
    clean = [[one for one in group if not (one.ended_well and has_leak(one))] for group in groups]
    enough = enough_after(clean, call_price)
    of_group: dict[str, Filter] = {
        "ended_badly": lambda group: [rollout for rollout in group if rollout.ended_well],
        "untidy": lambda group: [rollout for rollout in group if is_tidy(rollout)],
        "needless_calls": lambda group: without_needless_calls(group, enough),
        "hasty": lambda group: without_hasty_answers(group, enough),
        "ranked_low": lambda group: [rollout for rollout in group if target_rank(rollout) <= bars[rollout.key]],
        "repeated": without_repeats,
        "beyond_per_request": lambda group: best_of_request(group, settings.per_request),
    }
    of_all: dict[str, Filter] = {
        "beyond_per_user": lambda left: spread_over_users(left, settings.per_user, seed),
        "beyond_plan_share": lambda left: spread_over_plans(left, settings.max_plan_share, seed),
    }
    left, dropped = clean, {"leaked": sum(map(len, groups)) - sum(map(len, clean))}
    for name, keep in of_group.items():
        passed = [keep(group) for group in left]
        dropped[name] = sum(map(len, left)) - sum(map(len, passed))
        left = passed
    kept = list(chain.from_iterable(left))
    for name, keep in of_all.items():
        passing = keep(kept)
        dropped[name] = len(kept) - len(passing)
        kept = passing
    return Selected(kept, dropped, enough)


def first_answers(groups: Iterable[Sequence[Rollout]], has_leak: Callable[[Rollout], bool]) -> list[Rollout]:
    """The first rollout of each request that ended well and does not know its target, however it ranked: whose answers
    are learned, easy requests and hard ones as they come.
    """
    firsts = (next((one for one in group if one.ended_well and not has_leak(one)), None) for group in groups)
    return [first for first in firsts if first]


def target_rank(rollout: Rollout) -> float:
    """The target's rank, 1 = best, the mean of its places among equal scores; infinite without an answer."""
    if not rollout.scores:
        return math.inf
    return float(target_ranks(np.array([rollout.scores]), np.array([rollout.target]))[0])


def rank_bar(group: Sequence[Rollout], settings: SelectionSettings) -> float:
    """The lowest rank of the target that is good enough: `easy_rank` where all rollouts put it first, `hard_rank` where
    none does, and in between as often as they do.
    """
    scored = [rollout for rollout in group if rollout.is_scored]
    first = sum(target_rank(rollout) == 1 for rollout in scored) / max(1, len(scored))
    return settings.hard_rank - first * (settings.hard_rank - settings.easy_rank)


def without_repeats(group: Sequence[Rollout]) -> list[Rollout]:
    """The first of those that are the same, token by token, up to the answer."""
    found: dict[tuple[int, ...], Rollout] = {}
    for rollout in group:
        found.setdefault(tuple(rollout.ids[: rollout.answer_at]), rollout)
    return list(found.values())


def best_of_request(group: Sequence[Rollout], limit: int) -> list[Rollout]:
    """At most `limit`: of each plan the one that ranks the target highest, then more of the same plans."""
    ranked = sorted(group, key=lambda rollout: (target_rank(rollout), rollout.sample))
    of_plan = {rollout.plan: rollout for rollout in reversed(ranked)}
    ordered = sorted(ranked, key=lambda rollout: of_plan[rollout.plan] is not rollout)
    return sorted(ordered[:limit], key=lambda rollout: rollout.sample)


def spread_over_users(rollouts: Sequence[Rollout], limit: int, seed: int) -> list[Rollout]:
    """At most `limit` of each user, in seeded order."""
    return _at_most(rollouts, lambda rollout: rollout.user_id, limit, seed)


def spread_over_plans(rollouts: Sequence[Rollout], share: float, seed: int) -> list[Rollout]:
    """With no plan above `share` of what is left; the surplus goes in seeded order.

    Where there are fewer plans than 1 / `share`, none is above an equal part: what there is one plan of stays whole.
    """
    return _at_most(rollouts, lambda rollout: rollout.plan, plan_limit(plan_counts(rollouts), share), seed)


def plan_limit(counts: Mapping[tuple[str, ...], int], share: float) -> int:
    """The most rollouts that each plan may keep, so that none is above `share` of all that are kept."""
    if not counts:
        return 0
    allowed = max(share, 1 / len(counts))
    limit = max(counts.values())
    # A hair's breadth for shares as 0.1, which no binary fraction is.
    while limit > allowed * sum(min(count, limit) for count in counts.values()) + 1e-9:
        limit -= 1
    return limit


def plan_counts(rollouts: Iterable[Rollout]) -> Counter[tuple[str, ...]]:
    """Rollouts by plan."""
    return Counter(rollout.plan for rollout in rollouts)


def _at_most(rollouts: Sequence[Rollout], key: Callable[[Rollout], Hashable], limit: int, seed: int) -> list[Rollout]:
    """At most `limit` of each key, drawn in seeded order; those drawn stay in theirs."""
    order = list(range(len(rollouts)))
    random.Random(seed).shuffle(order)
    taken: Counter[Hashable] = Counter()
    kept: list[int] = []
    for place in order:
        name = key(rollouts[place])
        if taken[name] < limit:
            taken[name] += 1
            kept.append(place)
    return [rollouts[place] for place in sorted(kept)]
