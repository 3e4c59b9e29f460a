"""The head that scores only what is learned: beside the model's own, and beside TRL's."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel
from trl.trainer.utils import add_fused_lm_head

from recthinker.training.examples import IGNORED
from recthinker.training.learned_head import LearnedOutput, add_learned_head
from tests.training.tiny_world import save_tiny, tiny_settings

TEMPERATURE = 0.7
IDS = torch.tensor([[5, 9, 7, 11, 6], [8, 6, 12, 7, 0], [4, 4, 10, 9, 8]])
LABELS = torch.tensor([[IGNORED, 9, IGNORED, 11, 6], [IGNORED, IGNORED, 12, 7, IGNORED], [IGNORED, 4, 10, 9, 8]])
ANSWER_AT = torch.tensor([4, -1, 2])


@pytest.fixture
def model(tmp_path: Path) -> PreTrainedModel:
    loaded: PreTrainedModel = AutoModelForCausalLM.from_pretrained(save_tiny(tmp_path, tiny_settings()))
    return loaded.eval()


def test_an_answer_is_the_distribution_at_its_place(model: PreTrainedModel) -> None:
    logprobs = (model(input_ids=IDS).logits / TEMPERATURE).log_softmax(-1)
    add_learned_head(model, TEMPERATURE)
    told = model(input_ids=IDS, labels=LABELS, fused_lm_head=True, answer_at=ANSWER_AT)
    assert isinstance(told, LearnedOutput)
    assert told.answers is not None
    torch.testing.assert_close(told.answers, torch.stack([logprobs[0, 3], logprobs[2, 1]]))
    assert model(input_ids=IDS, labels=LABELS, fused_lm_head=True).answers is None


@pytest.mark.parametrize("answers_only", [False, True])
def test_all_else_is_as_trl_tells_it(model: PreTrainedModel, answers_only: bool) -> None:
    add_fused_lm_head(model, TEMPERATURE, outputs=("log_probs", "entropy"))
    theirs = model(input_ids=IDS, labels=LABELS, fused_lm_head=True)
    add_learned_head(model, TEMPERATURE, answers_only=answers_only)
    for asked in ({}, {"answer_at": ANSWER_AT}):
        ours = model(input_ids=IDS, labels=LABELS, fused_lm_head=True, **asked)
        torch.testing.assert_close(ours.log_probs, theirs.log_probs)
        torch.testing.assert_close(ours.entropy, theirs.entropy)
        assert isinstance(ours, LearnedOutput) == (bool(asked) or not answers_only)
    assert model(input_ids=IDS).logits.shape == (*IDS.shape, model.config.vocab_size)
