"""The fit check's arithmetic is vLLM's own; what vLLM measures when it starts is estimated."""

import re

import pytest
import torch
import yaml
from vllm.v1.kv_cache_interface import FullAttentionSpec

from .conftest import CHART, refusal, render

BLOCK = 16


def preset(name):
    return yaml.safe_load((CHART / f"presets/models/{name}.yaml").read_text())


def vllm_gb(model, tensor, length, dtype):
    """Return the GB that vLLM's KV cache takes for one sequence on one of the ranks."""
    spec = preset(model)
    page = FullAttentionSpec(
        block_size=BLOCK,
        num_kv_heads=spec["kvHeads"] // tensor,
        head_size=spec["headSize"],
        dtype=dtype,
    ).page_size_bytes
    return spec["layers"] * page * -(-length // BLOCK) / 1e9


@pytest.mark.parametrize("model", ["qwen3-32b", "qwen3-30b-a3b", "qwen3-4b", "qwen3-0.6b"])
@pytest.mark.parametrize("tensor", [1, 2, 4])
@pytest.mark.parametrize("length", [32768, 10001])
@pytest.mark.parametrize("cache, dtype", [("auto", torch.bfloat16), ("fp8", torch.float8_e4m3fn)])
def test_the_kv_cache_is_as_large_as_vllms(model, tensor, length, cache, dtype):
    # Almost no memory, so that the refusal shows the sum.
    message = refusal(
        {
            "model": {"preset": model, "maxModelLen": length},
            "parallelism": {"tensor": tensor},
            "accelerator": {"overrides": {"memoryMiB": 1024}},
            "engine": {"kvCacheDtype": cache},
        }
    )
    shown = float(re.search(r"([\d.]+) GB of KV cache", message)[1])
    assert shown == pytest.approx(vllm_gb(model, tensor, length, dtype), abs=0.0501)


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


@pytest.mark.parametrize(
    "memory, batched",
    [(23034, 2048), (46068, 2048), (81559, 8192), (143771, 8192), (183359, 16384)],
)
def test_a_step_is_as_long_as_vllm_makes_it(memory, batched):
    """max_num_batched_tokens by memory (vllm/engine/arg_utils.py, get_batch_defaults)."""
    values = {"accelerator": {"preset": "h100", "overrides": {"memoryMiB": memory}}}
    big = {"parallelism": {"tensor": 1}, "model": {"preset": "qwen3-235b-a22b"}}
    shown = [
        refusal({**values, **big, "engine": {"maxNumBatchedTokens": tokens}})
        for tokens in (None, batched)
    ]
    sums = [re.search(r"([\d.]+) GB of activations", message)[1] for message in shown]
    assert sums[0] == sums[1]
