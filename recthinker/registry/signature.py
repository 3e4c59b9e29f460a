"""What a model takes and gives, as MLflow's `MLmodel` file beside the weights.

The model is a causal language model: token ids in, the log-probability of every next token out. That it ranks by those
of the candidates' labels is the agent's doing, and no part of the signature. There is no pyfunc flavour: the folder is
served by vLLM as it is.
"""

import json
from pathlib import Path
from typing import Any

MLMODEL = "MLmodel"
FLAVOUR = "recthinker"


def write_signature(folder: Path, model_dir: Path, *, run_id: str, model_id: str) -> Path:
    """Write `folder/MLmodel` for the model in `model_dir`.

    Args:
        run_id: MLflow run that made it.
        model_id: of its LoggedModel.
    """
    import numpy as np
    from mlflow.models import Model, ModelSignature
    from mlflow.types import Schema, TensorSpec

    config = _config(model_dir)
    inputs = Schema([TensorSpec(np.dtype("int64"), (-1, -1), "token_ids")])
    outputs = Schema([TensorSpec(np.dtype("float32"), (-1, config.get("vocab_size", -1)), "next_token_logprobs")])
    model = Model(
        run_id=run_id,
        model_id=model_id,
        signature=ModelSignature(inputs, outputs),
        flavors={FLAVOUR: {"served_by": "vLLM", "architectures": config.get("architectures", [])}},
        model_size_bytes=sum(path.stat().st_size for path in model_dir.rglob("*") if path.is_file()),
    )
    path = folder / MLMODEL
    model.save(str(path))
    return path


def _config(model_dir: Path) -> dict[str, Any]:
    """The model's config.json; empty where it is no JSON."""
    try:
        config: dict[str, Any] = json.loads((model_dir / "config.json").read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return config
