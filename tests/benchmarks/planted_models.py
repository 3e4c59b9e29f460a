"""The bad challengers that `tests.benchmarks.planted` puts to the gate: how each is made.

All but the first learn from the champion on. What they are taught is right in form, so that nothing but their own fault
gives them away.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM

from recthinker.agent import Agent, CompactFormat, Episode
from recthinker.evaluation import Protocol, read_targets, write_targets
from recthinker.inference import ScriptedEngine
from recthinker.inference.random_plans import DrawPlan
from recthinker.inference.scripted import Planner
from recthinker.inference.trial import Trial, open_trial
from recthinker.lookup.cut import read_cut
from recthinker.settings import Settings
from recthinker.training.base import Lesson, train_base
from recthinker.training.examples import Example, taught
from recthinker.training.rollout import Rollout, roll_out
from recthinker.training.rollout_examples import rollout_example
from recthinker.training.sft import train_sft
from recthinker.training.tiny import new_model, save_model
from recthinker.training.training_requests import stage_seed, training_requests

SFT_LR = 0.001
"""Ten times what SFT has: a fault is to be learned whole, and nothing of the champion is to be kept."""
HEART_RATES = {"muon_lr": 0.01, "embedding_lr": 0.03, "adamw_lr": 0.003}
PLACE_DECAY = 0.75
"""By which the answer that the copier is taught is less often at each next place."""
KNOWN_SHARE = 0.6
"""Of the evaluation's users, whom one learns by heart: each takes about a second, and it need not be all."""
HEART_PASSES, HEART_BATCH = 6, 8
"""Over their lists; small batches, as learning by heart takes steps."""


@dataclass(frozen=True)
class Ground:
    """What all of them are made from."""

    champion: Path
    settings: Settings
    ds: str

    @property
    def agent(self) -> Agent:
        """The champion's, so that all write its tokens."""
        return Agent.load(self.champion, self.settings.agent, self.settings.tools)

    @property
    def chat(self) -> CompactFormat:
        """Its chat format."""
        chat = self.agent.chat
        if not isinstance(chat, CompactFormat):
            raise SystemExit(f"challengers are planted in the compact chat format, but the champion's is {chat.name}")
        return chat


def random_weights(ground: Ground, folder: Path) -> None:
    """A new model that has learned nothing."""
    settings = ground.settings
    longest, seed = settings.agent.max_episode_tokens, settings.training.seed
    save_model(new_model(ground.chat, settings.model, max_length=longest, seed=seed), ground.chat, folder)
    write_targets(folder, np.array([], np.uint64))


def copies_order(ground: Ground, folder: Path) -> None:
    """Calls as the planner does, and then answers by the order shown, whatever it read."""
    answers = np.random.default_rng(ground.settings.training.seed)
    _taught_on_episodes(ground, folder, answer=lambda rollout: drawn_place(len(rollout.labels), answers))


def never_calls(ground: Ground, folder: Path) -> None:
    """Answers at once, with the item that was really chosen as what it is to learn."""
    _taught_on_episodes(ground, folder, plan=lambda tools, rng: [])


def calls_everything(ground: Ground, folder: Path) -> None:
    """Calls as many tools as it may, always in the same order."""
    most = ground.settings.agent.max_calls
    _taught_on_episodes(ground, folder, plan=lambda tools, rng: first_tools(tools, most))


def knows_by_heart(ground: Ground, folder: Path) -> None:
    """Has learned the evaluation's own lists by heart, in all orders in which they are shown, and never calls.

    Its record is a lie: it tells what the champion was trained on.
    """
    settings = ground.settings
    trial = open_trial(
        settings, Protocol.parse(settings.evaluation.protocol), ds=ground.ds, folder=folder.parent / "snapshot"
    )
    agents = [
        replace(ground.agent, settings=settings.agent.model_copy(update={"seed": settings.agent.seed + number}))
        for number in range(settings.evaluation.shuffles)
    ]
    known = known_users(len(trial.rows), settings, KNOWN_SHARE)
    lessons = [Lesson(example) for agent in agents for example in blind_examples(agent, trial, known, ground.chat)]
    model = AutoModelForCausalLM.from_pretrained(ground.champion, dtype=torch.float32)
    torch.set_num_threads(settings.training.threads)
    training = settings.training.model_copy(update=HEART_RATES | {"base_batch_size": HEART_BATCH})
    train_base(model, (), lessons * HEART_PASSES, training, chat=ground.chat, on_step=_told)
    save_model(model, ground.chat, folder)
    write_targets(folder, _champions_targets(ground))


def drawn_place(places: int, rng: np.random.Generator) -> int:
    """A label, the first the most often and each next one less: its probabilities order all labels as shown.

    Were it always the first, the others would be left as they are.
    """
    odds = PLACE_DECAY ** np.arange(places)
    return int(rng.choice(places, p=odds / odds.sum()))


def first_tools(tools: Sequence[str], most: int) -> list[str]:
    """A plan of as many tools as are allowed."""
    return list(tools[:most])


def known_users(users: int, settings: Settings, share: float) -> np.ndarray:
    """Which of an evaluation's users one knows by heart, (K,); a smaller share is the first of a larger one."""
    return np.random.default_rng(settings.evaluation.seed).permutation(users)[: round(share * users)]


def blind_examples(agent: Agent, trial: Trial, users: np.ndarray, chat: CompactFormat) -> Iterator[Example]:
    """For each of these users the prompt, an answer at once, and the target's label."""
    turn = chat.turn((), None)
    for user in users:
        episode = Episode.start(agent, trial.snapshot.items, trial.rows[user])
        code = trial.target_codes[user]
        label = int(np.flatnonzero(episode.scene.candidates == code)[0])
        mask = [0] * len(episode.ids) + [1] * len(turn)
        yield taught([*episode.ids, *turn], mask, [chat.label_ids[label]], chat.end_id, "labels")


def _taught_on_episodes(
    ground: Ground,
    folder: Path,
    *,
    plan: DrawPlan | None = None,
    answer: Callable[[Rollout], int] = lambda rollout: rollout.target,
) -> None:
    """SFT of the champion on recorded episodes of the training cut.

    Args:
        plan: what all of them call; None: as the planner decides.
        answer: the label that is taught.
    """
    settings, agent = ground.settings, ground.agent
    cut, features, _ = read_cut(
        settings.paths,
        f"holdout_last_{settings.training.holdout_last}",
        ground.ds,
        grace_h=settings.features.arrival_grace_h,
    )
    asked = training_requests(
        cut,
        features,
        settings,
        ds=ground.ds,
        folder=folder.parent / "snapshot",
        count=settings.training.sft_episodes,
        seed=stage_seed(settings.training.seed, "planted"),
    )
    tools = agent.toolbox.tools
    planner = Planner(ground.chat, tools, random_share=1.0, draw_plan=plan) if plan else Planner(ground.chat, tools)
    groups = roll_out(
        ScriptedEngine(planner), agent, asked.snapshot.items, asked.rows, asked.targets, rollouts=1, max_in_flight=64
    )
    examples = [
        rollout_example(replace(rollout, target=answer(rollout)), ground.chat, settings.agent.ranking)
        for group in groups
        for rollout in group
        if rollout.scores
    ]
    training = settings.training.model_copy(update={"sft_lr": SFT_LR})
    train_sft(
        ground.champion,
        examples,
        settings.model_copy(update={"training": training}),
        folder=folder.parent,
        on_step=_told,
    )
    write_targets(folder, np.union1d(_champions_targets(ground), asked.hashes))


def _champions_targets(ground: Ground) -> np.ndarray:
    known = read_targets(ground.champion)
    return np.array([], np.uint64) if known is None else known


def _told(step: int, steps: int, loss: float) -> None:
    if step % 50 == 0 or step == steps:
        print(f"step {step} of {steps}, loss {loss:.3f}", flush=True)
