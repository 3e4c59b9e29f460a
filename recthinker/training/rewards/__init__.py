"""What a rollout is trained towards, one reward a file, and how a group's rewards become advantages."""

from recthinker.training.rewards.advantages import Advantages, group_advantages

__all__ = ["Advantages", "group_advantages"]
