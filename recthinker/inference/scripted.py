"""An engine without a model: a planner that reads the episode's tokens and writes well-formed turns.

It serves the tests, and it draws the demonstrations that the tiny model first learns from. Its plan: as long as the
best candidates are close, ask the tool that adds most to what is known. What adds how much, and what is close, was
fitted on the data (`recthinker.inference.evidence_weights`). Before a fit, or where data are too few for one to tell,
it asks co-interactions; if they say nothing, what all candidates share with the history; then similar users and tools
that are not built in; at last what the closest share with the history. A share of episodes follows a random plan
instead (`recthinker.inference.random_plans`), so that every tool's results are seen.
"""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from recthinker.agent import ChatFormat, CompactFormat, Generate, Generated
from recthinker.errors import ConfigError
from recthinker.inference.evidence_weights import UNFITTED, EvidenceWeights
from recthinker.inference.random_plans import DrawPlan, some_tools
from recthinker.tools import BUILT_IN, Tool, ToolCall

CLEAR_MARGIN = 1.25
"""Logits by which the best candidate must lead for the planner to call what it knows sufficient, before a fit."""
CONTENDERS = 4
"""Candidates that a closer look is taken at."""


@dataclass(slots=True)
class Told:
    """What a call has told."""

    tool: str
    asked: list[int] = field(default_factory=list)
    """Labels that it was about."""
    levels: dict[int, list[int]] = field(default_factory=dict)
    """By label, of those that it had a row of."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an episode's tokens say so far."""

    known: tuple[str, ...]
    """Tools called, in order."""
    scores: tuple[float, ...]
    """By label, in logits: what the levels read add to each."""

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
        weights: what a level adds to a candidate's score.
        random_share: share of episodes that follow a random plan.
        draw_plan: draws it.
        hasty_share: share of the others that answer before the plan is at its end, however close the best are.

    Raises:
        ConfigError: the chat format is another than compact.
    """

    def __init__(
        self,
        chat: ChatFormat,
        tools: Mapping[str, Tool],
        *,
        weights: EvidenceWeights = UNFITTED,
        random_share: float = 0.0,
        draw_plan: DrawPlan = some_tools,
        hasty_share: float = 0.0,
    ) -> None:
        if not isinstance(chat, CompactFormat):
            raise ConfigError(
                f"the scripted planner reads the compact format only, found {chat.name}; set agent.chat_format: "
                "compact, or inference.engine: vllm"
            )
        self.chat = chat
        self.tools = tools
        self.random_share = random_share
        self.hasty_share = hasty_share
        self._weights = weights
        self._draw_plan = draw_plan
        self._plan = weights.plan(tools)
        self._most_hasty = max(1, len(self._plan or [tool for tool in tools.values() if tool.evidence]) - 1)
        self._others = [name for name, tool in tools.items() if name not in BUILT_IN and tool.evidence]
        self._tool_of = {id_: name for name, id_ in chat.tool_ids.items()}
        self._label_of = {id_: label for label, id_ in enumerate(chat.label_ids)}
        self._level_of = {id_: level for level, id_ in enumerate(chat.level_ids)}

    def read(self, ids: Sequence[int]) -> Reading:
        """The tools called so far, and each label's score from the levels they gave."""
        ids = list(ids)
        control = self.chat.ids
        start = ids.index(control["<cand>"])
        end = ids.index(self.chat.end_id, start)
        count = sum(id_ in self._label_of for id_ in ids[start:end])
        calls: list[Told] = []
        parts = {control[token] for token in ("<think>", "<call>", "<result>", "<rank>", "<end>")}
        part, label = 0, -1
        for position in range(end, len(ids)):
            id_ = ids[position]
            if id_ in parts:
                part, label = id_, -1
            if id_ == control["<call>"]:
                calls.append(Told(self._tool_of.get(ids[position + 1], "")))
            elif id_ in self._label_of and part == control["<call>"]:
                # A model may ask about one that stands for no candidate.
                if self._label_of[id_] < count:
                    calls[-1].asked.append(self._label_of[id_])
            elif id_ in self._label_of and part == control["<result>"] and calls:
                label = self._label_of[id_]
                calls[-1].levels[label] = []
            elif id_ in self._level_of and label >= 0:
                calls[-1].levels[label].append(self._level_of[id_])
        return Reading(tuple(call.tool for call in calls), tuple(self._scores(calls, count)))

    def _scores(self, calls: Iterable[Told], count: int) -> list[float]:
        """By label. Levels count from their mean over the labels asked about, so that not to be asked about says
        nothing. Of two calls of a tool the one that told something counts, then the one about more labels.
        """
        told: dict[str, Told] = {}
        for call in sorted(calls, key=lambda call: (bool(call.levels), len(call.asked) or count)):
            if call.tool in self.tools:
                told[call.tool] = call
        weights = self._weights.of({name: self.tools[name] for name in told})
        scores = [0.0] * count
        for name in filter(weights.__contains__, told):
            asked = told[name].asked or range(count)
            for place, curve in enumerate(weights[name]):
                added = [
                    curve[levels[place] if len(levels := told[name].levels.get(label, ())) > place else 0]
                    for label in asked
                ]
                mean = sum(added) / len(added)
                for label, one in zip(asked, added, strict=True):
                    scores[label] += one - mean
        return scores

    def decide(self, reading: Reading, rng: random.Random) -> ToolCall | None:
        """The next call, or None to answer."""
        if rng.random() < self.random_share:
            return self._random_plan(reading, rng)
        known = reading.known
        if rng.random() < self.hasty_share and len(known) >= rng.randint(1, self._most_hasty):
            return None
        if not self._plan:
            return self._before_a_fit(reading)
        if known and self._weights.is_enough(known, reading.margin):
            return None
        name = self._weights.next_tool(known, self.tools)
        return ToolCall(name) if name else None

    def _before_a_fit(self, reading: Reading) -> ToolCall | None:
        """The next call where it is not known what tools add on these data, or data are too few to tell."""
        if reading.known and reading.margin >= CLEAR_MARGIN:
            return None
        new = [name for name in self.tools if name not in reading.known]
        relations = () if any(reading.scores) else ("item_relations",)
        whole = ("co_interactions", *relations, "similar_users", *self._others)
        if name := next((name for name in whole if name in new), None):
            return ToolCall(name)
        if not any(reading.scores) and "item_info" in new:
            return ToolCall("item_info")
        if reading.margin < CLEAR_MARGIN / 6 and "item_relations" in new:
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
        top = max(reading.scores)
        total = top + math.log(sum(math.exp(score - top) for score in reading.scores))
        return [score - total for score in reading.scores]

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
