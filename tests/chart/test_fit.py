"""The fit check's arithmetic is vLLM's own; what vLLM measures when it starts is estimated."""

import json
import re
import shutil
from types import SimpleNamespace

import pytest
import torch
import vllm.engine.arg_utils
import yaml
from vllm.config import CUDAGraphMode
from vllm.config.vllm import VllmConfig
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.model_executor.models.config import GptOssForCausalLMConfig
from vllm.usage.usage_lib import UsageContext
from vllm.v1.kv_cache_interface import FullAttentionSpec

from .conftest import CHART, Refused, llm_configs, manifest, refusal, render

GIB = 2**30
ACCELERATORS = {
    path.stem: yaml.safe_load(path.read_text())
    for path in sorted((CHART / "presets/accelerators").glob("*.yaml"))
    if path.stem != "cpu"
}
# What a model's fit is, for these tests to read: the sum that a refusal shows is rounded.
PROBE = """\
{{- $plan := dict }}
{{- include "hybrid-llm.plan" (dict "root" . "out" $plan) }}
kind: Fit
metadata: {name: fit}
fit: {{ (first $plan.models).fit | toJson | quote }}
"""


@pytest.fixture(scope="module")
def fit(tmp_path_factory):
    """Return the function values -> the chart's `fit` of their first model, in GiB."""
    chart = shutil.copytree(CHART, tmp_path_factory.mktemp("probed") / "hybrid-llm")
    (chart / "templates/fit.yaml").write_text(PROBE)

    def of(values):
        arguments = ("--show-only", "templates/fit.yaml")
        return json.loads(manifest(render(values, *arguments, chart=chart), "Fit")["fit"])

    return of


def vllm_bytes(model, tensor, pipeline, length, dtype):
    """Return the bytes that one sequence takes in vLLM's KV cache on the fullest of the ranks."""
    spec = yaml.safe_load((CHART / f"presets/models/{model}.yaml").read_text())
    layer = FullAttentionSpec(
        block_size=16,
        num_kv_heads=spec["kvHeads"] // tensor,
        head_size=spec["headSize"],
        dtype=dtype,
    )
    asked = SimpleNamespace(
        model_config=SimpleNamespace(max_model_len=length),
        parallel_config=SimpleNamespace(decode_context_parallel_size=1),
    )
    return -(-spec["layers"] // pipeline) * layer.max_memory_usage_bytes(asked)


@pytest.mark.parametrize("model", ["qwen3-32b", "qwen3-30b-a3b", "qwen3-4b", "qwen3-0.6b"])
@pytest.mark.parametrize("tensor, pipeline", [(1, 1), (2, 1), (4, 1), (2, 3)])
@pytest.mark.parametrize("length", [32768, 10001])
@pytest.mark.parametrize("cache, dtype", [("auto", torch.bfloat16), ("fp8", torch.float8_e4m3fn)])
def test_the_kv_cache_is_as_large_as_vllms(fit, model, tensor, pipeline, length, cache, dtype):
    found = fit(
        {
            "model": {"preset": model, "maxModelLen": length},
            "parallelism": {"tensor": tensor, "pipeline": pipeline},
            "accelerator": {"preset": "b200"},
            "engine": {"kvCacheDtype": cache},
        }
    )
    assert found["sequence"] * GIB == vllm_bytes(model, tensor, pipeline, length, dtype)
    assert found["sequences"] == int((found["left"] - found["block"]) / found["sequence"])
    assert found["left"] == pytest.approx(found["budget"] - found["weights"] - found["overhead"])


@pytest.mark.parametrize("name", ACCELERATORS)
def test_a_step_is_as_long_as_vllm_makes_it_on_that_accelerator(fit, name, monkeypatch):
    preset = ACCELERATORS[name]
    platform = SimpleNamespace(
        get_device_total_memory=lambda: preset["memoryMiB"] * 2**20,
        get_device_name=lambda: f"NVIDIA {preset['label']}",
        is_tpu=lambda: False,
        is_cpu=lambda: False,
    )
    monkeypatch.setattr(vllm.engine.arg_utils, "current_platform", platform)
    tokens = AsyncEngineArgs.get_batch_defaults(1)[0][UsageContext.OPENAI_API_SERVER]
    values = {"accelerator": {"preset": name}, "model": {"preset": "qwen3-0.6b"}}
    if not preset["resourceName"].startswith("nvidia"):
        values["image"] = {"repository": "own", "tag": "2.60.0"}
    default = fit(values)
    assert default == fit({**values, "engine": {"maxNumBatchedTokens": tokens}})
    assert default != fit({**values, "engine": {"maxNumBatchedTokens": 2 * tokens}})


def vllm_graphs(sequences, largest=None):
    """Return how many CUDA graphs vLLM captures: for each size one that is cut at attention, and
    for each that a step of decoding alone can have a whole one.
    """
    compilation = SimpleNamespace(
        cudagraph_mode=CUDAGraphMode.FULL_AND_PIECEWISE,
        max_cudagraph_capture_size=largest,
        cudagraph_capture_sizes=None,
        pass_config=SimpleNamespace(enable_sp=False),
        post_init_cudagraph_sizes=lambda: None,
    )
    config = SimpleNamespace(
        model_config=SimpleNamespace(enforce_eager=False),
        compilation_config=compilation,
        scheduler_config=SimpleNamespace(max_num_seqs=sequences, max_num_batched_tokens=8192),
        parallel_config=SimpleNamespace(tensor_parallel_size=1),
        speculative_config=None,
        uniform_decode_query_len=1,
        performance_mode="balanced",
    )
    VllmConfig._set_cudagraph_sizes(config)
    sizes = compilation.cudagraph_capture_sizes
    return len(sizes) + sum(size <= sequences for size in sizes)


@pytest.mark.parametrize("sequences", [8, 16, 64, 100, 128, 256])
@pytest.mark.parametrize("largest", [None, 1024])
def test_as_many_cuda_graphs_are_counted_as_vllm_captures(fit, sequences, largest):
    values = {"accelerator": {"preset": "h100"}, "parallelism": {"tensor": 4}}
    own = {"max_cudagraph_capture_size": largest} if largest else {}
    overheads = [
        fit({**values, "engine": {"maxNumSeqs": sequences, "kwargs": kwargs}})["overhead"]
        for kwargs in (own, {"enforce_eager": True})
    ]
    counted = (overheads[0] - overheads[1]) * 1024 / (0.25 * 64)  # MiB a graph x layers
    captured = vllm_graphs(sequences, largest)
    assert captured <= round(counted, 6) < captured + 1


def test_as_many_of_gpt_oss_as_vllm_captures_of_it():
    """It has more than others (GptOssForCausalLMConfig), and the preset says so."""
    compilation = SimpleNamespace(cudagraph_capture_sizes=None, max_cudagraph_capture_size=None)
    config = SimpleNamespace(
        structured_outputs_config=SimpleNamespace(reasoning_parser="openai_gptoss"),
        compilation_config=compilation,
    )
    GptOssForCausalLMConfig.verify_and_update_config(config)
    for path in CHART.glob("presets/models/gpt-oss-*.yaml"):
        kwargs = yaml.safe_load(path.read_text())["engineKwargs"]
        assert kwargs["max_cudagraph_capture_size"] == compilation.max_cudagraph_capture_size


@pytest.mark.parametrize("model, most", [("qwen3-32b", 8), ("qwen3-4b", 8), ("qwen3-8b", 4)])
@pytest.mark.parametrize("accelerator", ["l4", "l40s"])
def test_the_fewest_accelerators_that_hold_two_sequences_are_taken(fit, model, most, accelerator):
    values = {"model": {"preset": model}, "accelerator": {"preset": accelerator}}
    chosen = fit(values)
    assert chosen["sequences"] >= 2 and chosen["tensor"] <= most
    if chosen["tensor"] > 1:
        fewer = {**values, "parallelism": {"tensor": chosen["tensor"] // 2}}
        try:
            assert fit(fewer)["sequences"] < 2
        except Refused as refused:
            assert "does not fit" in str(refused)


@pytest.mark.parametrize("tensor, shown", [(1, 65.5), (2, 32.8)])
def test_the_weights_are_shared_out(tensor, shown):
    message = refusal({"accelerator": {"preset": "l4"}, "parallelism": {"tensor": tensor}})
    assert f"{shown} GB of weights" in message
    assert "parallelism.tensor=4" in message


def test_32b_just_fits_four_l4():
    """16.4 GB of weights and 2.1 GB of KV cache each, of the 20.9 GB that vLLM may take."""
    values = {"accelerator": {"preset": "l4"}, "parallelism": {"tensor": 4}}
    assert render(values)
    longer = values | {"model": {"maxModelLen": 40960}, "engine": {"maxNumSeqs": 128}}
    message = refusal(longer)
    assert "16.4 GB of weights" in message and "2.7 GB of KV cache" in message
    assert "model.maxModelLen=" in message


def test_the_way_out_works():
    """What the refusal proposes renders."""
    values = {"accelerator": {"preset": "l4"}, "parallelism": {"tensor": 2}}
    out = re.search(r"accelerator\.preset=(.*)\.\n", refusal(values))[1].split(" or ")
    assert "l40s" in out
    for accelerator in out:
        image = {"image": {"repository": "rocm", "tag": "2.60.0"}} if "mi" in accelerator else {}
        assert render({**values, "accelerator": {"preset": accelerator}, **image})


@pytest.mark.parametrize("model", ["gpt-oss-20b", "qwen3.6-27b-fp8", "qwen3-8b"])
def test_the_longest_sequence_that_it_proposes_is_the_longest(model):
    """Also where a sequence does not grow by its length alone."""
    values = {
        "model": {"preset": model, "maxModelLen": 40000},
        "accelerator": {"preset": "l4", "overrides": {"memoryMiB": 0}},
        "parallelism": {"tensor": 1},
    }
    # As much memory as leaves room for some of that length.
    weights = yaml.safe_load((CHART / f"presets/models/{model}.yaml").read_text())["weightBytes"]
    for memory in range(weights // 2**20, 80000, 1000):
        values["accelerator"]["overrides"]["memoryMiB"] = memory
        try:
            proposed = re.search(r"model\.maxModelLen=(\d+)", refusal(values))
        except AssertionError:
            pytest.fail("it fits before anything is proposed")
        if proposed:
            break
    longest = int(proposed[1])
    assert render({**values, "model": {"preset": model, "maxModelLen": longest}})
    longer = {**values, "model": {"preset": model, "maxModelLen": longest + 1024}}
    assert "does not fit" in refusal(longer)


@pytest.mark.parametrize(
    "model, tensor, whole",
    [
        ("qwen3-235b-a22b", 8, 94 * 4096 * 2 * 128 * (1 - 4 / 8)),  # a KV head is on two of them
        ("qwen3-235b-a22b", 4, 0),
        ("deepseek-v3.1", 8, 61 * 7168 * 4 * 576 * (1 - 1 / 8)),  # projections into latents
    ],
)
def test_what_every_accelerator_has_whole_is_among_its_weights(fit, model, tensor, whole):
    preset = yaml.safe_load((CHART / f"presets/models/{model}.yaml").read_text())
    found = fit(
        {
            "model": {"preset": model},
            "accelerator": {"preset": "b200"},
            "parallelism": {"tensor": tensor},
        }
    )
    of_each = preset["weightBytes"] / preset["parameters"]
    assert found["weights"] * GIB == pytest.approx(
        preset["weightBytes"] / tensor + whole * of_each, rel=1e-9
    )


@pytest.mark.parametrize("length, scaled", [(None, False), (40960, False), (65536, True)])
def test_positions_are_scaled_beyond_what_the_model_was_trained_for(length, scaled):
    model = {"preset": "qwen3-32b", "maxModelLen": length}
    values = {"model": model, "accelerator": {"preset": "h200"}}
    (config,) = llm_configs(render(values))
    assert ("hf_overrides" in config["engine_kwargs"]) == scaled
    own = {"rope_parameters": {"rope_type": "yarn", "factor": 2}}
    values["engine"] = {"kwargs": {"hf_overrides": own}}
    (config,) = llm_configs(render(values))
    assert config["engine_kwargs"]["hf_overrides"] == own


def test_a_state_per_sequence_caches_no_prefixes_where_prompts_are_prefilled_whole(fit):
    values = {"model": {"preset": "qwen3.6-27b"}, "accelerator": {"preset": "h200"}}
    whole = {**values, "engine": {"kwargs": {"enable_chunked_prefill": False}}}
    (config,) = llm_configs(render(whole))
    assert config["engine_kwargs"]["enable_prefix_caching"] is False
    assert "enable_prefix_caching" not in llm_configs(render(values))[0]["engine_kwargs"]
    assert fit(whole)["sequence"] < fit(values)["sequence"]
