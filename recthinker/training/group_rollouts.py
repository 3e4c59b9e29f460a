"""The rollout function of RL: what TRL's trainer learns from in one step, drawn by our own batch driver.

Curriculum: more requests are drawn than are trained on. Half of those trained on are taken as they were drawn, the
others because their rollouts differ most in worth: a group whose rollouts are all worth the same teaches nothing about
calls (dynamic sampling, DAPO, Yu et al., 2503.14476).

Calls are learned by what the answer after them is worth. Of an answer that is a label, which label was drawn is worth
nothing: served is the order of all labels' probabilities. What these should say is learned beside the calls
(`recthinker.training.answer_teacher`), or the steps that move calls would wear it away. A list that is written out is
learned as any turn is.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from recthinker.agent import Agent
from recthinker.settings import RlSettings
from recthinker.training.answer_teacher import Teacher
from recthinker.training.episode_trainer import ADVANTAGES, ANSWER_AT
from recthinker.training.groups import Group, watched
from recthinker.training.handover import TrainableEngine
from recthinker.training.micro_batches import ANSWER_SHARES
from recthinker.training.rewards import group_advantages
from recthinker.training.rollout import Rollout, roll_out
from recthinker.training.training_requests import TrainingRequests, stage_seed

REWARDS = ("ranking", "validity", "efficiency")
COLUMNS = ("prompt_ids", "completion_ids", "logprobs", "env_mask", ADVANTAGES, ANSWER_SHARES, ANSWER_AT)


class GroupRollouts:
    """`rollout_func` of a GRPOTrainer.

    Args:
        engine: samples at temperature 1.
        teacher: says what an answer should say.
        before_step: called with the trainer's model before its rollouts, when it has learned something since; what it
            returns is watched.
        max_in_flight: episodes alive at once.
        seed: of which requests are drawn in which step.
    """

    def __init__(
        self,
        engine: TrainableEngine,
        agent: Agent,
        requests: TrainingRequests,
        settings: RlSettings,
        teacher: Teacher,
        *,
        k: int,
        seed: int,
        max_in_flight: int,
        before_step: Callable[[Any], float],
    ) -> None:
        self._engine, self._agent, self._requests, self._settings = engine, agent, requests, settings
        self._teacher, self._k, self._seed, self._max_in_flight = teacher, k, seed, max_in_flight
        self._before_step = before_step
        self._step = -1

    def __call__(self, prompts: list[str], trainer: Any) -> dict[str, Any]:
        """Rollouts for one step; of `prompts` only the number counts, a whole number of groups."""
        step, rank = trainer.state.global_step, trainer.accelerator.process_index
        if step != self._step:
            difference = self._before_step(trainer.accelerator.unwrap_model(trainer.model))
            trainer._log_metric("probe_difference", difference)
            self._step = step
        count = len(prompts) // self._settings.rollouts
        drawn = self._draw(count, stage_seed(self._seed, f"{step}|{rank}"))
        for name, value in watched(drawn).items():
            trainer._log_metric(name, value)
        as_drawn, others = drawn[: (count + 1) // 2], drawn[(count + 1) // 2 :]
        others.sort(key=lambda group: -group.disagreement)
        most = others[: count - len(as_drawn)]
        if self._teacher.sees_target and len(most) < len(others):
            # They were picked by where the target came to stand.
            most = [replace(group, answers=[np.empty(0)] * len(group.rollouts)) for group in most]
        return self._columns([*as_drawn, *most])

    def _draw(self, count: int, seed: int) -> list[Group]:
        """Groups of `redraw` times as many requests; each step shows candidates in another order."""
        rows, settings = self._requests.rows, self._agent.settings.model_copy(update={"seed": seed})
        some = random.Random(seed).sample(range(len(rows)), min(count * self._settings.redraw, len(rows)))
        groups = roll_out(
            self._engine,
            Agent(self._agent.chat, self._agent.toolbox, settings),
            self._requests.snapshot.items,
            [rows[number] for number in some],
            self._requests.targets,
            rollouts=self._settings.rollouts,
            max_in_flight=self._max_in_flight,
        )
        return [
            Group(group, group_advantages(group, self._settings, self._k), [*map(self._answer, group)])
            for group in groups
        ]

    def _answer(self, rollout: Rollout) -> np.ndarray:
        return self._teacher.shares(rollout) if self._is_label(rollout) else np.empty(0)

    def _is_label(self, rollout: Rollout) -> bool:
        """Whether it has an answer, and this is a label."""
        return self._agent.settings.ranking == "labels" and bool(rollout.scores)

    def _columns(self, groups: Sequence[Group]) -> dict[str, Any]:
        """As TRL takes them: a row for each rollout, group by group."""
        end = self._agent.chat.end_id
        most = max(len(shares) for group in groups for shares in group.answers)
        columns: dict[str, list[Any]] = {name: [] for name in (*COLUMNS, *REWARDS)}
        for group in groups:
            for place, one in enumerate(group.rollouts):
                start = one.prompt_length
                columns["prompt_ids"].append(one.ids[:start] or [end])
                # TRL takes no empty completion.
                columns["completion_ids"].append(one.ids[start:] or [end])
                columns["logprobs"].append(one.logprobs[start:] or [0.0])
                columns["env_mask"].append(one.mask[start:] or [0])
                shares = group.answers[place]
                columns[ANSWER_SHARES].append(np.pad(shares, (0, most - len(shares))).tolist())
                columns[ANSWER_AT].append(one.answer_at - start if len(shares) else -1)
                columns[ADVANTAGES].append(self._by_token(one, float(group.advantages.values[place])))
                for name in REWARDS:
                    value = float(group.advantages.parts[name][place])
                    columns[name].append(None if np.isnan(value) else value)
        return columns

    def _by_token(self, rollout: Rollout, advantage: float) -> list[float]:
        """The advantage at each token that the agent wrote after the prompt; 0 at a label that stands for an answer."""
        values = [advantage * written for written in rollout.mask[rollout.prompt_length :]]
        if self._is_label(rollout):
            values[rollout.answer_at - rollout.prompt_length] = 0.0
        return values
