"""Settings of retraining: what is collected, what of it is learned from, and reinforcement learning."""

from typing import Literal

from pydantic import Field

from recthinker.settings.base import Section


class CollectSettings(Section):
    """Rollouts: several episodes of each request of the training cut, to be told apart by how they end."""

    requests: int = Field(ge=1)
    """Requests that are asked."""
    rollouts: int = Field(ge=1)
    """Episodes of each request."""
    temperature: float = Field(gt=0)
    """Of the model's sampling; 1 is the model as it is."""
    random_share: float = Field(ge=0, le=1)
    """Share of the turns in which the scripted planner, where no model serves yet, follows a random plan: some of its
    episodes call too much, some too little."""


class SelectionSettings(Section):
    """Which rollouts SFT learns from."""

    easy_rank: int = Field(ge=1)
    """Lowest rank of the target that is good enough where it ranks first in most rollouts of the request."""
    hard_rank: int = Field(ge=1)
    """The same where it rarely does; between the two the bar follows how often it does."""
    per_request: int = Field(ge=1)
    """Rollouts kept of one request."""
    per_user: int = Field(ge=1)
    """Rollouts kept of one user."""
    max_plan_share: float = Field(gt=0, le=1)
    """Share of all that are kept which one plan may have."""


class RlSettings(Section):
    """Reinforcement learning with TRL's GRPOTrainer over this project's own rollouts."""

    algorithm: Literal["grpo", "dr_grpo", "dapo"]
    """`grpo` divides by each episode's length and a group's spread, `dr_grpo` by neither, `dapo` by all tokens of a
    batch, with a higher upper clip."""
    steps: int = Field(ge=1)
    """Optimizer steps; to go without RL, leave the stage out."""
    requests_per_step: int = Field(ge=1)
    """Requests in a step."""
    rollouts: int = Field(ge=2)
    """Episodes of each request: a group."""
    micro_batch: int = Field(ge=1)
    """Episodes in a forward pass."""
    lr: float = Field(gt=0)
    """Learning rate (AdamW), without decay."""
    near_best: float = Field(ge=0)
    """NDCG within which an answer counts as good as the group's best; below the gap of any two neighbouring ranks, or
    fewer calls would be worth more than a better ranking."""
    efficiency: float = Field(ge=0)
    """Weight of fewer calls among the near-best of a group, in NDCG: of 0.05 a second call costs 0.007. Where all rank
    alike nothing speaks for the call, so that a larger price buys fewer calls with a worse ranking."""
    broken_call: float = Field(ge=0)
    """Calls that a broken one counts as, beside itself."""
    answer_weight: float = Field(ge=0)
    """Weight of what answers should say, cross-entropy, nats, beside the loss of the calls; at 0 answers wear away as
    calls are learned. Chosen for `dr_grpo`, whose loss is divided by `agent.max_episode_tokens`; the others divide by
    tokens written. Of a list that is written out nothing is learned in this way."""
    kl: float = Field(ge=0)
    """Weight of the KL divergence from the model that RL began with; 0: none is computed."""
    redraw: int = Field(ge=1)
    """Requests drawn for each one that is trained on. Half of these are taken as drawn, half where groups disagree
    most."""
    probe_tolerance: float = Field(gt=0)
    """Log-probability by which engine and trainer may differ on the probe after a hand-over of weights."""
    save_every: int = Field(ge=1)
    """Steps between two checkpoints."""
    method: Literal["full", "lora"]
    """What is trained, in SFT and RL: all weights, or low-rank adapters that are merged in at the end."""
    lora_rank: int = Field(ge=1)
    """Rank of the adapters."""
