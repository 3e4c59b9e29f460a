"""What a model version is: a name, a version and a folder that holds a whole model."""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

from recthinker.errors import RegistryError

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
MODEL_FILES = (CONFIG, WEIGHTS, TOKENIZER)
WEIGHTS_INDEX = "model.safetensors.index.json"
"""Stands in the place of `WEIGHTS` where they lie in several files."""
PICKLED = (".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth")


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A model that can serve."""

    name: str
    """Registered model, or the folder's name for a model given by path."""
    version: str
    """Version number, or a hash of the files for a model given by path."""
    path: Path
    """Folder with its files."""

    def __str__(self) -> str:
        """`name/version`, as stamped on every row that the model made."""
        return f"{self.name}/{self.version}"


def model_files(folder: Path) -> tuple[str, ...]:
    """Names of the files that make the model in `folder`, there or not; of weights in several files, all that their
    index names.

    Raises:
        RegistryError: the index cannot be read.
    """
    index = folder / WEIGHTS_INDEX
    if (folder / WEIGHTS).is_file() or not index.is_file():
        return MODEL_FILES
    try:
        parts = sorted(
            {Path(name).name for name in json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()}
        )
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise RegistryError(f"{index} is no index of safetensors files ({error!r}); save the model again") from error
    return (CONFIG, WEIGHTS_INDEX, *parts, TOKENIZER)


def require_model(folder: Path) -> Path:
    """`folder`, when it holds a whole model with safe weights.

    Raises:
        RegistryError: a file is missing, or weights are pickled: loading them would run code.
    """
    wanted = model_files(folder)
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        raise RegistryError(
            f"a model folder needs {_named(wanted)}; {folder} lacks {_named(missing)}. "
            "Train or register the model again, or correct model.path"
        )
    pickled = sorted(path.name for path in folder.rglob("*") if path.suffix in PICKLED)
    if pickled:
        raise RegistryError(
            f"model folder {folder} holds pickled files ({', '.join(pickled[:3])}), which run code when "
            "loaded; keep the weights as safetensors only"
        )
    return folder


def version_of_folder(folder: Path) -> ModelVersion:
    """A model given by path; its version is a hash of its files, so that rows still tell which model made
    them.

    Raises:
        RegistryError: the folder is no model.
    """
    digest = hashlib.sha256()
    for name in model_files(require_model(folder)):
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return ModelVersion(folder.resolve().name, digest.hexdigest()[:12], folder)


def local_folder(source: str, folder: Path) -> Path:
    """Where the files at the URI `source` lie on this machine; fetched once, to `folder`, if they are elsewhere."""
    uri = urlparse(source)
    if uri.scheme in ("", "file"):
        return Path(unquote(uri.path))
    if not folder.is_dir():
        from mlflow.artifacts import download_artifacts

        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as partial:
            Path(download_artifacts(artifact_uri=source, dst_path=partial)).rename(folder)
    return folder


def _named(files: Sequence[str]) -> str:
    """The first of many names."""
    return ", ".join(files[:5]) + (", ..." if len(files) > 5 else "")
