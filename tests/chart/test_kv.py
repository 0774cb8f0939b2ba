"""Every preset's KV cache is as large as vLLM makes it, by vLLM's own code for that model."""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from .architectures import ARCHITECTURES
from .conftest import CHART, manifest, render
from .families import config_of
from .kv import Cache, Shape, cache, rotary
from .test_presets import MODELS, meta_model, published_config

Preset = dict[str, Any]
Sums = Callable[[str], dict[Shape, Cache]]

KINDS = {kind: f"of-{index}" for index, kind in enumerate(ARCHITECTURES)}
# All presets' in one rendering: the sums alone, of each preset's own shapes.
PROBE = """\
{{- $found := dict }}
{{- range $path, $text := .Files.Glob "presets/models/*.yaml" }}
  {{- $name := base $path | trimSuffix ".yaml" }}
  {{- $spec := fromYaml (toString $text) }}
  {{- $sums := list }}
  {{- range $.Files.Get (printf "shapes/%s.json" $name) | fromJsonArray }}
    {{- $model := dict "spec" $spec "cpu" false "maxModelLen" .length "kvCacheDtype" .cache }}
    {{- $asked := dict "model" $model "tensor" .tensor "pipeline" .pipeline "batched" .batched }}
    {{- $_ := set $asked "kwargs" (dict "enable_prefix_caching" .prefix) }}
    {{- $_ := set $asked "out" dict }}
    {{- include "hybrid-llm.kv" $asked }}
    {{- $sums = append $sums $asked.out.kv }}
  {{- end }}
  {{- $_ := set $found $name $sums }}
{{- end }}
kind: Sums
metadata: {name: sums}
sums: {{ toJson $found | quote }}
"""


def block(preset: Preset) -> int:
    """Return the tokens of a block as GPUs' kernels want it, the most that any of them does."""
    kinds = {key for layers in preset.get("attention", []) for key in layers}
    if "latent" in kinds:
        return 64  # 128 beside states, which vLLM sees to itself
    return 128 if "indexer" in kinds else 16


def shapes(preset: Preset) -> list[Shape]:
    """Return how a model is served: whole, and cut up as far as 8 GPUs cut it."""
    heads = [preset["attentionHeads"]]
    copied = []
    for layers in preset.get("attention", [{}]):
        if state := layers.get("state"):
            heads += [state["heads"], *([state["groups"]] if state["groups"] > 1 else [])]
        elif not {"latent", "indexer"} & set(layers):
            copied.append(layers.get("kvHeads", preset.get("kvHeads")))
    tensor = max(
        size
        for size in (1, 2, 4, 8)
        if all(count % size == 0 for count in heads)
        and all(count % size == 0 or size % count == 0 for count in copied)
    )
    length = min(32768, preset.get("maxPositions", 32768))
    odd = min(10001, length - 1)
    return [
        Shape(1, 1, length, 8192, block(preset)),
        Shape(tensor, 1, odd, 8192, block(preset)),
    ]


def further(kind: str) -> list[Shape]:
    """Return what else changes the sum."""
    one = ARCHITECTURES[kind]
    whole = shapes(one.preset)[0]
    found = [replace(whole, prefix=False), replace(whole, batched=512)]
    if one.eight_bits:
        found.append(replace(whole, cache="fp8"))
    if one.even:
        found.append(replace(whole, tensor=2, pipeline=2))
    return found


@pytest.fixture(scope="module")
def sums(tmp_path_factory: pytest.TempPathFactory) -> Sums:
    """Return the function preset -> the chart's sums, by the shapes that it is served in."""
    chart = Path(shutil.copytree(CHART, tmp_path_factory.mktemp("summed") / "hybrid-llm"))
    (chart / "templates/sums.yaml").write_text(PROBE)
    (chart / "shapes").mkdir()
    asked = {name: shapes(preset) for name, preset in MODELS.items()}
    for kind, name in KINDS.items():
        preset = ARCHITECTURES[kind].preset
        (chart / f"presets/models/{name}.yaml").write_text(yaml.safe_dump(preset))
        asked[name] = shapes(preset) + further(kind)
    for name, each in asked.items():
        (chart / f"shapes/{name}.json").write_text(json.dumps([asdict(shape) for shape in each]))
    objects = render({}, "--show-only", "templates/sums.yaml", chart=chart)
    found = json.loads(manifest(objects, "Sums")["sums"])

    def of(name: str) -> dict[Shape, Cache]:
        pairs = zip(asked[name], found[name], strict=True)
        return {shape: Cache(int(kv["sequence"]), int(kv["block"])) for shape, kv in pairs}

    return of


@pytest.fixture(scope="module")
def configs() -> dict[str, dict[str, Any]]:
    """Return the config.json of each preset, before vLLM changes some of transformers' classes."""
    found = {}
    for name in MODELS:
        with suppress(pytest.skip.Exception):  # of a family that is not known, and without a config
            model = meta_model(name)
            found[name] = published_config(name) or _config(name, model)
    return found


def _config(name: str, model: torch.nn.Module) -> dict[str, Any]:
    config = config_of(MODELS[name]) or {}
    if "text_config" in config:  # as the model has it, and what overrides it
        return config
    return {**model.config.to_dict(), "architectures": [type(model).__name__]}


@pytest.mark.parametrize("name", MODELS)
def test_a_presets_kv_cache_is_vllms(
    name: str, sums: Sums, configs: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    if name not in configs:
        pytest.skip("its config.json is not in configs/")
    for shape, found in sums(name).items():
        assert found == cache(configs[name], shape, tmp_path), shape


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_every_kind_of_attention_takes_what_it_does_in_vllm(
    kind: str, sums: Sums, tmp_path: Path
) -> None:
    config = ARCHITECTURES[kind].published()
    for shape, found in sums(KINDS[kind]).items():
        assert found == cache(config, shape, tmp_path), shape


LONGER = [name for name, preset in MODELS.items() if "longContext" in preset]


@pytest.mark.parametrize("name", LONGER)
def test_vllm_takes_the_longer_context_with_what_the_preset_overrides(
    name: str, configs: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    longest, overrides = MODELS[name]["longContext"].values()
    with pytest.raises(ValueError, match="greater than the derived max_model_len"):
        rotary(configs[name], longest, {}, tmp_path)
    assert rotary(configs[name], longest, overrides, tmp_path) == {4}
