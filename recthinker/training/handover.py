"""Hands a trainer's weights to the live engine, and makes sure that the engine runs on them.

A reload that goes wrong may go unnoticed for a whole training: the engine goes on with old weights, or old cached
prefixes. So after each one both score the same probe, and training stops where they differ.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from recthinker.agent import Generate
from recthinker.errors import TrainingError
from recthinker.inference.engine import Engine

PROBE = "probe"
"""Id of the probe's request; no user's."""


class TrainableEngine(Engine, Protocol):
    """An engine whose weights can be replaced."""

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]] | Path) -> None:
        """Serve with other weights from now on."""
        ...


class Handover:
    """From a model in training to an engine.

    Args:
        probe: tokens that both continue.
        labels: tokens whose log-probabilities are compared.
        tolerance: by which these may differ.
        by_file: whether weights go by a file, as they must to an engine in a process of its own.
    """

    def __init__(
        self, engine: TrainableEngine, probe: Sequence[int], labels: Sequence[int], *, tolerance: float, by_file: bool
    ) -> None:
        self._engine = engine
        self._probe, self._labels = list(probe), tuple(labels)
        self._tolerance = tolerance
        self._by_file = by_file

    def __call__(self, model: torch.nn.Module) -> float:
        """Hand the weights over; by how much engine and trainer differ on the probe.

        Raises:
            EngineError: the engine did not take them.
            TrainingError: engine and trainer do not agree on the probe.
        """
        with _merged(model) as plain, torch.no_grad():
            if self._by_file:
                with tempfile.TemporaryDirectory() as folder:
                    plain.save_pretrained(folder, state_dict=dict(plain_weights(plain)))
                    self._engine.load_weights(Path(folder))
            else:
                self._engine.load_weights(plain_weights(plain))
            return self._compare(plain)

    def _compare(self, model: PreTrainedModel) -> float:
        difference = float((_by_trainer(model, self._probe, self._labels) - self._by_engine()).abs().max())
        if not difference <= self._tolerance:
            raise TrainingError(
                f"after the hand-over of weights the engine's log-probabilities differ from the trainer's by "
                f"{difference:.2g}, allowed are {self._tolerance:g} (rl.probe_tolerance): it does not run on these "
                "weights, and what it would sample is of no use. Nothing was registered"
            )
        return difference

    def _by_engine(self) -> torch.Tensor:
        self._engine.add(PROBE, Generate(self._probe, 1, (), self._labels), seed=0)
        while True:
            for _, generated in self._engine.step():
                return torch.tensor(generated.scores, dtype=torch.float32)


def plain_weights(model: PreTrainedModel) -> Iterator[tuple[str, torch.Tensor]]:
    """The weights by the names of the model's own files, whatever low-rank adapters have wrapped."""
    for name, weight in model.state_dict().items():
        if "lora_" not in name:
            yield name.replace(".base_layer.", "."), weight


def _by_trainer(model: PreTrainedModel, probe: list[int], labels: tuple[int, ...]) -> torch.Tensor:
    was_training = model.training
    model.eval()
    logits = model(input_ids=torch.tensor([probe], device=model.device)).logits[0, -1].float()
    model.train(was_training)
    scores: torch.Tensor = torch.log_softmax(logits, -1)[list(labels)].cpu()
    return scores


@contextmanager
def _merged(model: torch.nn.Module) -> Iterator[PreTrainedModel]:
    """The model with its adapters, if it has some, merged into the weights for as long as the context lasts."""
    if not isinstance(model, PeftModel):
        assert isinstance(model, PreTrainedModel)
        yield model
        return
    model.merge_adapter()
    try:
        plain = model.get_base_model()
        assert isinstance(plain, PreTrainedModel)
        yield plain
    finally:
        model.unmerge_adapter()
