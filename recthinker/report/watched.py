"""What a stage watches while it runs: the name under which a curve is kept, in the words and units of a reader."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Watched:
    """A quantity."""

    title: str
    unit: str
    """Of its values; empty where it is not known."""
    place: int
    """In the order in which the quantities of a stage are read."""


LOSS = {"base": "nats per token", "sft": "nats per trained token", "rl": "of calls and answers; its size says little"}
"""Unit of the loss by stage."""
KNOWN = {
    "ndcg": ("NDCG", "mean of all rollouts drawn"),
    "reward_ranking": ("Reward: ranking", "NDCG, mean of the rollouts trained on"),
    "reward_efficiency": ("Reward: efficiency", "0 to 1, mean of the rollouts trained on"),
    "reward_validity": ("Reward: validity", "−1 to 0, mean of the rollouts trained on"),
    "calls": ("Tool calls", "calls an episode"),
    "broken_calls": ("Broken calls", "calls an episode"),
    "valid_share": ("Valid episodes", "share with an answer of their own"),
    "written_tokens": ("Response length", "tokens that the agent writes in an episode"),
    "answer_divergence": ("Answers", "divergence from what they should say, nats"),
    "flat_groups": ("Groups without variance", "share of groups; they teach nothing"),
    "kl": ("KL", "from the model it began with, nats per token"),
    "entropy": ("Entropy", "nats per token"),
    "grad_norm": ("Gradient norm", "before clipping"),
    "loss": ("Loss", ""),
    "probe_difference": ("Engine and trainer", "largest difference on the probe, nats"),
    "sampling_difference": ("Engine and trainer, sampled", "largest difference of a token, nats"),
    "learning_rate": ("Learning rate", "of a step"),
}
"""Title and unit by name, in the order in which they are read."""


def describe(stage: str, name: str) -> Watched:
    """What a curve of a stage shows; a name that is not known is its own title, and comes last."""
    title, unit = KNOWN.get(name, (name.replace("_", " "), ""))
    place = list(KNOWN).index(name) if name in KNOWN else len(KNOWN)
    return Watched(title, LOSS.get(stage, "") if name == "loss" else unit, place)
