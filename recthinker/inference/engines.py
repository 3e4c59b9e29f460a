"""The engine that settings name, for one model folder."""

from pathlib import Path

from recthinker.agent import Agent
from recthinker.inference.engine import Engine
from recthinker.inference.scripted import Planner, ScriptedEngine
from recthinker.settings import Settings


def open_engine(model_dir: Path, agent: Agent, settings: Settings) -> Engine:
    """A ready engine.

    Raises:
        RegistryError: the folder is not a model.
        EngineError: the engine cannot start.
        ConfigError: the scripted engine cannot write the agent's chat format.
    """
    if settings.inference.engine == "scripted":
        return ScriptedEngine(Planner(agent.chat, agent.toolbox.tools))
    # Imported here: it takes ten seconds, and only a process that runs a model needs it.
    from recthinker.inference.vllm_engine import VllmEngine

    return VllmEngine(
        model_dir,
        settings.inference,
        max_model_len=settings.agent.max_episode_tokens,
        temperature=settings.agent.temperature,
    )
