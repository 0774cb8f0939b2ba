"""The KV cache of a model, asked of vLLM: its own model code and cache code, from a config alone.

The model is made without memory (torch's meta device), whatever its size. No GPU is there, so what
vLLM would ask one is answered here: sizes of blocks, kernels, how many steps run at once.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, patch

import torch
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from vllm.config import VllmConfig, set_current_vllm_config
from vllm.distributed import parallel_state
from vllm.distributed.utils import get_pp_indices
from vllm.engine.arg_utils import EngineArgs
from vllm.model_executor.layers.fused_moe import unquantized_fused_moe_method
from vllm.model_executor.layers.fused_moe.config import FusedMoEConfig
from vllm.model_executor.layers.fused_moe.oracle.unquantized import UnquantizedMoeBackend
from vllm.model_executor.layers.rotary_embedding.base import RotaryEmbeddingBase
from vllm.model_executor.model_loader.utils import initialize_model
from vllm.model_executor.models import registry
from vllm.model_executor.models.utils import extract_layer_index
from vllm.platforms import current_platform
from vllm.v1.attention.backend import MultipleOf
from vllm.v1.attention.backends.cpu_attn import CPUAttentionBackend
from vllm.v1.attention.backends.registry import AttentionBackendEnum
from vllm.v1.core import kv_cache_utils
from vllm.v1.kv_cache_interface import KVCacheSpec
from vllm.v1.kv_cache_layout import KVCacheLayout
from vllm.v1.worker.gpu.attn_utils import get_kv_cache_spec
from vllm.v1.worker.workspace import init_workspace_manager

# Importing a model that sees too wants it; no model here is given an image.
_NOT_INSTALLED = [
    f"torchvision{name}" for name in ("", ".transforms", ".transforms.v2", ".transforms.functional")
]


@dataclass(frozen=True)
class Cache:
    """What vLLM's cache takes of the fullest rank, in bytes.

    Args:
        sequence: of the longest sequence.
        block: of one block.
    """

    sequence: int
    block: int


@dataclass(frozen=True)
class Shape:
    """How a model is served.

    Args:
        tensor: ranks that share each layer.
        pipeline: stages.
        length: tokens of a sequence.
        batched: tokens of a step.
        block: tokens of a block, as the GPU's attention wants it.
        cache: vLLM's kv_cache_dtype.
        prefix: whether prefixes are cached.
    """

    tensor: int
    pipeline: int
    length: int
    batched: int
    block: int = 16
    cache: str = "auto"
    prefix: bool = True


def cache(config: dict[str, Any], shape: Shape, folder: Path) -> Cache:
    """Return what vLLM would need.

    Args:
        config: the model's config.json.
        shape: how it is served.
        folder: an empty one, for it to read the config from.
    """
    with _as_on_a_gpu(shape):
        engine = _engine(config, shape, folder)
        specs = _specs(engine, shape)
        # As the engine does: one grouping for all stages, of which every worker takes its layers.
        groups = kv_cache_utils.get_kv_cache_groups(engine, dict(specs))
        found = []
        with patch.object(VllmConfig, "use_v2_model_runner", True):
            for stage in _stages(specs, shape.pipeline):
                own = kv_cache_utils._project_kv_cache_groups_to_worker(groups, stage)
                sequence = kv_cache_utils._max_memory_usage_bytes_from_groups(engine, own)
                found.append(Cache(sequence, kv_cache_utils._pool_bytes_per_block(own)))
        return max(found, key=lambda one: one.sequence)


def rotary(
    config: dict[str, Any], length: int, overrides: dict[str, Any], folder: Path
) -> set[float | None]:
    """Return by what vLLM scales a model's positions, None being not at all.

    Args:
        config: the model's config.json.
        length: tokens of a sequence.
        overrides: vLLM's hf_overrides.
        folder: an empty one, for it to read the config from.

    Raises:
        ValueError: vLLM refuses sequences of that length.
    """
    shape = Shape(1, 1, length, 8192)
    with _as_on_a_gpu(shape):
        engine = _engine(config, shape, folder, hf_overrides=overrides)
        modules = _model(engine).modules()
        embeddings = [module for module in modules if isinstance(module, RotaryEmbeddingBase)]
        return {getattr(module, "scaling_factor", None) for module in embeddings}


@contextmanager
def _as_on_a_gpu(shape: Shape) -> Iterator[None]:
    """Have vLLM decide as on an NVIDIA GPU, with so many ranks, while one process is all."""
    if not parallel_state.model_parallel_is_initialized():
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        with set_current_vllm_config(VllmConfig()):
            store = f"tcp://127.0.0.1:{_free_port()}"
            parallel_state.init_distributed_environment(1, 0, store, 0, "gloo")
            parallel_state.ensure_model_parallel_initialized(1, 1)
            init_workspace_manager(torch.device("cpu"))
    ranks = parallel_state.get_tp_group()
    real = current_platform.get_attn_backend_cls
    kernel = MagicMock(return_value=(UnquantizedMoeBackend.TRITON, MagicMock()))

    def backend(selected: Any, attn_selector_config: Any, num_heads: int | None = None) -> str:
        if attn_selector_config.use_sparse:  # which a CPU has not
            return AttentionBackendEnum.FLASHMLA_SPARSE.get_path()
        return real(selected, attn_selector_config, num_heads)

    checked = FusedMoEConfig.__post_init__

    def experts(config: FusedMoEConfig) -> None:
        with suppress(NotImplementedError):  # of those without a gate, its last check on a CPU
            checked(config)

    lacking = () if find_spec("torchvision") else _NOT_INSTALLED
    with (
        patch.object(registry, "_run_in_subprocess", lambda asked: asked()),
        patch.object(ranks, "world_size", shape.tensor),
        patch.object(
            CPUAttentionBackend, "get_supported_kernel_block_sizes", lambda: [MultipleOf(16)]
        ),
        patch.object(type(current_platform), "get_attn_backend_cls", staticmethod(backend)),
        patch.object(type(current_platform), "check_and_update_config", MagicMock()),
        # vLLM puts configs of its own in the place of transformers'.
        patch.dict(CONFIG_MAPPING._extra_content),
        # Experts keep nothing of a sequence.
        patch.object(FusedMoEConfig, "__post_init__", experts),
        patch.object(unquantized_fused_moe_method, "select_unquantized_moe_backend", kernel),
        patch.object(torch.cuda, "Stream", MagicMock()),
    ):
        sys.modules.update((name, MagicMock()) for name in lacking)
        try:
            yield
        finally:
            for name in lacking:
                del sys.modules[name]


def _engine(config: dict[str, Any], shape: Shape, folder: Path, **arguments: Any) -> VllmConfig:
    (folder / "config.json").write_text(json.dumps(_unquantized(config)))
    engine = EngineArgs(
        model=str(folder),
        skip_tokenizer_init=True,
        load_format="dummy",
        dtype="bfloat16",
        max_model_len=shape.length,
        max_num_batched_tokens=shape.batched,
        enable_prefix_caching=shape.prefix,
        language_model_only=True,
        enforce_eager=True,
        **arguments,
    ).create_engine_config()
    engine.scheduler_config.async_scheduling = True
    engine.parallel_config.tensor_parallel_size = shape.tensor
    engine.parallel_config.pipeline_parallel_size = shape.pipeline
    engine.cache_config.cache_dtype = shape.cache
    engine.cache_config.kv_cache_layout = KVCacheLayout.LBNHC.name
    return engine


def _unquantized(config: Any) -> Any:
    """Return it without how weights are packed, which a GPU's kernels would be asked for."""
    if not isinstance(config, dict):
        return config
    return {k: _unquantized(v) for k, v in config.items() if k != "quantization_config"}


def _model(engine: VllmConfig) -> torch.nn.Module:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with set_current_vllm_config(engine), torch.device("meta"):
            return initialize_model(engine)
    finally:
        torch.set_default_dtype(before)


def _specs(engine: VllmConfig, shape: Shape) -> dict[str, KVCacheSpec]:
    _model(engine)  # whose layers the engine's config knows
    engine.cache_config.block_size = shape.block
    if engine.model_config.is_hybrid:
        with set_current_vllm_config(engine):
            current_platform._align_hybrid_block_size(engine, CPUAttentionBackend)
    return get_kv_cache_spec(engine)


def _stages(specs: dict[str, KVCacheSpec], pipeline: int) -> list[dict[str, KVCacheSpec]]:
    layers = 1 + max(map(extract_layer_index, specs))
    stages = []
    for rank in range(pipeline):
        first, end = get_pp_indices(layers, rank, pipeline)
        stages.append(
            {name: spec for name, spec in specs.items() if first <= extract_layer_index(name) < end}
        )
    return stages


def _free_port() -> int:
    from vllm.utils.network_utils import get_open_port

    return get_open_port()
