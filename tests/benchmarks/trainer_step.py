"""One optimizer step of GRPO on the same recorded episodes by three trainers: ours, TRL's own, and a plain one.

`python -m tests.benchmarks.trainer_step FOLDER STEPS` writes FOLDER/steps.json: seconds of each step, by trainer. The
trainers take turns, step by step, so that a busy machine slows all alike. Rollouts are given: only the learning is
timed. The plain one is what one would write for this alone: episodes sorted by length, the head on the agent's tokens
only, a clipped ratio, AdamW. Only ours learns answers, too.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch import nn
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer

from recthinker.agent import CompactFormat, train_tokenizer
from recthinker.settings import Settings, load_settings
from recthinker.training.answer_head import Answers
from recthinker.training.episode_trainer import ADVANTAGES, ANSWER_AT, EpisodeTrainer
from recthinker.training.micro_batches import ANSWER_SHARES
from recthinker.training.tiny import new_model, save_model

Episode = tuple[list[int], list[int], list[int], float]
"""Prompt, completion, the completion's agent mask, advantage."""

PROMPT_TOKENS = (150, 210)
CALL_TOKENS, RESULT_TOKENS, ANSWER_TOKENS = (10, 14), (30, 70), (6, 9)
MOST_CALLS = 4
"""Sizes of episodes on the demo data: a call's turn, a tool's result, the turn that answers."""
CLIP = (0.8, 1.2)
LABELS = range(1, 21)
"""Tokens that stand for candidates."""


def main(folder: Path, steps: int) -> None:
    """Time `steps` steps of each."""
    settings = load_settings("bench", environ={})
    torch.set_num_threads(settings.training.threads)
    start = _start(folder / "model", settings)
    rl = settings.rl
    drawn = _episodes(rl.requests_per_step * rl.rollouts, settings)
    trainers: dict[str, Callable[[], None]] = {
        "plain": _plain(start, drawn, settings),
        "ours": _of_trl(EpisodeTrainer, start, drawn, settings, folder, answers=Answers(LABELS, rl.answer_weight)),
        "trl": _of_trl(GRPOTrainer, start, drawn, settings, folder),
    }
    seconds: dict[str, list[float]] = {name: [] for name in trainers}
    for _ in range(steps + 1):
        for name, step in trainers.items():
            started = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - started)
    tokens = sum(len(prompt) + len(completion) for prompt, completion, _, _ in drawn)
    told = {
        "seconds": {name: values[1:] for name, values in seconds.items()},  # the first step warms up
        "episodes": len(drawn),
        "tokens": tokens,
        "learned": sum(sum(mask) for _, _, mask, _ in drawn),
    }
    (folder / "steps.json").write_text(json.dumps(told), encoding="utf-8")


def _start(folder: Path, settings: Settings) -> Path:
    texts = [f"title {number}" for number in range(2000)]
    chat = CompactFormat(train_tokenizer(texts, settings.model.vocabulary, settings.tools.enabled))
    save_model(new_model(chat, settings.model, max_length=settings.agent.max_episode_tokens, seed=1), chat, folder)
    return folder


def _episodes(count: int, settings: Settings) -> list[Episode]:
    rng = random.Random(settings.training.seed)
    made = []
    for number in range(count):
        completion: list[int] = []
        mask: list[int] = []
        for _ in range(rng.randint(1, MOST_CALLS)):
            for sizes, written in ((CALL_TOKENS, 1), (RESULT_TOKENS, 0)):
                size = rng.randint(*sizes)
                completion += _tokens(rng, size)
                mask += [written] * size
        size = rng.randint(*ANSWER_TOKENS)
        prompt = _tokens(rng, rng.randint(*PROMPT_TOKENS))
        worth = (number % settings.rl.rollouts) / settings.rl.rollouts - 0.5
        made.append((prompt, completion + _tokens(rng, size), mask + [1] * size, worth))
    return made


def _tokens(rng: random.Random, count: int) -> list[int]:
    return [rng.randrange(1, 300) for _ in range(count)]


def _plain(start: Path, drawn: list[Episode], settings: Settings) -> Callable[[], None]:
    model = AutoModelForCausalLM.from_pretrained(start, dtype="float32")
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.rl.lr, weight_decay=0.0)
    order = sorted(drawn, key=lambda episode: len(episode[0]) + len(episode[1]))
    parts = [order[n : n + settings.rl.micro_batch] for n in range(0, len(order), settings.rl.micro_batch)]
    learned = sum(sum(mask) for _, _, mask, _ in drawn)

    def step() -> None:
        for part in parts:
            _plain_loss(model, part, learned).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return step


def _plain_loss(model: Any, part: list[Episode], learned: int) -> torch.Tensor:
    longest = max(len(prompt) + len(completion) for prompt, completion, _, _ in part)
    ids = torch.zeros(len(part), longest, dtype=torch.long)
    wanted = torch.zeros(len(part), longest, dtype=torch.bool)
    advantage = torch.zeros(len(part), longest)
    for row, (prompt, completion, mask, value) in enumerate(part):
        end = len(prompt) + len(completion)
        ids[row, :end] = torch.tensor(prompt + completion)
        wanted[row, len(prompt) : end] = torch.tensor(mask).bool()
        advantage[row] = value
    hidden = model.model(input_ids=ids).last_hidden_state[:, :-1][wanted[:, 1:]]
    chosen = ids[:, 1:][wanted[:, 1:]]
    logprobs = torch.log_softmax(model.lm_head(hidden), -1).gather(-1, chosen[:, None])[:, 0]
    ratio = torch.exp(logprobs - logprobs.detach())
    values = advantage[:, 1:][wanted[:, 1:]]
    return -torch.min(ratio * values, ratio.clamp(*CLIP) * values).sum() / learned


def _of_trl(
    kind: type[GRPOTrainer], start: Path, drawn: list[Episode], settings: Settings, folder: Path, **options: Any
) -> Callable[[], None]:
    """A trainer's step: each call trains for one step more."""
    trainer = _trainer(kind, start, drawn, settings, folder, **options)

    def step() -> None:
        # A trainer that is called again begins again: its model and optimizer go on.
        trainer.train()

    return step


def _trainer(
    kind: type[GRPOTrainer], start: Path, drawn: list[Episode], settings: Settings, folder: Path, **options: Any
) -> GRPOTrainer:
    rl = settings.rl

    def rollouts(prompts: list[str], trainer: Any) -> dict[str, Any]:
        return {
            "prompt_ids": [prompt for prompt, _, _, _ in drawn],
            "completion_ids": [completion for _, completion, _, _ in drawn],
            "logprobs": [[0.0] * len(completion) for _, completion, _, _ in drawn],
            "env_mask": [mask for _, _, mask, _ in drawn],
            ADVANTAGES: [[value] * len(completion) for _, completion, _, value in drawn],
            ANSWER_AT: [len(completion) - 1 for _, completion, _, _ in drawn],
            ANSWER_SHARES: [[1 / len(LABELS)] * len(LABELS)] * len(drawn),
            "worth": [value for _, _, _, value in drawn],
        }

    def worth(completions: list[str], worth: list[float], **columns: Any) -> list[float]:
        return worth

    parts = len(drawn) // rl.micro_batch
    config = GRPOConfig(
        output_dir=str(folder / kind.__name__),
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        per_device_train_batch_size=rl.micro_batch,
        gradient_accumulation_steps=parts,
        steps_per_generation=parts,
        num_generations=rl.rollouts,
        max_completion_length=settings.agent.max_episode_tokens,
        max_steps=1,
        learning_rate=rl.lr,
        lr_scheduler_type="constant",
        loss_type="dapo",
        scale_rewards="none",
        save_strategy="no",
        logging_steps=1,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_num_workers=0,
        seed=1,
    )
    return kind(
        model=AutoModelForCausalLM.from_pretrained(start, dtype="float32"),
        reward_funcs=[worth],
        args=config,
        train_dataset=Dataset.from_dict({"prompt": [str(row) for row in range(1000)]}),
        processing_class=PreTrainedTokenizerFast.from_pretrained(start),
        rollout_func=rollouts,
        **options,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
