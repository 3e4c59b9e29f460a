"""Whether an agent's turns are as its format writes them, and say what is so.

A model that samples may claim to know what it never looked up, or write on after its act; such a turn is carried out
all the same, and the ranking may be good. It is nothing to learn from.
"""

from collections.abc import Iterator, Sequence

from recthinker.agent import ChatFormat, CompactFormat
from recthinker.tools import ToolCall
from recthinker.training.rollout import Rollout


def is_tidy(rollout: Rollout, chat: ChatFormat) -> bool:
    """Whether every turn is, token by token, the one that the format writes for what was called so far and is called
    now. Where turns are free text, as in other formats than compact, there is nothing to compare.
    """
    if not isinstance(chat, CompactFormat):
        return True
    known: list[str] = []
    for written in _turns(rollout.ids[: rollout.answer_at], rollout.mask):
        act = chat.parse(written)
        call = act if isinstance(act, ToolCall) else None
        if written != chat.turn(known, call):
            return False
        if call:
            known.append(call.name)
    return True


def _turns(ids: Sequence[int], mask: Sequence[int]) -> Iterator[list[int]]:
    """What the agent wrote, stretch by stretch."""
    stretch: list[int] = []
    for id_, is_written in zip(ids, mask, strict=False):
        if is_written:
            stretch.append(id_)
        elif stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch
