"""LoRA adapters: what the engine and Ray are told of them, and what they cost."""

import json
import re
from typing import Any

import pytest

from .conftest import Object, llm_configs, refusal, render


def told(**values: Any) -> Object:
    """Return the first model's LLMConfig."""
    found: Object = llm_configs(render(values))[0]
    return found


def test_by_default_there_are_none() -> None:
    model = told()
    assert "lora" not in json.dumps(model)


@pytest.mark.parametrize(
    ("weights", "source", "path"),
    [
        ({"from": "hub"}, "", "owner/sql"),
        ({"from": "claim", "claim": {"name": "w"}}, "/weights/m", "/weights/sql"),
        ({"from": "path"}, "/data/m", "/data/sql"),
    ],
)
def test_named_ones_are_vllms_own_from_the_start(weights: Object, source: str, path: str) -> None:
    adapters = {"sql": path, "law": path}
    model = told(weights=weights, model={"source": source}, lora={"adapters": adapters})
    kwargs = model["engine_kwargs"]
    assert kwargs["enable_lora"] is True
    assert (kwargs["max_loras"], kwargs["max_cpu_loras"], kwargs["max_lora_rank"]) == (1, 2, 16)
    assert kwargs["lora_modules"] == [{"name": n, "path": path} for n in ("law", "sql")]
    assert "lora_config" not in model


def test_those_of_a_bucket_are_rays_to_load() -> None:
    model = told(lora={"bucket": "s3://b/adapters", "maxLoras": 4})
    config = {"dynamic_lora_loading_path": "s3://b/adapters", "max_num_adapters_per_replica": 16}
    assert model["lora_config"] == config
    kwargs = model["engine_kwargs"]
    assert (kwargs["enable_lora"], kwargs["max_loras"], kwargs["max_cpu_loras"]) == (True, 4, 16)
    assert "lora_modules" not in kwargs


def test_a_further_model_has_none_but_its_own() -> None:
    values = {
        "lora": {"adapters": {"sql": "owner/sql"}},
        "additionalModels": [
            {"model": {"preset": "qwen3-4b"}},
            {
                "model": {"preset": "qwen3-8b"},
                "lora": {"adapters": {"law": "o/law"}, "maxRank": 64},
            },
        ],
    }
    first, second, third = (m["engine_kwargs"] for m in llm_configs(render(values)))
    assert first["lora_modules"][0]["name"] == "sql" and "lora_modules" not in second
    assert third["lora_modules"][0]["name"] == "law" and third["max_lora_rank"] == 64


def overhead(**values: Any) -> float:
    """Return the GB that a refusal says of all but weights and KV cache."""
    found = re.search(r"([\d.]+) GB of activations", refusal({**TOO_SMALL, **values}))
    assert found
    return float(found[1])


TOO_SMALL: Object = {"accelerator": {"preset": "l4"}, "parallelism": {"tensor": 2}}


def test_their_memory_is_reckoned_with() -> None:
    """A is whole on each rank where the matrix is split by its columns, B where by its rows."""
    tensor, loras, rank, layers = 2, 8, 256, 64
    hidden, wide, heads, kv = 5120, 25600, 64 * 128, 8 * 128  # of Qwen3-32B
    by_columns = [(hidden, heads), (hidden, kv), (hidden, kv), (hidden, wide), (hidden, wide)]
    by_rows = [(heads, hidden), (wide, hidden)]
    ends = sum(ins + outs / tensor for ins, outs in by_columns)
    ends += sum(ins / tensor + outs for ins, outs in by_rows)
    lora = {"adapters": {"sql": "owner/sql"}, "maxLoras": loras, "maxRank": rank}
    added = overhead(lora=lora) - overhead()
    assert added == pytest.approx(loras * rank * 2 * layers * ends / 1e9, abs=0.11)
