"""An answer's whole distribution, beside what the model itself says there."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from recthinker.errors import ConfigError
from recthinker.training.answer_head import AnswerHead, Answers
from tests.training.tiny_world import save_tiny, tiny_settings

ANSWERS = Answers([6, 7, 8], weight=1.0)
IDS = torch.tensor([[5, 9, 7, 11, 6], [8, 6, 12, 7, 0], [4, 4, 10, 9, 8]])


@pytest.fixture
def model(tmp_path: Path) -> PreTrainedModel:
    loaded: PreTrainedModel = AutoModelForCausalLM.from_pretrained(save_tiny(tmp_path, tiny_settings()))
    return loaded.eval()


def test_the_loss_is_of_what_the_last_pass_foretold_at_the_answers(model: PreTrainedModel) -> None:
    head = AnswerHead(model, Answers([6, 7, 8], weight=0.5))
    model(input_ids=IDS.flip(0))
    foretold = model(input_ids=IDS).logits.log_softmax(-1)
    shares = torch.tensor([[0.7, 0.3], [0.0, 0.0], [0.2, 0.8]])  # fewer labels than there are
    told = head.loss(shares, torch.tensor([4, -1, 2]))
    expected = (shares[0] * foretold[0, 3, [6, 7]]).sum() + (shares[2] * foretold[2, 1, [6, 7]]).sum()
    torch.testing.assert_close(told, -0.5 * expected / 3)
    with pytest.raises(AssertionError, match="no pass"):
        head.loss(shares, torch.tensor([4, -1, 2]))


def test_no_answer_is_an_empty_part_of_the_loss(model: PreTrainedModel) -> None:
    head = AnswerHead(model, ANSWERS)
    model(input_ids=IDS)
    told = head.loss(torch.zeros(3, 0), torch.tensor([-1, -1, -1]))
    told.backward()
    assert told == 0


def test_a_model_that_changes_its_logits_is_refused(model: PreTrainedModel) -> None:
    model.config.logit_scale = 1.0
    AnswerHead(model, ANSWERS)
    model.config.final_logit_softcapping = 30.0
    with pytest.raises(ConfigError, match=r"llama, which has final_logit_softcapping; set rl.answer_weight to 0"):
        AnswerHead(model, ANSWERS)
