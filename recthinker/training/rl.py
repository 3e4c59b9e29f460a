"""Reinforcement learning: TRL's GRPOTrainer on rollouts of the live engine, whose weights follow each step.

Source: TRL 1.16, `GRPOTrainer` with `rollout_func`; GRPO (Shao et al., 2402.03300), Dr. GRPO (Liu et al., 2503.20783),
DAPO (Yu et al., 2503.14476).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, PrinterCallback, TrainerCallback
from trl import GRPOConfig

from recthinker.agent import Agent
from recthinker.errors import ConfigError, TrainingError
from recthinker.inference.engines import open_engine
from recthinker.inference.evidence_weights import EvidenceWeights
from recthinker.settings import Settings
from recthinker.training.adapters import adapter_config, save_plain, weights_dtype
from recthinker.training.answer_head import Answers
from recthinker.training.answer_teacher import answer_teacher
from recthinker.training.checkpoints import last_checkpoint
from recthinker.training.episode_trainer import EpisodeTrainer, correct_for_engine
from recthinker.training.group_rollouts import REWARDS, GroupRollouts
from recthinker.training.handover import Handover, TrainableEngine
from recthinker.training.stage import Curve
from recthinker.training.training_requests import TrainingRequests

CLIP_HIGH = {"grpo": 0.2, "dr_grpo": 0.2, "dapo": 0.28}
"""Upper clip of the ratio to the sampling policy; the lower one is 0.2."""
CLIP_LOW = 0.2
IMPORTANCE_CLIP = 2.0
SAMPLING_TEMPERATURE = 1.0
"""Of rollouts: the model as it is, or engine and trainer would not speak of the same policy."""
LOGGED = {
    **{name: name for name in ("ndcg", "calls", "broken_calls", "valid_share", "written_tokens")},
    **{name: name for name in ("answer_divergence", "flat_groups")},
    **{f"rewards/{name}/mean": f"reward_{name}" for name in REWARDS},
    **{name: name for name in ("kl", "entropy", "grad_norm", "loss")},
    "probe_difference": "probe_difference",
    "sampling/sampling_logp_difference/max": "sampling_difference",
}
"""Curves that are kept, by TRL's name and ours."""

OnStep = Callable[[int, int, float], None]
"""Called with (step, steps, NDCG of what was drawn)."""


def train_rl(
    start: Path,
    requests: TrainingRequests,
    settings: Settings,
    weights: EvidenceWeights,
    *,
    folder: Path,
    on_step: OnStep,
) -> dict[str, Curve]:
    """Train the model of `start` further, into `folder/model`; from the last checkpoint where there is one.

    Args:
        weights: how to read evidence, which answers are learned from; where none are fitted, from the item chosen.

    Returns:
        What was watched, step by step, by name.

    Raises:
        ConfigError: groups cannot be cut into micro-batches, or the engine cannot be trained against.
        TrainingError: fewer requests than a step asks, or the engine did not take the weights of a step.
        EngineError: the engine died.
    """
    rl = settings.rl
    _require_sizes(settings, len(requests.rows))
    agent = Agent.load(start, settings.agent.model_copy(update={"temperature": SAMPLING_TEMPERATURE}), settings.tools)
    torch.set_num_threads(settings.training.threads)
    rollouts = _rollouts(start, agent, requests, settings, weights)
    trainer = EpisodeTrainer(
        model=AutoModelForCausalLM.from_pretrained(start, dtype=weights_dtype(settings)),
        reward_funcs=[_reward(name) for name in REWARDS],
        args=_config(settings, folder / "checkpoints"),
        # Which request is next is the curriculum's to say: rows only count.
        train_dataset=Dataset.from_dict({"prompt": [str(row) for row in range(rl.steps * rl.requests_per_step)]}),
        processing_class=PreTrainedTokenizerFast.from_pretrained(start),
        rollout_func=rollouts,
        answers=answers_of(settings, agent.chat.label_ids),
        peft_config=adapter_config(rl),
        callbacks=[_Steps(on_step)],
    )
    trainer.remove_callback(PrinterCallback)
    if settings.inference.dtype != "float32":
        correct_for_engine(trainer, IMPORTANCE_CLIP)
    trainer.train(resume_from_checkpoint=last_checkpoint(folder / "checkpoints"))
    save_plain(trainer.accelerator.unwrap_model(trainer.model), start, folder / "model")
    return _curves(trainer.state.log_history)


def _rollouts(
    start: Path, agent: Agent, requests: TrainingRequests, settings: Settings, weights: EvidenceWeights
) -> GroupRollouts:
    """Of an engine whose weights are handed over before each step."""
    rl, inference = settings.rl, settings.inference
    # `_require_sizes` has made sure that it is vLLM's.
    engine = cast(TrainableEngine, open_engine(start, agent, for_engine(settings, agent)))
    labels = agent.chat.label_ids[: settings.candidates.max_items]
    probe = [*agent.system_ids, *agent.chat.turn([], None)]
    return GroupRollouts(
        engine,
        agent,
        requests,
        rl,
        answer_teacher(agent.chat, agent.toolbox.tools, weights),
        k=settings.evaluation.k,
        seed=settings.training.seed,
        max_in_flight=inference.max_in_flight,
        before_step=Handover(engine, probe, labels, tolerance=rl.probe_tolerance, by_file=inference.engine_process),
    )


def answers_of(settings: Settings, label_ids: Sequence[int]) -> Answers | None:
    """How answers are learned; None where they are lists, or of no weight."""
    weight = settings.rl.answer_weight
    return Answers(label_ids, weight) if settings.agent.ranking == "labels" and weight else None


def for_engine(settings: Settings, agent: Agent) -> Settings:
    """As the engine is opened: it samples, and in this process it decides on the threads of the trainer, too."""
    inference = settings.inference
    if not inference.engine_process:
        inference = inference.model_copy(update={"threads": settings.training.threads})
    return settings.model_copy(update={"agent": agent.settings, "inference": inference})


def _require_sizes(settings: Settings, requests: int) -> None:
    rl = settings.rl
    if requests < rl.requests_per_step:
        raise TrainingError(
            f"a step of RL asks {rl.requests_per_step} requests (rl.requests_per_step), but the training cut has "
            f"{requests}; ingest more interactions, or lower it"
        )
    episodes = rl.requests_per_step * rl.rollouts
    if episodes % rl.micro_batch:
        raise ConfigError(
            f"rl.micro_batch should divide the {episodes} episodes of a step (rl.requests_per_step x rl.rollouts), "
            f"found {rl.micro_batch}"
        )
    if settings.inference.engine != "vllm":
        raise ConfigError(f"RL trains against inference.engine: vllm, found {settings.inference.engine}")


def _config(settings: Settings, folder: Path) -> GRPOConfig:
    rl = settings.rl
    parts = rl.requests_per_step * rl.rollouts // rl.micro_batch
    return GRPOConfig(
        output_dir=str(folder),
        use_cpu=not torch.cuda.is_available(),
        bf16=settings.inference.dtype == "bfloat16",
        gradient_checkpointing=False,
        per_device_train_batch_size=rl.micro_batch,
        gradient_accumulation_steps=parts,
        steps_per_generation=parts,
        num_generations=rl.rollouts,
        max_completion_length=settings.agent.max_episode_tokens,
        temperature=SAMPLING_TEMPERATURE,
        max_steps=rl.steps,
        learning_rate=rl.lr,
        lr_scheduler_type="linear",
        loss_type=rl.algorithm,
        scale_rewards="none",
        epsilon=CLIP_LOW,
        epsilon_high=CLIP_HIGH[rl.algorithm],
        beta=rl.kl,
        max_grad_norm=1.0,
        logging_steps=1,
        save_strategy="steps",
        save_steps=rl.save_every,
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_num_workers=0,
        seed=settings.training.seed,
    )


def _reward(name: str) -> Callable[..., list[float | None]]:
    """A reward as TRL asks for it: the rollout function has it ready. It is only told; the advantages are ours."""

    def reward(completions: list[str], **columns: Any) -> list[float | None]:
        values: list[float | None] = columns[name]
        return values

    reward.__name__ = name
    return reward


def _curves(history: list[dict[str, float]]) -> dict[str, Curve]:
    return {
        ours: curve
        for theirs, ours in LOGGED.items()
        if (curve := [(int(entry["step"]), float(entry[theirs])) for entry in history if theirs in entry])
    }


class _Steps(TrainerCallback):
    """Passes each step's NDCG on."""

    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **kwargs: Any) -> None:
        """Called by the trainer."""
        if logs and "ndcg" in logs:
            self._on_step(state.global_step, state.max_steps, float(logs["ndcg"]))
