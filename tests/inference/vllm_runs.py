"""`python -m tests.inference.vllm_runs FOLDER [--process]`: the little world's users through vLLM, in several ways.

Writes FOLDER/ways.json: {way: {request: [outcome, places, scores]}}, and how many threads PyTorch has. One engine lives
in a process, so tests start this as a child.
"""

import json
import sys
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import torch

from recthinker.agent import Agent
from recthinker.errors import EngineError
from recthinker.inference import run_episodes
from recthinker.inference.vllm_engine import VllmEngine
from recthinker.lookup import RequestRow, Snapshot
from recthinker.settings import Settings, load_settings
from recthinker.tools.base import levels
from recthinker.training.tiny import new_model, save_model
from tests import little_world as world

COPIES = 12
"""Requests of each user, each with a candidate order of its own."""


def main(folder: Path, *, engine_process: bool) -> None:
    """Run all ways over one engine."""
    torch.set_num_threads(2)  # as on a machine of two cores; the settings want one
    settings = _settings(engine_process)
    agent = world.agent(settings)
    model = new_model(agent.chat, settings.model, max_length=settings.agent.max_episode_tokens, seed=3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.1)  # as it starts, a layer adds nothing, and no token would matter to another
    save_model(model, agent.chat, folder / "model")
    snapshot = world.snapshot(folder / "snapshot")
    levels(np.ones(1))  # loads numba, beside which vLLM has to start
    limits = {"max_model_len": settings.agent.max_episode_tokens, "temperature": settings.agent.temperature}
    engine = VllmEngine(folder / "model", settings.inference, **limits)
    rows = [replace(snapshot.request(user), key=f"{user}{copy}") for copy in range(COPIES) for user in world.HISTORIES]
    ways = {
        "all at once": _run(engine, agent, snapshot, rows, 64),
        "one at a time": _run(engine, agent, snapshot, rows, 1),
        "backwards": _run(engine, agent, snapshot, rows[::-1], 16),
        "two shards": _run(engine, agent, snapshot, rows[::2], 64) | _run(engine, agent, snapshot, rows[1::2], 64),
    }
    if engine_process:
        ways["hung"] = _hung(engine, agent, snapshot, rows)
        ways["killed"] = _killed(engine, agent, snapshot, rows)
    (folder / "ways.json").write_text(json.dumps({**ways, "threads": torch.get_num_threads()}), encoding="utf-8")


def _settings(engine_process: bool) -> Settings:
    # 512 hidden x 2 layers: 16 MiB hold 2,048 tokens, fewer than the episodes of all requests have.
    return load_settings(
        "test",
        environ={},
        overrides={
            "inference": {
                "engine": "vllm",
                "engine_process": engine_process,
                "engine_timeout_s": 15,
                "kv_cache_mb": 16,
                "max_in_flight": 64,
            },
            "model": {"hidden_size": 512, "layers": 2, "heads": 16, "intermediate_size": 64},
            "agent": {"max_episode_tokens": 256, "temperature": 1.0},
        },
    )


def _run(
    engine: VllmEngine, agent: Agent, snapshot: Snapshot, rows: Iterable[RequestRow], in_flight: int
) -> dict[str, object]:
    episodes = run_episodes(engine, agent, snapshot.items, rows, max_in_flight=in_flight)
    return {
        episode.scene.request.key: [str(episode.outcome), *map(list, zip(*episode.ranking(), strict=True))]
        for episode in episodes
    }


def _hung(engine: VllmEngine, agent: Agent, snapshot: Snapshot, rows: list[RequestRow]) -> list[object]:
    """What the watchdog says when the engine's process stands still in mid-batch; and how many end once it goes on."""
    episodes = run_episodes(engine, agent, snapshot.items, rows, max_in_flight=4)
    next(episodes)
    core, said = _core(), []

    def told(raised: threading.ExceptHookArgs) -> None:
        said.append(str(raised.exc_value))
        core.resume()

    threading.excepthook = told
    core.suspend()
    return [1 + len(list(episodes)), *said]


def _core() -> psutil.Process:
    """The engine's process."""
    (core,) = [child for child in psutil.Process().children(recursive=True) if "EngineCore" in child.name()]
    return core


def _killed(engine: VllmEngine, agent: Agent, snapshot: Snapshot, rows: list[RequestRow]) -> str:
    """What the driver says when the engine's process is killed in mid-batch."""
    episodes = run_episodes(engine, agent, snapshot.items, rows, max_in_flight=4)
    next(episodes)
    _core().kill()
    try:
        list(episodes)
    except EngineError as error:
        return str(error)
    return "nothing"


if __name__ == "__main__":
    main(Path(sys.argv[1]), engine_process="--process" in sys.argv)
