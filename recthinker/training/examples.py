"""What a model is taught with: recorded token ids, and which of them are learned."""

from collections.abc import Sequence

from recthinker.agent.chat_format import ChatFormat
from recthinker.settings import RankingName

IGNORED = -100
"""Label of a token that the loss leaves out (PyTorch's convention)."""

Example = tuple[list[int], list[int]]
"""Token ids and labels of the same length; `IGNORED` = not learned."""


def taught(
    ids: Sequence[int], mask: Sequence[int], answer: Sequence[int], end_id: int, ranking: RankingName
) -> Example:
    """An episode up to its answer, and the answer that is taught in place of its own.

    Of the episode only what the agent wrote is learned. The end of an answer that is read by its labels is our own
    word; that of a list the model writes.

    Args:
        ids: up to where the answer begins; `mask` is 1 where the agent wrote.
        answer: label tokens.
    """
    end = end_id if ranking == "generate" else IGNORED
    return [*ids, *answer, end_id], [*written_labels(ids, mask), *answer, end]


def written_labels(ids: Sequence[int], mask: Sequence[int]) -> list[int]:
    """Labels of the tokens that the agent wrote; the others ignored."""
    return [id_ if written else IGNORED for id_, written in zip(ids, mask, strict=True)]


def marked(example: Example, chat: ChatFormat) -> str:
    """An example as text, with what is learned in [[ ]]."""
    ids, labels = example
    parts, start = [], 0
    for end in range(1, len(ids) + 1):
        if end == len(ids) or (labels[end] == IGNORED) != (labels[start] == IGNORED):
            text = chat.text(ids[start:end])
            parts.append(text if labels[start] == IGNORED else f"[[{text}]]")
            start = end
    return " ".join(part for part in parts if part)
