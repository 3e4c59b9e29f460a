"""Rollouts for tests: only what a test is about need be said."""

from recthinker.training.rollout import Rollout

LABELS = ("i1", "i2", "i3", "i4", "i5", "i6", "i7", "i8", "i9", "i10", "i11", "i12")


def rollout(
    rank: int | None = 1,
    calls: int = 1,
    *,
    broken: int = 0,
    status: str = "ranked",
    sample: int = 0,
    key: str = "ann#2.0",
    user: str = "ann",
) -> Rollout:
    """A rollout of 12 candidates whose target stands at `rank`; None: without an answer."""
    order = [label for label in range(len(LABELS)) if label != 0]
    order.insert((rank or 1) - 1, 0)
    place = {label: -float(number) for number, label in enumerate(order)}
    return Rollout(
        key=key,
        sample=sample,
        user_id=user,
        status=status if rank or status != "ranked" else "fallback_invalid",
        stop_reason="answered",
        plan=("co_interactions", "similar_users", "item_info", "user_profile", "user_history")[:calls],
        broken_calls=broken,
        ids=[5, 6, 7, 8, 9],
        mask=[0, 0, 1, 0, 1] if rank else [0, 0, 1, 0, 0],
        logprobs=[0.0, 0.0, -0.5, 0.0, -0.25],
        prompt_length=2,
        answer_at=4 if rank else 5,
        labels=LABELS,
        target=0,
        scores=tuple(place[label] for label in range(len(LABELS))) if rank else (),
    )
