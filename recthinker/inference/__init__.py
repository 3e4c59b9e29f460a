"""Running many episodes through one engine. vLLM is imported by `recthinker.inference.vllm_engine` only."""

from recthinker.inference.batch import run_episodes
from recthinker.inference.engine import Engine
from recthinker.inference.progress import BatchProgress
from recthinker.inference.scripted import ScriptedEngine

__all__ = ["BatchProgress", "Engine", "ScriptedEngine", "run_episodes"]
