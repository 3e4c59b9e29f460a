"""Our trainer beside TRL's own: sorted, cut and scored in part, it must learn the same."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer

from recthinker.training.answer_head import Answers
from recthinker.training.episode_trainer import (
    ADVANTAGES,
    ANSWER_AT,
    EpisodeTrainer,
    correct_for_engine,
)
from recthinker.training.micro_batches import ANSWER_SHARES
from tests.training.tiny_world import episodes, save_tiny, tiny_settings

GROUP, COUNT, MICRO = 4, 16, 4
ADVANTAGE = [0.7, -0.2, 0.1, -0.6]
"""Of the rollouts of a group; they sum to 0, so that TRL makes the same advantages of them as rewards."""


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("model"), tiny_settings())


LABELS = [6, 7, 8, 9]
"""One more than is shown."""
SHARES = [0.5, 0.3, 0.2]
"""What each episode but each `GROUP`th should answer, at its last written token."""


def answer_places(drawn: list[Any]) -> list[int]:
    """In the completions; -1 for none."""
    last = [max((place for place, written in enumerate(mask) if written), default=-1) for _, _, mask in drawn]
    return [-1 if row % GROUP == 0 else place for row, place in enumerate(last)]


def learned(
    start: Path,
    folder: Path,
    trainer: type[GRPOTrainer],
    loss_type: str,
    kl: float,
    *,
    corrected: bool = False,
    **options: Any,
) -> dict[str, torch.Tensor]:
    """The change of each weight in one step of plain gradient descent."""
    drawn = episodes(COUNT, seed=3)
    values = ADVANTAGE * (COUNT // GROUP)

    def rollouts(prompts: list[str], trainer: Any) -> dict[str, Any]:
        return {
            "prompt_ids": [prompt for prompt, _, _ in drawn],
            "completion_ids": [completion for _, completion, _ in drawn],
            # An engine that found each token likelier, or less likely, than the model does.
            "logprobs": [[-5.0 - 2 * (place % 2) for place in range(len(completion))] for _, completion, _ in drawn],
            "env_mask": [mask for _, _, mask in drawn],
            ADVANTAGES: [[value] * len(mask) for value, (_, _, mask) in zip(values, drawn, strict=True)],
            ANSWER_AT: answer_places(drawn),
            ANSWER_SHARES: [[0.0] * len(SHARES) if at < 0 else SHARES for at in answer_places(drawn)],
            "worth": values,
        }

    def worth(completions: list[str], worth: list[float], **columns: Any) -> list[float]:
        return worth

    model = AutoModelForCausalLM.from_pretrained(start, dtype="float32")
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    config = GRPOConfig(
        output_dir=str(folder),
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        optim="sgd",
        learning_rate=1.0,
        lr_scheduler_type="constant",
        max_grad_norm=1e9,
        weight_decay=0.0,
        per_device_train_batch_size=MICRO,
        gradient_accumulation_steps=COUNT // MICRO,
        steps_per_generation=COUNT // MICRO,
        num_generations=GROUP,
        max_completion_length=64,
        max_steps=1,
        loss_type=loss_type,
        scale_rewards="none",
        beta=kl,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        seed=1,
    )
    built = trainer(
        model=model,
        reward_funcs=[worth],
        args=config,
        train_dataset=Dataset.from_dict({"prompt": [str(row) for row in range(COUNT // GROUP)]}),
        processing_class=PreTrainedTokenizerFast.from_pretrained(start),
        rollout_func=rollouts,
        **options,
    )
    if corrected:
        correct_for_engine(built, clip=2.0)
    built.train()
    return {name: weight.detach() - before.get(name, 0) for name, weight in model.named_parameters()}


@pytest.mark.slow
@pytest.mark.parametrize(("loss_type", "kl"), [("grpo", 0.0), ("dr_grpo", 0.0), ("dapo", 0.0), ("dapo", 0.1)])
def test_a_step_is_trl_s_own(tmp_path: Path, start: Path, loss_type: str, kl: float) -> None:
    ours = learned(start, tmp_path / "ours", EpisodeTrainer, loss_type, kl)
    theirs = learned(start, tmp_path / "theirs", GRPOTrainer, loss_type, kl)

    assert max(float(change.abs().max()) for change in theirs.values()) > 1e-4
    for name, change in theirs.items():
        torch.testing.assert_close(ours[name], change, rtol=1e-3, atol=1e-7, msg=f"{name} learns something else")


@pytest.mark.slow
def test_with_the_engine_s_own_log_probabilities_too(tmp_path: Path, start: Path) -> None:
    ours = learned(start, tmp_path / "ours", EpisodeTrainer, "dapo", 0.0, corrected=True)
    theirs = learned(start, tmp_path / "theirs", GRPOTrainer, "dapo", 0.0, corrected=True)
    without = learned(start, tmp_path / "without", EpisodeTrainer, "dapo", 0.0)

    for name, change in theirs.items():
        torch.testing.assert_close(ours[name], change, rtol=1e-3, atol=1e-7, msg=f"{name} learns something else")
    assert any(not torch.allclose(ours[name], without[name], rtol=1e-2) for name in ours)


@pytest.mark.slow
@pytest.mark.parametrize(("loss_type", "kl", "corrected"), [("dr_grpo", 0.0, False), ("dapo", 0.1, True)])
def test_answers_learn_what_they_should_say(
    tmp_path: Path, start: Path, loss_type: str, kl: float, corrected: bool
) -> None:
    """What comes to a step is the gradient of their cross-entropy, the mean over all episodes."""
    weight = 0.3
    answers = Answers(LABELS, weight)
    ours = learned(start, tmp_path / "ours", EpisodeTrainer, loss_type, kl, corrected=corrected, answers=answers)
    without = learned(start, tmp_path / "without", EpisodeTrainer, loss_type, kl, corrected=corrected)

    model = AutoModelForCausalLM.from_pretrained(start, dtype="float32")
    drawn = episodes(COUNT, seed=3)
    for (prompt, completion, _), at in zip(drawn, answer_places(drawn), strict=True):
        if at >= 0:
            logits = model(input_ids=torch.tensor([prompt + completion[:at]])).logits[0, -1]
            said = logits.log_softmax(-1)[LABELS[: len(SHARES)]]
            (-weight / COUNT * (torch.tensor(SHARES) * said).sum()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None
        torch.testing.assert_close(
            ours[name] - without[name], -parameter.grad, rtol=1e-3, atol=1e-6, msg=f"{name} learns something else"
        )


@pytest.mark.slow
def test_adapters_learn_answers_too(tmp_path: Path, start: Path) -> None:
    """Those of the layers' outputs, which a new model has at zero, so that nothing before them is learned in a step."""

    def adapted(folder: str, answers: Answers | None) -> dict[str, torch.Tensor]:
        torch.manual_seed(1)
        lora = LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM")
        changed = learned(start, tmp_path / folder, EpisodeTrainer, "dr_grpo", 0.0, answers=answers, peft_config=lora)
        return {name: change for name, change in changed.items() if re.search(r"(o|down)_proj.lora_B", name)}

    ours, without = adapted("ours", Answers(LABELS, 0.3)), adapted("without", None)
    assert without
    assert all(not torch.allclose(ours[name], change, rtol=1e-2) for name, change in without.items())
