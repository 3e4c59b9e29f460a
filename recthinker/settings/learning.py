"""Settings of training, evaluation and the registry."""

from typing import Literal

from pydantic import Field

from recthinker.settings.base import Section


class TrainingSettings(Section):
    """The first model: base training from scratch, then SFT."""

    seed: int
    """Seed of everything random in training, but for the base model."""
    base_seed: int
    """Seed of the base model."""
    holdout_last: int = Field(ge=2)
    """Newest events of each user that the training cut takes away; the last is for evaluation, the rest are targets."""
    hard_share: float = Field(ge=0, le=1)
    """Share of draws with negatives from the candidate sources; one whose target these do not offer is left out."""
    call_price: float = Field(ge=0)
    """NDCG@10 that a further call has to bring on average: one of the scripted planner, from whom base training learns,
    and one of the rollouts that SFT selects from."""
    base_short_episodes: int = Field(ge=0)
    """Demonstrations cut down to a few candidates, which base training sees first."""
    base_episodes: int = Field(ge=1)
    """Whole demonstration episodes that it sees then."""
    base_batch_size: int = Field(ge=1)
    """Whole ones per optimizer step, or twice as many short ones: to add up what several tools tell is learned in many
    small steps."""
    sft_episodes: int = Field(ge=1)
    """Episodes seen in SFT."""
    batch_size: int = Field(ge=1)
    """Episodes per optimizer step of SFT."""
    muon_lr: float = Field(gt=0)
    """Peak learning rate of Muon (2-D hidden matrices)."""
    embedding_lr: float = Field(gt=0)
    """Peak learning rate of AdamW for the embeddings."""
    adamw_lr: float = Field(gt=0)
    """Peak learning rate of AdamW for head and norms."""
    sft_lr: float = Field(gt=0)
    """Peak learning rate of SFT (AdamW)."""
    threads: int = Field(ge=1)
    """Compute threads."""

    @property
    def cut(self) -> str:
        """The training cut, as `build_features --cut` takes it."""
        return f"holdout_last:{self.holdout_last}"


class EvaluationSettings(Section):
    """The offline protocol: each user's last interaction among sampled candidates."""

    protocol: str = Field(pattern=r"^(leave_last_one|temporal:\d{4}-\d\d-\d\d)$")
    """`leave_last_one`, or `temporal:YYYY-MM-DD`: the first day that the statistics do not see."""
    negatives: int = Field(ge=1, le=25)
    """Random items beside the target, none of which the user has."""
    k: int = Field(ge=1)
    """Cut-off of NDCG and HR."""
    itemknn_neighbours: int = Field(ge=1)
    """Neighbours of the ItemKNN baseline."""
    ease_l2: float = Field(gt=0)
    """Penalty of the EASE baseline."""
    ease_max_items: int = Field(ge=1)
    """Largest catalogue that EASE is run on: it inverts a matrix of items by items."""
    shuffles: int = Field(ge=1)
    """Orders in which each user's candidates are shown to the agent; a user counts with the mean."""
    segment_share: float = Field(gt=0, lt=1)
    """Share of the users in each segment: the shortest histories, the rarest and the most popular targets."""
    bootstrap_draws: int = Field(ge=100)
    """Resamples of users for an interval."""
    seed: int
    """Seed of negatives, candidate order and bootstrap."""

    @property
    def cut(self) -> str:
        """The training cut that the protocol needs, as `build_features --cut` takes it."""
        return "holdout_last:1" if self.protocol == "leave_last_one" else self.protocol


class GateSettings(Section):
    """What a challenger must show before it serves in the champion's place."""

    challenger: str
    """Alias of the version that waits at the gate."""
    margin: float = Field(ge=0)
    """NDCG: better is an interval of the paired difference above this; as good, one above minus this."""
    fewer_calls_share: float = Field(gt=0, lt=1)
    """Share of the champion's calls that a challenger which is only as good must save."""
    max_validity_loss: float = Field(ge=0, le=1)
    """Share of the episodes by which answers of its own may become fewer."""
    max_latency_ratio: float = Field(gt=0)
    """Seconds for a user, as a multiple of the champion's."""
    protected_segments: tuple[Literal["short histories", "rare targets", "popular targets"], ...]
    """Groups of users that may not lose more than `max_segment_loss`."""
    max_segment_loss: float = Field(ge=0)
    """NDCG that the mean of a protected segment may lose."""
    max_order_correlation: float = Field(gt=0, lt=1)
    """Correlation of rank with shown position, either way, above which a model ranks by the order shown."""
    max_blind_lead: float = Field(ge=0)
    """NDCG by which a model without tools may lead popularity before it is held to know the targets."""
    min_users: int = Field(ge=1)
    """Users below which nothing is decided."""


class RegistrySettings(Section):
    """MLflow."""

    tracking_uri: str | None
    """null: sqlite under var/mlflow."""
    experiment: str
    """Experiment that runs are logged to."""
    traced_episodes: int = Field(ge=0, le=200)
    """Episodes of a night that are shown turn by turn as MLflow traces; each outcome is among them, where so many are
    asked for."""
