"""Settings of training, evaluation and the registry."""

from pydantic import Field

from recthinker.settings.base import Section


class TrainingSettings(Section):
    """The first model: base training from scratch, then SFT."""

    seed: int
    """Seed of everything random in training."""
    holdout_last: int = Field(ge=2)
    """Newest events of each user that the training cut takes away; the last is for evaluation, the rest are targets."""
    hard_share: float = Field(ge=0, le=1)
    """Share of episodes with negatives from the candidate sources, of those whose target the sources offer too."""
    base_short_episodes: int = Field(ge=0)
    """Demonstrations cut down to a few candidates, which base training sees first."""
    base_episodes: int = Field(ge=1)
    """Whole demonstration episodes that it sees then."""
    sft_episodes: int = Field(ge=1)
    """Episodes seen in SFT."""
    batch_size: int = Field(ge=1)
    """Episodes per optimizer step."""
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


class EvaluationSettings(Section):
    """The offline protocol: each user's last interaction among sampled candidates."""

    negatives: int = Field(ge=1, le=25)
    """Random items beside the target, none of which the user has."""
    k: int = Field(ge=1)
    """Cut-off of NDCG and HR."""
    itemknn_neighbours: int = Field(ge=1)
    """Neighbours of the ItemKNN baseline."""
    bootstrap_draws: int = Field(ge=100)
    """Resamples of users for an interval."""
    seed: int
    """Seed of negatives, candidate order and bootstrap."""


class RegistrySettings(Section):
    """MLflow."""

    tracking_uri: str | None
    """null: sqlite under var/mlflow."""
    experiment: str
    """Experiment that runs are logged to."""
