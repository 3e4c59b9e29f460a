"""vLLM behind the engine's protocol, and the only file that imports it.

On CPU the engine runs in this process, so that the order of its work is always the same; on a GPU in one of its own.
Chunked prefill is off: on CPU it cannot be combined with seeded requests.
Source: vLLM 0.31, `vllm/v1/engine/llm_engine.py`.
"""

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import connection
from pathlib import Path
from threading import Thread
from typing import Any

from recthinker.agent import Generate, Generated
from recthinker.errors import EngineError
from recthinker.inference.engine import KvCache
from recthinker.inference.watchdog import Watchdog
from recthinker.registry.versions import require_model
from recthinker.settings import InferenceSettings

PRIMING = "shared prefix"
"""Id of the request that computes the shared prefix; no user's."""


class VllmEngine:
    """One vLLM engine. At most one can live in a process.

    Args:
        model_dir: a folder with safetensors, config.json and tokenizer.json; no remote code is run.
        max_model_len: longest episode, tokens.
        temperature: 0 = greedy.

    Raises:
        RegistryError: the folder is not a model, or holds weights that run code when they are loaded.
        EngineError: vLLM cannot start.
    """

    def __init__(self, model_dir: Path, settings: InferenceSettings, *, max_model_len: int, temperature: float) -> None:
        require_model(model_dir)
        _prepare_environment(settings)
        started = time.monotonic()
        try:
            import torch
            from vllm import SamplingParams
            from vllm.engine.arg_utils import EngineArgs
            from vllm.sampling_params import RequestOutputKind
            from vllm.v1.engine.llm_engine import LLMEngine

            arguments = EngineArgs(
                model=str(model_dir),
                skip_tokenizer_init=True,
                trust_remote_code=False,
                load_format="safetensors",
                dtype=settings.dtype,
                enforce_eager=settings.eager,
                enable_prefix_caching=True,
                enable_chunked_prefill=False,
                block_size=settings.block_size,
                kv_cache_memory_bytes=settings.kv_cache_mb << 20,
                max_model_len=max_model_len,
                max_num_seqs=settings.max_in_flight,
                max_num_batched_tokens=settings.max_batched_tokens,
                scheduling_policy="priority",
                disable_log_stats=True,
                seed=0,
            )
            # Where PyTorch was imported before, OMP_NUM_THREADS comes too late. Threads too many are waited for in each
            # operation, for long where other processes want the cores.
            if not settings.engine_process:
                torch.set_num_threads(settings.threads)
            with _unseen("llvmlite.binding.ffi"):
                self._engine = LLMEngine.from_engine_args(arguments)
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            raise EngineError(f"vLLM cannot start on {model_dir}: {error}") from error
        if settings.engine_process:
            Thread(target=_tell_of_death, args=(self._engine.engine_core,), daemon=True).start()
        self._watchdog = Watchdog(settings.engine_timeout_s)
        self._params = SamplingParams
        self._final_only = RequestOutputKind.FINAL_ONLY
        self._temperature = temperature
        self._scored: dict[str, tuple[int, ...]] = {}
        self.start_seconds = time.monotonic() - started

    @property
    def kv_cache(self) -> KvCache:
        """As vLLM has laid it out; one of its blocks is not for use."""
        cache = self._engine.vllm_config.cache_config
        return KvCache((cache.num_gpu_blocks or 1) - 1, cache.block_size)

    def prime(self, token_ids: Sequence[int]) -> None:
        """Put the whole blocks of a shared prefix into the prefix cache."""
        self.add(PRIMING, Generate(list(token_ids), 1, ()), seed=0)
        while not self.step():
            continue

    def add(self, request_id: str, request: Generate, *, seed: int, priority: int = 0) -> None:
        """Take a request.

        Raises:
            EngineError: the engine is dead.
            ValueError: vLLM refuses this request.
        """
        params = self._params(
            temperature=self._temperature,
            seed=seed if self._temperature else None,
            max_tokens=request.max_tokens,
            stop_token_ids=list(request.stop_ids) or None,
            ignore_eos=True,
            detokenize=False,
            output_kind=self._final_only,
            logprobs=None if request.score_ids else 0,
            logprob_token_ids=list(request.score_ids) or None,
        )
        try:
            self._engine.add_request(
                request_id, {"prompt_token_ids": list(request.token_ids)}, params, priority=priority
            )
        except ValueError:
            raise
        # vLLM refuses a request by ValueError; after anything else it is of no more use.
        except Exception as error:
            raise EngineError(f"the vLLM engine takes no requests: {error!r}; run the shard again") from error
        if request.score_ids:
            self._scored[request_id] = request.score_ids

    def step(self) -> list[tuple[str, Generated]]:
        """One engine step; the requests that finished in it."""
        try:
            with self._watchdog:
                outputs = self._engine.step()
        except Exception as error:
            raise EngineError(f"the vLLM engine died: {error!r}; run the shard again") from error
        return [(output.request_id, self._generated(output)) for output in outputs if output.finished]

    def abort(self, request_ids: Iterable[str]) -> None:
        """Forget these requests."""
        ids = list(request_ids)
        self._engine.abort_request(ids)
        for request_id in ids:
            self._scored.pop(request_id, None)

    def load_weights(self, weights: Iterable[tuple[str, Any]] | Path) -> None:
        """Serve with other weights from now on; all that was computed with the old ones is forgotten.

        Args:
            weights: (name, tensor) as in the model's own files, untied; or a folder with such files, the only way
                where the engine is a process of its own.

        Raises:
            EngineError: the engine did not take them, and is of no more use.
        """
        source = {"weights_path": str(weights)} if isinstance(weights, Path) else {"weights_iterator": list(weights)}
        try:
            self._engine.collective_rpc("reload_weights", kwargs=source)
            # vLLM keeps its prefix cache over a reload.
            self._engine.reset_prefix_cache()
        except Exception as error:  # vLLM raises whatever its worker does
            raise EngineError(f"the vLLM engine did not take new weights: {error!r}") from error

    def _generated(self, output: Any) -> Generated:
        """Of a finished `vllm.RequestOutput`; vLLM is imported too late to name it here."""
        completion = output.outputs[0]
        ids = list(completion.token_ids)
        by_step = completion.logprobs or []
        logprobs = [step[id_].logprob for id_, step in zip(ids, by_step, strict=True)]
        score_ids = self._scored.pop(output.request_id, ())
        scores = tuple(by_step[0][id_].logprob for id_ in score_ids) if score_ids else ()
        return Generated(ids, logprobs, output.num_cached_tokens or 0, scores)


def _tell_of_death(core: Any) -> None:
    """Wake whoever waits for the output of an engine whose process has ended.

    vLLM 0.31 itself marks such an engine as dead, but leaves the waiting `step()` waiting for ever
    (`vllm/v1/engine/core_client.py`, `MPClient.start_engine_core_monitor`).
    """
    connection.wait([process.sentinel for process in core.resources.engine_manager.processes])
    core.outputs_queue.put_nowait(RuntimeError("its process has ended"))


@contextmanager
def _unseen(module: str) -> Iterator[None]:
    """Within, a module that may be loaded is not found among the loaded ones.

    vLLM 0.31 on CPU looks for its kernels in the namespace of each loaded module, and stumbles over numba's
    `llvmlite.binding.ffi.lib`, which has whatever attribute it is asked for (`vllm/triton_utils/dispatcher.py`,
    `_rebind_kernels`).
    """
    loaded = sys.modules.pop(module, None)
    try:
        yield
    finally:
        if loaded:
            sys.modules[module] = loaded


def _prepare_environment(settings: InferenceSettings) -> None:
    """What vLLM and its libraries read when they are imported."""
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = str(int(settings.engine_process))
    os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")
    os.environ.setdefault("OMP_NUM_THREADS", str(settings.threads))
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    if settings.eager:
        os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
