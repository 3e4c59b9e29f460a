import gc

import pytest

from recthinker.inference.garbage import ALLOCATIONS, seldom_collected


def test_the_collector_is_left_as_it_was_whatever_happens() -> None:
    before, within = gc.get_threshold(), []

    @seldom_collected()
    def die() -> None:
        within.extend(gc.get_threshold())
        raise RuntimeError("the engine died")

    with pytest.raises(RuntimeError, match="the engine died"):
        die()
    assert within == [ALLOCATIONS, *before[1:]]
    assert gc.get_threshold() == before
    assert gc.isenabled()
