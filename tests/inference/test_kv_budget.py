from recthinker.inference.engine import KvCache
from recthinker.inference.kv_budget import KvBudget


def test_requests_take_whole_blocks_beyond_the_shared_ones() -> None:
    # 10 blocks of 4 tokens; 9 shared tokens fill 2 of them, which exist once: 8 are left.
    budget = KvBudget(KvCache(10, 4), shared_tokens=9)
    assert budget.take("a", 21)  # 6 blocks, 2 of them shared
    assert budget.take("b", 24)  # likewise
    assert not budget.take("c", 9)  # 3 blocks, one of its own
    budget.give("a")
    assert budget.take("c", 9)


def test_a_request_that_is_alone_always_fits() -> None:
    budget = KvBudget(KvCache(2, 4), shared_tokens=0)
    assert budget.take("a", 99)
    assert not budget.take("b", 1)
    budget.give("a")
    assert budget.take("b", 1)


def test_without_a_cache_there_is_no_bound() -> None:
    budget = KvBudget(None, shared_tokens=9)
    assert all(budget.take(str(number), 10**9) for number in range(100))
    budget.give("1")
