import numpy as np

from recthinker.evaluation import segments


def test_segments_are_the_lowest_and_highest_quarters() -> None:
    lengths, popularity = np.array([5, 9, 20, 30, 40]), np.array([100, 1, 50, 7, 70])
    short, rare, popular = segments(lengths, popularity, share=0.25)
    # The quartiles of five values are the second and the fourth.
    assert short.members.tolist() == [True, True, False, False, False]
    assert rare.members.tolist() == [False, True, False, True, False]
    assert popular.members.tolist() == [True, False, False, False, True]
    assert short.rule == "at most 9 events before the target"
    assert rare.rule == "a target with at most 7 events"
    assert popular.rule == "a target with at least 70 events"


def test_who_is_alike_at_the_border_is_in_together() -> None:
    short, *_ = segments(np.array([3, 3, 3, 8]), np.arange(4), share=0.25)
    assert short.members.tolist() == [True, True, True, False]
