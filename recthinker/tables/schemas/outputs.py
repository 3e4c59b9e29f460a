"""What runs leave: of a night trajectories, recommendations and its manifest; of a retraining its rollouts."""

import pyarrow as pa

from recthinker.tables.schemas.base import (
    ATTRIBUTES,
    COUNTS,
    DOUBLE,
    DS,
    DS_IS_A_DATE,
    FIGURES,
    INT,
    ITEM,
    LONG,
    STRING,
    STRINGS,
    TIME,
    USER,
    Column,
    Table,
    rows,
)
from recthinker.tables.schemas.learning import ROLLOUTS

TRAJECTORIES = Table(
    "trajectories",
    "What the agent did for a user, token by token.",
    ("ds", "user_id"),
    ("ds",),
    (
        DS,
        USER,
        Column(
            "status",
            STRING,
            "ranked, repaired, fallback_invalid, fallback_timeout, fallback_error or unchanged",
        ),
        Column("stop_reason", STRING, "why the episode ended: answered, forced, invalid, timeout, error: ..."),
        Column("turns", rows(role=STRING, text=STRING), "the episode as text; role is prompt, agent or tool"),
        Column("token_ids", pa.list_(INT), "the whole episode as the engine saw it"),
        Column("agent_mask", pa.list_(INT), "1 where the model wrote the token"),
        Column("logprobs", pa.list_(pa.float32()), "of the model's tokens; 0 elsewhere"),
        Column(
            "tool_calls",
            rows(
                name=STRING,
                arguments=STRING,
                result=STRING,
                rows=INT,
                ok=pa.bool_(),
                keys=STRINGS,
                tables=COUNTS,
                levels=STRINGS,
            ),
            "in order: arguments as JSON, result as the agent read it, rows found, whether the call was valid; ids "
            "looked up (the user, then the items asked about) and Delta version by table read, both empty for a call "
            "that was not carried out; names of the levels that the tool gives (older rows: null in the last three)",
        ),
        Column(
            "tokens",
            pa.struct([pa.field("prompt", LONG), pa.field("cached", LONG), pa.field("generated", LONG)]),
            "summed over the episode's requests: prompt tokens, those of them served from cache, tokens written",
        ),
        Column("ranking", STRINGS, "all candidates, best first"),
        Column(
            "scores",
            pa.list_(DOUBLE),
            "their scores, same order: log-probabilities of their labels, or 0, -1, ... down a list",
        ),
        Column("versions", ATTRIBUTES, "model, prompt and table versions read"),
        Column("fingerprint", STRING, "hash of everything that the episode depended on"),
    ),
    (DS_IS_A_DATE,),
)
RECOMMENDATIONS = Table(
    "recommendations",
    "What apps read: the best items for each user.",
    ("ds", "user_id", "rank"),
    ("ds",),
    (
        DS,
        USER,
        Column("rank", INT, "1 = best; at most `agent.publish_top_n`"),
        ITEM,
        Column("score", DOUBLE, "higher is better; comparable within a user only"),
        Column("source", STRING, "agent, repaired or fallback"),
        Column("reason", STRING, "the evidence that spoke for the item, in a few words"),
        Column("model_version", STRING, "registered model and version"),
        Column("run_id", STRING, "run that wrote the row"),
    ),
    (("rank_from_1", "rank >= 1"), ("score_is_a_number", "NOT isnan(score)"), DS_IS_A_DATE),
)
RUN_MANIFEST = Table(
    "run_manifest",
    "One row a published night: what was read, by what, and how it went.",
    ("ds", "run_id"),
    ("ds",),
    (
        DS,
        Column("run_id", STRING, "run"),
        Column("model_version", STRING, "registered model and version"),
        Column("prompt_version", STRING, "hash of prompt, tools and format"),
        Column("users", LONG, "users asked for"),
        Column("outcomes", COUNTS, "users by outcome; they sum to `users`"),
        Column("row_counts", COUNTS, "rows by table written"),
        Column("table_versions", COUNTS, "Delta version by table read"),
        Column("seconds", FIGURES, "wall seconds by stage"),
        Column("published_at", TIME, "when the commit was made"),
        Column(
            "metrics",
            FIGURES,
            "figures of the inference, summed over shards: tool calls and faults, tokens, rates, cache hit share",
            nullable=True,
        ),
    ),
    (("users_not_negative", "users >= 0"), DS_IS_A_DATE),
)

OUTPUTS = (TRAJECTORIES, RECOMMENDATIONS, RUN_MANIFEST, ROLLOUTS)
