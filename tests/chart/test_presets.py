"""The chart's presets: every number recomputed, every name asked of the code that will read it.

A new file is a new preset, and needs nothing beside. A model of a family that is not known here has
its numbers held against each other, and exactly where its `config.json` lies in configs/, under the
preset's name.
"""

import ast
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
import yaml
from ray._private.accelerators.amd_gpu import AMDGPUAcceleratorManager
from ray._private.accelerators.nvidia_gpu import NvidiaGPUAcceleratorManager
from ray.llm._internal.serve.core.configs.llm_config import LLMConfig
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PretrainedConfig,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from app.thinking.terms import Terms
from plan.hardware import active

from .families import config_of
from .weights import FORMATS, kind, loaded

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts/hybrid-llm"
PRESETS = CHART / "presets"
CONFIGS = Path(__file__).parent / "configs"

Preset = dict[str, Any]


def load(folder: str) -> dict[str, Preset]:
    """Return the presets of a folder by name."""
    return {
        path.stem: yaml.safe_load(path.read_text())
        for path in sorted((PRESETS / folder).glob("*.yaml"))
    }


MODELS = load("models")
ACCELERATORS = load("accelerators")

each_model = pytest.mark.parametrize("name", MODELS)
each_accelerator = pytest.mark.parametrize("name", ACCELERATORS)
each_file = pytest.mark.parametrize(
    "path", sorted(PRESETS.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)

MODEL_KEYS = {
    "source": str,
    "thinking": dict,
    "parameters": int,
    "weightBytes": int,
    "layers": int,
    "hiddenSize": int,
    "intermediateSize": int,
    "vocabSize": int,
    "attentionHeads": int,
    "kvHeads": int,
    "headSize": int,
    "maxPositions": int,
    "dtype": str,
    "reasoningParser": str,
    "toolCallParser": str,
    "sampling": dict,
    "engineKwargs": dict,
}
EXPERT_KEYS = {"experts": int, "activeExperts": int}
SOME_KEYS = {"adaptive": dict, "attention": list, "activeParameters": int, "longContext": dict}
ACCELERATOR_KEYS = {
    "label": str,
    "mistakenFor": list,
    "memoryMiB": int,
    "resourceName": str,
    "maxPerNode": int,
    "cpuPerAccelerator": int,
    "memoryGiBPerAccelerator": int,
    "sharedMemoryGiB": int,
    "nodeSelectors": dict,
    "tolerations": list,
    "engineKwargs": dict,
    "env": dict,
}


def types(preset: Preset) -> dict[str, type]:
    """Return what kind of value each key of a preset has."""
    return {key: type(value) for key, value in preset.items()}


@each_file
def test_a_file_says_first_what_it_is_and_where_that_is_from(path: Path) -> None:
    comment = []
    for line in path.read_text().splitlines():
        if not line.startswith("# "):
            break
        comment.append(line)
    source = yaml.safe_load(path.read_text()).get("source")
    if source and (ROOT / source).is_dir():
        assert f"{source}/README.md" in comment[0]
    elif source:
        assert comment[0].endswith(f" https://huggingface.co/{source}")
    elif path.stem != "cpu":
        assert any("https://" in line for line in comment[:2])
    assert comment
    assert max(map(len, path.read_text().splitlines())) <= 100


def readers() -> str:
    """Return the templates, and what `make plan` reads presets by."""
    templates = (CHART / "templates").rglob("*.*")
    plan = (ROOT / "tools/plan").glob("*.py")
    return "\n".join(path.read_text() for path in (*templates, *plan))


@each_file
def test_the_schema_knows_every_field_as_an_override(path: Path) -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    section = schema["properties"][path.parent.name.removesuffix("s")]
    known = section["properties"]["overrides"]["properties"]
    assert set(yaml.safe_load(path.read_text())) <= set(known)


@each_file
def test_something_reads_every_field(path: Path) -> None:
    text = readers()
    for field in yaml.safe_load(path.read_text()):
        read = rf"\.{field}\b|get \S+ \"{field}\"|get\(\"{field}\"\)|\[\"{field}\"\]"
        assert re.search(read, text), field


# Models


@each_model
def test_a_model_has_exactly_these_keys(name: str) -> None:
    preset = MODELS[name]
    keys = MODEL_KEYS | (EXPERT_KEYS if "experts" in preset else {})
    if "/" in preset["source"] and not preset["source"].startswith("models/"):
        keys |= {"revision": str}  # or what is served would be another one some day
        assert re.fullmatch(r"[0-9a-f]{40}", preset["revision"])
    keys |= {key: kind for key, kind in SOME_KEYS.items() if key in preset}
    if "adaptive" in preset:  # only where somebody has calibrated it
        assert set(preset["adaptive"]) == {"threshold", "draftTokens"}
    if "longContext" in preset:
        assert set(preset["longContext"]) == {"maxPositions", "hfOverrides"}
        assert preset["longContext"]["maxPositions"] > preset["maxPositions"]
    assert types(preset) == keys
    counts = [key for key, kind in keys.items() if kind is int]
    assert [key for key in counts if preset[key] <= 0] == []
    assert preset["attentionHeads"] % preset["kvHeads"] == 0
    assert preset["activeExperts"] < preset["experts"] if "experts" in preset else True
    assert preset["dtype"] in ("bfloat16", "float16")


@each_model
def test_a_preset_is_named_after_its_model(name: str) -> None:
    assert MODELS[name]["source"].rpartition("/")[2].lower() == name


@cache
def meta_model(name: str) -> torch.nn.Module:
    """Return the model with its real shapes and no memory: of what vLLM loads of it."""
    preset = MODELS[name]
    source = ROOT / preset["source"]
    config = published_config(name) or config_of(preset)
    with torch.device("meta"):
        if source.is_dir():
            return Qwen3ForCausalLM(Qwen3Config.from_pretrained(source))
        if not config:
            pytest.skip(f"put the model's config.json into {CONFIGS.relative_to(ROOT)}/{name}.json")
        left = {key: value for key, value in config.items() if key != "quantization_config"}
        whole = AutoConfig.for_model(**left)
        if "vision_config" in config and not preset["engineKwargs"].get("language_model_only"):
            [architecture] = config["architectures"]
            model: torch.nn.Module = getattr(transformers, architecture)(whole)
            return model
        text = whole.get_text_config()
        text.allow_global_per_layer_attribute_access = True  # of Gemma 4, whose layers differ
        return AutoModelForCausalLM.from_config(text)


def published_config(name: str) -> dict[str, Any]:
    """Return a model's own config.json, or that of what it is the FP8 of, if one lies there."""
    paths = [CONFIGS / f"{stem}.json" for stem in (name, name.removesuffix("-fp8"))]
    found: dict[str, Any] = next((json.loads(p.read_text()) for p in paths if p.exists()), {})
    return found


def quantization(name: str) -> dict[str, Any]:
    """Return how a model's files are quantized; {} if they are not."""
    config = published_config(name) or config_of(MODELS[name]) or {}
    for part in (config, config.get("text_config", {})):
        if said := part.get("quantization_config"):
            return dict(said)
    if name.startswith("mistral-small-4"):
        return {"quant_method": "fp8"}
    blocks = {"quant_method": "fp8", "weight_block_size": [128, 128]}  # as Qwen's are
    return blocks if name.endswith("-fp8") else {}


@each_model
def test_the_parameters_are_those_of_the_architecture(name: str) -> None:
    model = meta_model(name)
    assert sum(p.numel() for p in model.parameters()) == MODELS[name]["parameters"]


@each_model
def test_the_shape_is_that_of_the_architecture(name: str) -> None:
    config: PretrainedConfig = meta_model(name).config
    preset = MODELS[name]
    assert preset["layers"] == config.num_hidden_layers
    assert preset["hiddenSize"] == config.hidden_size
    assert preset["vocabSize"] == config.vocab_size
    assert preset["attentionHeads"] == config.num_attention_heads
    assert preset["kvHeads"] == config.num_key_value_heads
    assert preset["maxPositions"] == config.max_position_embeddings
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    if any("latent" in layers for layers in preset.get("attention", [])):
        head = config.qk_nope_head_dim + config.qk_rope_head_dim
    assert preset["headSize"] == head
    if "experts" not in preset:
        assert preset["intermediateSize"] == config.intermediate_size


@pytest.mark.parametrize(
    "name", [name for name, one in MODELS.items() if not {"attention", "activeParameters"} & {*one}]
)
def test_the_numbers_agree_with_each_other(name: str) -> None:
    """As most decoders are: embeddings, and layers of attention and a gated MLP or experts."""
    preset = MODELS[name]
    hidden, wide, size = preset["hiddenSize"], preset["intermediateSize"], preset["headSize"]
    experts = preset.get("experts", 1) / preset.get("activeExperts", 1)
    attention = 2 * hidden * size * (preset["attentionHeads"] + preset["kvHeads"])
    layers = preset["layers"] * (attention + 3 * hidden * wide * experts)
    tied, apart = (layers + count * hidden * preset["vocabSize"] for count in (1, 2))
    assert 0.97 * tied < preset["parameters"] < 1.03 * apart


@each_model
def test_a_weight_has_4_bits_to_16(name: str) -> None:
    """A few matrices are never quantized; and vLLM keeps the K of some of Gemma 4's as V too."""
    assert 0.5 < MODELS[name]["weightBytes"] / MODELS[name]["parameters"] < 2.01


@pytest.mark.parametrize("name", [name for name, one in MODELS.items() if "experts" in one])
def test_a_token_goes_through_as_many_parameters_as_are_active(name: str) -> None:
    """Those of all experts but the ones that a token is not sent to."""
    preset = MODELS[name]
    parts = meta_model(name).named_parameters()
    experts = sum(p.numel() for part, p in parts if ".experts." in part)
    idle = experts * (1 - preset["activeExperts"] / preset["experts"])
    assert active(preset) == pytest.approx(preset["parameters"] - idle, rel=0.05)


@each_model
def test_the_bytes_of_the_weights_are_those_that_vllm_loads(name: str) -> None:
    model = meta_model(name)
    if (how := quantization(name)) and kind(how) not in FORMATS:
        pytest.skip(f"how vLLM packs {kind(how)} is not in weights.py; the numbers agree")
    assert MODELS[name]["weightBytes"] == loaded(model, how)


@cache
def registered(module: str, table: str) -> set[str]:
    """Return the keys of a parser table of the installed vLLM, read and not imported (5 s)."""
    import vllm

    source = Path(vllm.__path__[0], module, "__init__.py").read_text()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == table:
            return {ast.literal_eval(key) for key in node.value.keys}  # type: ignore[attr-defined]
    raise AssertionError(f"vLLM has no {table} any more")


@each_model
def test_vllm_has_the_parsers(name: str) -> None:
    preset = MODELS[name]
    parsers = registered("reasoning", "_REASONING_PARSERS_TO_REGISTER")
    assert preset["reasoningParser"] in parsers | {""}
    if preset["toolCallParser"]:
        assert preset["toolCallParser"] in registered("tool_parsers", "_TOOL_PARSERS_TO_REGISTER")


@each_model
def test_the_way_that_it_thinks_is_one_that_the_middleware_can_tell(name: str) -> None:
    preset = MODELS[name]
    thinking = dict(preset["thinking"])
    assert isinstance(thinking.pop("opens"), bool)
    told = {"enabled", "disabled"} if thinking["argument"] else set()
    common = {"modes", "argument", "default", "efforts", "switches", "budget", "tags"}
    assert set(thinking) == common | told
    terms = Terms.model_validate(thinking)
    if terms.modes == "both":
        assert terms.argument and terms.enabled != terms.disabled
    else:
        assert terms.default is terms.fixed
    assert terms.tags or terms.budget == "none"  # the engine counts between them
    modes = {"both": {"thinking", "nonThinking"}, "always": {"thinking"}, "never": {"nonThinking"}}
    assert set(preset["sampling"]) == modes[terms.modes]
    assert bool(preset["reasoningParser"]) == (terms.modes != "never")
    # It leaves `content` null when a model does not think.
    assert preset["reasoningParser"] != "deepseek_r1" or terms.modes == "always"


@each_model
def test_vllm_takes_the_sampling_and_it_is_not_greedy(name: str) -> None:
    from vllm.sampling_params import SamplingParams

    for sampling in MODELS[name]["sampling"].values():
        assert SamplingParams(**sampling).temperature > 0
        assert {"temperature", "top_p"} <= set(sampling)


def test_vllm_has_these_engine_arguments() -> None:
    from vllm.engine.arg_utils import AsyncEngineArgs

    known = set(AsyncEngineArgs.__dataclass_fields__)
    for presets in (MODELS, ACCELERATORS):
        for preset in presets.values():
            assert set(preset["engineKwargs"]) <= known


# Accelerators


@each_accelerator
def test_an_accelerator_has_exactly_these_keys(name: str) -> None:
    preset = ACCELERATORS[name]
    there = {"peak": dict} if preset["label"] else {}
    slices = {"migMiB": dict} if "migMiB" in preset else {}
    assert types(preset) == ACCELERATOR_KEYS | there | slices
    if there:
        assert set(preset["peak"]) - {"fp8Tflops"} == {"bandwidthGBs", "tflops"}
    for key in ("maxPerNode", "cpuPerAccelerator", "memoryGiBPerAccelerator", "sharedMemoryGiB"):
        assert preset[key] > 0
    assert preset["sharedMemoryGiB"] < preset["memoryGiBPerAccelerator"]
    assert all(isinstance(value, str) for value in preset["env"].values())
    assert set(preset["nodeSelectors"]) <= {"gke", "eks", "aks", "gpuOperator"}
    for selector in preset["nodeSelectors"].values():
        assert selector
        assert all(isinstance(value, str) for value in selector.values())


@each_accelerator
def test_only_a_preset_without_a_label_is_without_an_accelerator(name: str) -> None:
    preset = ACCELERATORS[name]
    there = bool(preset["label"])
    assert bool(preset["resourceName"]) == there
    assert bool(preset["memoryMiB"]) == there
    assert ("gpuOperator" in preset["nodeSelectors"]) == there
    tolerated = [toleration["key"] for toleration in preset["tolerations"]]
    assert tolerated == ([preset["resourceName"]] if there else [])


@each_accelerator
def test_ray_serve_llm_takes_the_label(name: str) -> None:
    label = ACCELERATORS[name]["label"]
    model = {"model_id": "m"}
    if label:
        config = LLMConfig(model_loading_config=model, accelerator_type=label)
        assert config.accelerator_type == label  # and not something else, as it makes of A10
    else:
        LLMConfig(model_loading_config=model, accelerator_config={"kind": "cpu"})


def detected(preset: Preset) -> str | None:
    """Return the label that Ray gives a node with this accelerator.

    The GPU operator's label names the product, with hyphens for spaces; Ray's rule does not mind.
    """
    selector = preset["nodeSelectors"]["gpuOperator"]
    if preset["resourceName"] == "amd.com/gpu":
        device = "0x" + selector["amd.com/gpu.device-id"]
        return AMDGPUAcceleratorManager._gpu_name_to_accelerator_type(device)
    product = selector["nvidia.com/gpu.product"].replace("-", " ")
    return NvidiaGPUAcceleratorManager._gpu_name_to_accelerator_type(product)


@each_accelerator
def test_the_label_is_what_ray_gives_a_node(name: str) -> None:
    preset = ACCELERATORS[name]
    if preset["label"]:
        # Of what Ray does not know the chart alone announces it.
        assert detected(preset) in (preset["label"], None)


@pytest.mark.parametrize(
    ("product", "name"),
    [
        ("NVIDIA L4", "l4"),
        ("NVIDIA L40S", "l40s"),
        ("NVIDIA A10G", "a10g"),
        ("NVIDIA A100-SXM4-40GB", "a100-40gb"),
        ("NVIDIA A100-PCIE-40GB", "a100-40gb"),
        ("NVIDIA A100-SXM4-80GB", "a100-80gb"),
        ("NVIDIA A100 80GB PCIe", "a100-80gb"),
        ("NVIDIA H100 80GB HBM3", "h100"),
        ("NVIDIA H100 PCIe", "h100"),
        ("NVIDIA H100 NVL", "h100"),
        ("NVIDIA H200", "h200"),
        ("NVIDIA H200 NVL", "h200"),
        ("NVIDIA B200", "b200"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "rtx-pro-6000"),
    ],
)
def test_ray_makes_the_label_of_the_drivers_name(product: str, name: str) -> None:
    label = NvidiaGPUAcceleratorManager._gpu_name_to_accelerator_type(product)
    assert label == ACCELERATORS[name]["label"]


def test_the_a10_trap_is_still_there() -> None:
    label = NvidiaGPUAcceleratorManager._gpu_name_to_accelerator_type("NVIDIA A10")
    wanted = LLMConfig(model_loading_config={"model_id": "m"}, accelerator_type="A10")
    assert (label, wanted.accelerator_type) == ("A10", "A10G")
    assert "A10" in ACCELERATORS["a10g"]["mistakenFor"]


def test_ray_still_does_not_know_the_mi300x_of_a_virtual_machine() -> None:
    """When it does, the preset need not say that the chart announces it."""
    assert AMDGPUAcceleratorManager._gpu_name_to_accelerator_type("0x74b5") is None


def test_no_wrong_name_is_a_right_one() -> None:
    wrong = [
        (name, mistaken)
        for name, preset in ACCELERATORS.items()
        for mistaken in preset["mistakenFor"]
    ]
    given = {preset["label"] for preset in ACCELERATORS.values()}
    given |= {detected(preset) for preset in ACCELERATORS.values() if preset["label"]}
    assert [pair for pair in wrong if pair[1] in given] == []
    names = [mistaken for _, mistaken in wrong]
    assert len(names) == len(set(names)), "one wrong name means two accelerators"


def test_a_node_selector_names_one_accelerator() -> None:
    seen: dict[str, str] = {}
    for name, preset in ACCELERATORS.items():
        for platform, selector in preset["nodeSelectors"].items():
            assert seen.setdefault(f"{platform} {sorted(selector.items())}", name) == name
