"""Selected rollouts as what SFT is taught with."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recthinker.agent.chat_format import ChatFormat
from recthinker.files import replacing
from recthinker.settings import RankingName
from recthinker.training.examples import IGNORED, Example, taught
from recthinker.training.rollout import Rollout

SCHEMA = pa.schema(
    [
        ("input_ids", pa.list_(pa.int32())),
        ("labels", pa.list_(pa.int32())),
        ("key", pa.string()),
        ("plan", pa.list_(pa.string())),
    ]
)


def rollout_example(rollout: Rollout, chat: ChatFormat, ranking: RankingName) -> Example:
    """The rollout up to its answer, then the item that was really chosen; in a list, the rollout's others follow it."""
    answer = [rollout.target]
    if ranking == "generate":
        order = np.argsort(-np.array(rollout.scores), kind="stable")
        answer += [int(label) for label in order if label != rollout.target]
    place = rollout.answer_at
    tokens = [chat.label_ids[label] for label in answer]
    return taught(rollout.ids[:place], rollout.mask[:place], tokens, chat.end_id, ranking)


def turns_alone(example: Example, answer_at: int) -> Example:
    """Without its answer: those selected are the requests that were answered well, and who learns answers from these
    alone becomes too sure of them.
    """
    ids, labels = example
    return ids, [*labels[:answer_at], IGNORED, *labels[answer_at + 1 :]]


def answer_alone(example: Example, answer_at: int) -> Example:
    """With nothing learned but its answer."""
    ids, labels = example
    return ids, [label if place == answer_at else IGNORED for place, label in enumerate(labels)]


def write_examples(path: Path, rollouts: Sequence[Rollout], examples: Sequence[Example]) -> None:
    """Write the columns of `SCHEMA` as Parquet, whole or not at all."""
    columns = [
        [ids for ids, _ in examples],
        [labels for _, labels in examples],
        [rollout.key for rollout in rollouts],
        [rollout.plan for rollout in rollouts],
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    with replacing(path) as partial:
        pq.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA), partial)
