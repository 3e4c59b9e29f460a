"""The cuts that settings name, in the two spellings that there are: an argument, and a folder."""

import pytest

from recthinker.evaluation import Protocol
from recthinker.features import Cut
from recthinker.settings import load_settings


@pytest.mark.parametrize("protocol", ["leave_last_one", "temporal:1998-02-01"])
def test_the_cut_of_a_protocol_is_the_one_that_it_reads(protocol: str) -> None:
    settings = load_settings("test", environ={}, overrides={"evaluation": {"protocol": protocol}})
    assert Cut.parse(settings.evaluation.cut).name == Protocol.parse(protocol).cut


def test_the_training_cut_is_that_of_the_holdout() -> None:
    settings = load_settings("test", environ={}, overrides={"training": {"holdout_last": 5}})
    assert settings.training.cut == "holdout_last:5"
