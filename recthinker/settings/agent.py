"""Settings of the agent, its tools, the engine and the model."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from recthinker.settings.base import Section

ToolName = Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]*|[A-Za-z_][\w.]*:[A-Za-z_]\w*)$")]
"""A built-in tool, or `package.module:Class`."""

ChatFormatName = Literal["compact", "hermes"]
RankingName = Literal["labels", "generate"]


class ToolSettings(Section):
    """What the tools show."""

    enabled: tuple[ToolName, ...] = Field(min_length=1)
    """Tools that the agent may call, in the order in which it is told of them: names of built-in ones, or your own as
    `package.module:Class` (docs/tools.md)."""
    max_results: int = Field(ge=1)
    """Candidates that one result speaks of, strongest first."""
    max_history: int = Field(ge=1)
    """History events that one result shows."""
    max_title_words: int = Field(ge=1)
    """Words of a title that are shown."""
    privacy_min_users: int = Field(ge=2)
    """Similar users are reported only as counts over at least this many people."""


class AgentSettings(Section):
    """An episode."""

    chat_format: ChatFormatName
    """How turns are written: `compact` for a model that this pipeline trained, `hermes` for a pretrained one with
    ChatML turns and JSON tool calls (Qwen and the like)."""
    ranking: RankingName
    """How the answer is read: `labels` by the log-probabilities of all labels in one forward pass, `generate` by
    letting the model write the list out."""
    max_calls: int = Field(ge=0)
    """Tool calls per episode; then the agent must answer."""
    max_turn_tokens: int = Field(ge=4)
    """Tokens that the model may write in one turn."""
    max_episode_tokens: int = Field(ge=64)
    """Tokens of a whole episode, prompt included; close to it the agent must answer."""
    timeout_s: float = Field(gt=0)
    """Seconds per episode; then the user gets a fallback."""
    temperature: float = Field(ge=0)
    """0 = greedy."""
    publish_top_n: int = Field(ge=1)
    """Ranks published per user."""
    seed: int
    """Seed of candidate order and sampling, mixed with the user's id."""


class InferenceSettings(Section):
    """The engine and the batch driver."""

    engine: Literal["vllm", "scripted"]
    """`scripted` answers by rule, for tests: no model."""
    engine_process: bool
    """Whether vLLM's core runs in a process of its own and goes on while tools run: for GPUs. On CPU it would take the
    cores of the driver, and the order of its work would differ from run to run."""
    eager: bool
    """Whether vLLM runs the model as it is, without compiling it first: for tiny models."""
    dtype: Literal["float32", "bfloat16"]
    """Numbers that the model computes with: bfloat16 on GPUs; on a CPU without bfloat16 arithmetic it is slow."""
    max_in_flight: int = Field(ge=1)
    """Episodes alive at once in a shard, where the KV cache has room for them."""
    kv_cache_mb: int = Field(ge=16)
    """Memory of the KV cache, MiB."""
    block_size: int = Field(ge=8)
    """Tokens per KV block; only whole blocks are shared."""
    max_batched_tokens: int = Field(ge=512)
    """Tokens per engine step."""
    threads: int = Field(ge=1)
    """Compute threads on CPU."""
    engine_timeout_s: float = Field(gt=0)
    """Seconds that a step of the engine may take; then it hangs, and its job ends, to be tried again. Loading the model
    is not counted."""
    max_failed_share: float = Field(ge=0, le=1)
    """A shard with more fallbacks than this fails, and nothing is published."""
    max_tool_fault_share: float = Field(ge=0, le=1)
    """A shard in which a larger share of the calls met a broken tool fails: the agent would rank half blind."""
    keep_unchanged: bool
    """Whether a user for whom the agent would read the same as on the night before keeps that night's ranking; false:
    all users run."""
    users_per_part: int = Field(ge=1)
    """Finished users that a shard commits at once: those whose work a killed run loses at most, besides those in
    flight."""


class ModelSettings(Section):
    """Which model serves."""

    name: str
    """Registered model in MLflow."""
    alias: str
    """Alias that a night resolves, once."""
    path: Path | None
    """A model folder to use instead of the registry (no training then)."""
    hidden_size: int = Field(ge=32)
    """Width of the tiny model."""
    layers: int = Field(ge=1)
    """Layers of the tiny model."""
    heads: int = Field(ge=1)
    """Attention heads of the tiny model; hidden_size / heads should be 32, which vLLM's CPU kernels take."""
    intermediate_size: int = Field(ge=32)
    """Width of its feed-forward layers."""
    vocabulary: int = Field(ge=256)
    """Largest size of its tokenizer."""
