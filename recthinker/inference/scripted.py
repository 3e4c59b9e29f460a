"""An engine without a model: a planner that reads the episode's tokens and writes well-formed turns.

It serves the tests, and it draws the demonstrations that the tiny model first learns from. Its plan: look at
co-interactions; if they say nothing, what all candidates share with the history; if the best candidates are close, ask
similar users, then tools that are not built in; if they are still close, what the closest share with the history. A
share of episodes follows a random plan instead (`recthinker.inference.random_plans`), so that every tool's results are
seen.
"""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from recthinker.agent import ChatFormat, CompactFormat, Generate, Generated
from recthinker.errors import ConfigError
from recthinker.inference.random_plans import DrawPlan, some_tools
from recthinker.tools import Tool, ToolCall

WEIGHTS: dict[str, tuple[float, ...]] = {
    "co_interactions": (1.0, 0.0),
    "similar_users": (0.15,),
    "item_info": (0.1, 0.05),
    "item_relations": (0.05,),
}
"""What a level of each evidence adds to a candidate's score.

The first two near a conditional logit fitted on a training cut of MovieLens-100K, its negative weight on the second
level of co_interactions taken as 0; the others are small, so that an episode which read nothing else still ranks by
something.
"""
OTHER_WEIGHT = 0.05
"""What a level of any other tool adds."""
CLEAR_MARGIN = 2.5
"""Score by which the best candidate must lead for the planner to call what it knows sufficient."""
CONTENDERS = 4
"""Candidates that a closer look is taken at."""
TEMPERATURE = 2.0
"""Of the planner's scores, as logits."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an episode's tokens say so far."""

    known: tuple[str, ...]
    """Tools called, in order."""
    scores: tuple[float, ...]
    """By label."""

    def contenders(self) -> tuple[int, ...]:
        """The best labels, in label order."""
        best = sorted(range(len(self.scores)), key=lambda label: -self.scores[label])[:CONTENDERS]
        return tuple(sorted(best))

    @property
    def margin(self) -> float:
        """Lead of the best label over the second."""
        best = sorted(self.scores, reverse=True)
        return best[0] - best[1] if len(best) > 1 else math.inf


class Planner:
    """Decides turns from tokens alone, as a model does.

    Args:
        random_share: share of episodes that follow a random plan.
        draw_plan: draws it.

    Raises:
        ConfigError: the chat format is another than compact.
    """

    def __init__(
        self,
        chat: ChatFormat,
        tools: Mapping[str, Tool],
        *,
        random_share: float = 0.0,
        draw_plan: DrawPlan = some_tools,
    ) -> None:
        if not isinstance(chat, CompactFormat):
            raise ConfigError(
                f"the scripted planner reads the compact format only, found {chat.name}; set agent.chat_format: "
                "compact, or inference.engine: vllm"
            )
        self.chat = chat
        self.tools = tools
        self.random_share = random_share
        self._draw_plan = draw_plan
        self._weights = {name: WEIGHTS.get(name, (OTHER_WEIGHT,) * len(tool.evidence)) for name, tool in tools.items()}
        self._others = [name for name, tool in tools.items() if name not in WEIGHTS and tool.evidence]
        self._tool_of = {id_: name for name, id_ in chat.tool_ids.items()}
        self._label_of = {id_: label for label, id_ in enumerate(chat.label_ids)}
        self._level_of = {id_: level for level, id_ in enumerate(chat.level_ids)}

    def read(self, ids: Sequence[int]) -> Reading:
        """The tools called so far, and each label's score from the levels they gave."""
        ids = list(ids)
        control = self.chat.ids
        start = ids.index(control["<cand>"])
        count = sum(id_ in self._label_of for id_ in ids[start : ids.index(self.chat.end_id, start)])
        scores = [0.0] * count
        known: list[str] = []
        label, place = -1, 0
        for position in range(ids.index(self.chat.end_id, start), len(ids)):
            id_ = ids[position]
            if id_ == control["<call>"]:
                known.append(self._tool_of.get(ids[position + 1], ""))
                label = -1
            elif id_ == control["<result>"] or id_ == control["<think>"]:
                label = -1
            elif id_ in self._label_of:
                label, place = self._label_of[id_], 0
            elif id_ in self._level_of and label >= 0 and known:
                weights = self._weights.get(known[-1], ())
                scores[label] += weights[place] * self._level_of[id_] if place < len(weights) else 0.0
                place += 1
        return Reading(tuple(known), tuple(scores))

    def decide(self, reading: Reading, rng: random.Random) -> ToolCall | None:
        """The next call, or None to answer."""
        if rng.random() < self.random_share:
            return self._random_plan(reading, rng)
        known = reading.known
        if "co_interactions" in self.tools and "co_interactions" not in known:
            return ToolCall("co_interactions")
        if not any(reading.scores) and "item_relations" in self.tools and "item_relations" not in known:
            return ToolCall("item_relations")
        if reading.margin >= CLEAR_MARGIN:
            return None
        if "similar_users" in self.tools and "similar_users" not in known:
            return ToolCall("similar_users")
        if other := next((name for name in self._others if name not in known), None):
            return ToolCall(other)
        if not any(reading.scores) and "item_info" in self.tools and "item_info" not in known:
            return ToolCall("item_info")
        if reading.margin < CLEAR_MARGIN / 6 and "item_relations" in self.tools and "item_relations" not in known:
            return ToolCall("item_relations", labels=reading.contenders())
        return None

    def _random_plan(self, reading: Reading, rng: random.Random) -> ToolCall | None:
        """The next call of a random plan; the same seed continues the same plan."""
        plan = self._draw_plan(list(self.tools), rng)
        if len(reading.known) >= len(plan):
            return None
        name = plan[len(reading.known)]
        labels = reading.contenders() if self.tools[name].takes == "labels" and rng.random() < 0.3 else ()
        limit = rng.randint(3, 9) if self.tools[name].takes == "limit" and rng.random() < 0.5 else None
        return ToolCall(name, labels, limit)

    def label_logprobs(self, reading: Reading) -> list[float]:
        """Scores as logprobs over the labels."""
        logits = [score / TEMPERATURE for score in reading.scores]
        top = max(logits)
        total = top + math.log(sum(math.exp(logit - top) for logit in logits))
        return [logit - total for logit in logits]

    def ranking(self, reading: Reading) -> list[int]:
        """All label tokens, best first."""
        best = sorted(range(len(reading.scores)), key=lambda label: -reading.scores[label])
        return [self.chat.label_ids[label] for label in best]


class ScriptedEngine:
    """The planner behind the engine's protocol; each `step()` finishes all requests."""

    kv_cache = None

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._requests: dict[str, Generate] = {}

    def prime(self, token_ids: Sequence[int]) -> None:
        """Nothing is computed ahead."""

    def add(self, request_id: str, request: Generate, *, seed: int, priority: int = 0) -> None:
        """Take a request; the plan's seed is the episode's key, so that its turns follow one plan."""
        self._requests[request_id] = request

    def step(self) -> list[tuple[str, Generated]]:
        """Answer every request."""
        done = [(request_id, self._write(request_id, request)) for request_id, request in self._requests.items()]
        self._requests.clear()
        return done

    def abort(self, request_ids: Iterable[str]) -> None:
        """Forget these requests."""
        for request_id in request_ids:
            self._requests.pop(request_id, None)

    def _write(self, request_id: str, request: Generate) -> Generated:
        chat, reading = self._planner.chat, self._planner.read(request.token_ids)
        if request.score_ids:
            scores = tuple(self._planner.label_logprobs(reading))
            best = request.score_ids[scores.index(max(scores))]
            return Generated([best], [max(scores)], scores=scores)
        if request.token_ids[-1] == chat.rank_id:
            ids = [*self._planner.ranking(reading), chat.end_id]
            return Generated(ids, [0.0] * len(ids))
        key = request_id.rpartition(":")[0]
        call = self._planner.decide(reading, random.Random(key))
        ids = chat.turn(reading.known, call)
        return Generated(ids, [0.0] * len(ids))
