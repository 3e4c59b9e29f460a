"""What a rollout is trained towards, one reward a file, and how a group's rewards become advantages."""

from recthinker.training.rewards.advantages import Advantages, group_advantages
from recthinker.training.rewards.answer import answer_advantage

__all__ = ["Advantages", "answer_advantage", "group_advantages"]
