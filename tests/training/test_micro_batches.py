"""A step's episodes in parts of like length."""

import torch

from recthinker.training.micro_batches import ANSWER_SHARES, micro_batches


def test_micro_batches_are_of_like_length_and_cut_to_it() -> None:
    batch = {
        "prompt_ids": torch.tensor([[0, 0, 1], [1, 2, 3], [0, 4, 5], [0, 0, 6]]),
        "prompt_mask": torch.tensor([[0, 0, 1], [1, 1, 1], [0, 1, 1], [0, 0, 1]]),
        "completion_ids": torch.tensor([[7, 0, 0, 0], [7, 8, 9, 10], [7, 8, 9, 0], [7, 8, 0, 0]]),
        "completion_mask": torch.tensor([[1, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0]]),
        "advantages": torch.arange(16.0).view(4, 4),
        ANSWER_SHARES: torch.arange(12.0).view(4, 3),
        "num_items_in_batch": torch.tensor(10),
    }
    short, long = micro_batches(batch, 2)

    assert short["prompt_ids"].tolist() == [[1], [6]]
    assert short["completion_ids"].tolist() == [[7, 0], [7, 8]]
    assert short["advantages"].tolist() == [[0.0, 1.0], [12.0, 13.0]]
    assert short[ANSWER_SHARES].tolist() == [[0.0, 1.0, 2.0], [9.0, 10.0, 11.0]]
    assert long["prompt_ids"].tolist() == [[0, 4, 5], [1, 2, 3]]
    assert long["completion_ids"].tolist() == [[7, 8, 9, 0], [7, 8, 9, 10]]
    assert int(short["num_items_in_batch"]) == int(long["num_items_in_batch"]) == 10
