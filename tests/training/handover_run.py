"""`python -m tests.training.handover_run FOLDER`: weights from a trainer to a live vLLM engine, in several ways.

Writes FOLDER/found.json: {way: largest difference of the labels' log-probabilities, or what was raised}. One engine
lives in a process, so tests start this as a child.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from peft import get_peft_model
from transformers import AutoModelForCausalLM

from recthinker.agent import Agent
from recthinker.errors import TrainingError
from recthinker.inference.engines import open_engine
from recthinker.training.adapters import adapter_config, save_plain
from recthinker.training.handover import Handover
from tests.training.tiny_world import save_tiny, tiny_settings


class Deaf:
    """The engine, but for new weights, which it does not hear of."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def load_weights(self, weights: Iterable[Any]) -> None:
        list(weights)


def main(folder: Path) -> None:
    """Hand weights over: changed ones, adapters, by a file; and to an engine that keeps its old ones."""
    settings = tiny_settings(inference={"engine": "vllm"}, rl={"method": "lora", "lora_rank": 4})
    start = save_tiny(folder / "model", settings)
    agent = Agent.load(start, settings.agent, settings.tools)
    engine: Any = open_engine(start, agent, settings)
    probe, labels = [*agent.system_ids, *agent.chat.turn([], None)], agent.chat.label_ids[:8]

    def handed(model: Any, to: Any, *, by_file: bool = False) -> float | str:
        try:
            return Handover(to, probe, labels, tolerance=1e-3, by_file=by_file)(model)
        except TrainingError as error:
            return str(error)

    model = AutoModelForCausalLM.from_pretrained(start, dtype="float32")
    found = {"as it was": handed(model, engine)}
    _shake(model.parameters(), 1)
    found["to a deaf engine"] = handed(model, Deaf(engine))
    found["changed"] = handed(model, engine)
    _shake(model.parameters(), 2)
    found["by a file"] = handed(model, engine, by_file=True)
    adapted = get_peft_model(model, adapter_config(settings.rl))
    _shake((weight for name, weight in adapted.named_parameters() if "lora_" in name), 3)
    found["adapters"] = handed(adapted, engine)
    found["adapters by a file"] = handed(adapted, engine, by_file=True)
    found["adapters, unmerged again"] = handed(adapted, engine)
    save_plain(adapted, start, folder / "merged")
    found["adapters in a folder"] = handed(AutoModelForCausalLM.from_pretrained(folder / "merged"), Deaf(engine))
    (folder / "found.json").write_text(json.dumps(found), encoding="utf-8")


@torch.no_grad()
def _shake(weights: Iterable[torch.nn.Parameter], seed: int) -> None:
    noise = torch.Generator().manual_seed(seed)
    for weight in weights:
        weight.add_(0.05 * torch.randn(weight.shape, generator=noise))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
