"""An answer's whole distribution, beside what the model itself says there."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from recthinker.errors import ConfigError
from recthinker.training.answer_head import AnswerHead
from tests.training.tiny_world import save_tiny, tiny_settings

IDS = torch.tensor([[5, 9, 7, 11, 6], [8, 6, 12, 7, 0], [4, 4, 10, 9, 8]])


@pytest.fixture
def model(tmp_path: Path) -> PreTrainedModel:
    loaded: PreTrainedModel = AutoModelForCausalLM.from_pretrained(save_tiny(tmp_path, tiny_settings()))
    return loaded.eval()


def test_an_answer_is_what_the_last_pass_foretold_at_its_place(model: PreTrainedModel) -> None:
    head = AnswerHead(model)
    model(input_ids=IDS.flip(0))
    expected = model(input_ids=IDS).logits.log_softmax(-1)
    told = head.logprobs(torch.tensor([0, 2]), torch.tensor([4, 2]))
    torch.testing.assert_close(told, torch.stack([expected[0, 3], expected[2, 1]]))
    with pytest.raises(AssertionError, match="no pass"):
        head.logprobs(torch.tensor([0]), torch.tensor([4]))


def test_no_answer_is_an_empty_part_of_the_loss(model: PreTrainedModel) -> None:
    head = AnswerHead(model)
    model(input_ids=IDS)
    none = torch.tensor([], dtype=torch.long)
    head.logprobs(none, none).sum().backward()


def test_a_model_that_changes_its_logits_is_refused(model: PreTrainedModel) -> None:
    model.config.logit_scale = 1.0
    AnswerHead(model)
    model.config.final_logit_softcapping = 30.0
    with pytest.raises(ConfigError, match=r"llama, which has final_logit_softcapping; set rl.answer_weight to 0"):
        AnswerHead(model)
