"""What retraining draws: rollouts, all of them, good and bad."""

import pyarrow as pa

from recthinker.tables.schemas.base import (
    DOUBLE,
    DS,
    DS_IS_A_DATE,
    FIGURES,
    INT,
    STRING,
    STRINGS,
    USER,
    Column,
    Table,
)

ROLLOUTS = Table(
    "rollouts",
    "Episodes with a known answer, several of each request of a training cut; what of them is learned from is decided "
    "later.",
    ("ds", "run_id", "key", "sample"),
    ("ds",),
    (
        DS,
        Column("run_id", STRING, "retraining run that drew them"),
        Column("key", STRING, "request: a user, and which of their events is to be predicted"),
        Column("sample", INT, "number of the episode among the request's, from 0"),
        USER,
        Column("model_version", STRING, "registered model and version that wrote the turns, or `planner`, or `base`"),
        Column("prompt_version", STRING, "hash of prompt, tools and format"),
        Column("status", STRING, "ranked, repaired, fallback_invalid, fallback_timeout or fallback_error"),
        Column("stop_reason", STRING, "why the episode ended: answered, call_limit, unfinished_turn, ..."),
        Column("plan", STRINGS, "tools called, in order"),
        Column("broken_calls", INT, "calls that a tool could not take, and turns that were no act"),
        Column("token_ids", pa.list_(INT), "the whole episode as the engine saw it"),
        Column("agent_mask", pa.list_(INT), "1 where the model wrote the token"),
        Column("logprobs", pa.list_(pa.float32()), "of the model's tokens; 0 elsewhere"),
        Column("prompt_length", INT, "tokens before the first turn"),
        Column("answer_at", INT, "where in `token_ids` the answer begins; their number where none was asked for"),
        Column("labels", STRINGS, "item of each label, in the order shown"),
        Column("target", INT, "place in `labels` of the item that was really chosen; the agent never reads it"),
        Column("scores", pa.list_(DOUBLE), "of each label, higher is better; empty where there is no answer"),
        Column("rank", INT, "of the target, 1 = best; null where there is no answer", nullable=True),
        Column("rewards", FIGURES, "ranking, validity, efficiency; empty where the end was a fault of ours"),
        Column("advantage", DOUBLE, "over the other rollouts of the request; 0 where the end was a fault of ours"),
    ),
    (("rank_from_1", "rank IS NULL OR rank >= 1"), ("advantage_is_a_number", "NOT isnan(advantage)"), DS_IS_A_DATE),
)
