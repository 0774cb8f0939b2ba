"""The bytes that a model's weights have when vLLM has loaded them, by the format of its files."""

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from math import ceil, prod
from typing import Any

import torch

BLOCK = 128  # of the scales in FP8 files: weight_block_size [128, 128]
# Of what is never quantized, whatever the format: embeddings, lm_head, norms, convolutions, routers
# and the narrow gates of Gated DeltaNet (modules_to_not_convert of Qwen3.6-27B-FP8), and what the
# indexer of sparse attention has of keys and weights (vLLM's deepseek_v2.py: quant_config=None).
PLAIN = re.compile(
    r"(embed_tokens|lm_head|conv1d|\w*norm\w*|gate|shared_expert_gate|router\.\w+|in_proj_[ab]|"
    r"indexer\.wk|weights_proj)\.(weight|bias)$"
)


def loaded(model: torch.nn.Module, quantization: dict[str, Any]) -> int:
    """Return how many bytes the weights of a model take.

    `quantization` is `quantization_config` of its config.json; {} for bf16.
    Raises `KeyError` for a format that is not known here.
    """
    bytes_of = FORMATS[kind(quantization)] if quantization else half
    return sum(bytes_of(name, p, quantization) for name, p in matrices(model))


def kind(quantization: dict[str, Any]) -> str:
    """Return the name of a format, as in FORMATS."""
    method = str(quantization["quant_method"])
    if method == "fp8":
        blocks = quantization.get("weight_block_size")
        return "fp8" if blocks is None else f"fp8 {blocks[0]}x{blocks[1]}"
    if method == "compressed-tensors" and len(quantization["config_groups"]) == 1:
        [group] = quantization["config_groups"].values()
        weights = group["weights"]
        return f"{weights['type']}{weights['num_bits']} a {weights['strategy']}"
    return str(quantization.get("quant_algo", method)).lower()


def matrices(model: torch.nn.Module) -> Iterator[tuple[str, torch.Size]]:
    """Yield the name and the shape of each parameter, and of what vLLM makes besides."""
    for name, p in model.named_parameters():
        yield name, p.shape
    text = model.config.get_text_config()  # type: ignore[operator, union-attr]
    if getattr(text, "attention_k_eq_v", False):  # Gemma 4: vLLM keeps K again, as V (gemma4.py)
        for name, p in model.named_parameters():
            layer = re.search(r"\.(\d+)\.self_attn\.k_proj", name)
            if layer and text.layer_types[int(layer[1])] == "full_attention":
                yield name, p.shape


def half(_: str, shape: torch.Size, __: dict[str, Any]) -> int:
    """Return the bytes in bf16."""
    return 2 * prod(shape)


def fp8_blocks(name: str, shape: torch.Size, quantization: dict[str, Any]) -> int:
    """Return the bytes with a byte a weight and a float32 scale a block.

    create_fp8_scale_parameter and Fp8MoEMethod.create_weights in vLLM.
    """
    if plain(name, shape, quantization):
        return half(name, shape, quantization)
    *experts, rows, columns = shape
    return prod(shape) + 4 * prod(experts) * ceil(rows / BLOCK) * ceil(columns / BLOCK)


def fp8_tensors(name: str, shape: torch.Size, quantization: dict[str, Any]) -> int:
    """Return the bytes with a byte a weight, and float32 scales of each matrix and its inputs."""
    if plain(name, shape, quantization):
        return half(name, shape, quantization)
    return prod(shape) + 8 * parts(name) * prod(shape[:-2])


def nvfp4(name: str, shape: torch.Size, quantization: dict[str, Any]) -> int:
    """Return the bytes with four bits a weight, a byte a 16 of them, two float32 a matrix.

    ModelOptNvFp4LinearMethod and ModelOptNvFp4FusedMoE, create_weights, in vLLM.
    """
    if plain(name, shape, quantization):
        return half(name, shape, quantization)
    return prod(shape) // 2 + prod(shape) // 16 + 8 * parts(name) * prod(shape[:-2])


def mxfp4(name: str, shape: torch.Size, quantization: dict[str, Any]) -> int:
    """Return the bytes with four bits a weight of an expert and a byte a 32 of them, and bf16 else.

    As the Marlin and the TRT-LLM kernels have them, which want whole tiles:
    mxfp4_round_up_hidden_size_and_intermediate_size in vLLM. Triton's, on Hopper, need 8 % less.
    """
    if ".experts." not in name:
        return half(name, shape, quantization)
    experts, *sides = shape
    hidden, wide = (ceil(2880 / tile) * tile for tile in (256, 128))
    up = parts(name)
    if name.endswith("_bias"):
        assert sides == [up * 2880]
        return 2 * experts * (2 * wide if up == 2 else hidden)
    assert sorted(sides) == sorted([2880, up * 2880])
    weights = experts * up * hidden * wide
    return weights // 2 + weights // 32


def int4_groups(name: str, shape: torch.Size, quantization: dict[str, Any]) -> int:
    """Return the bytes with four bits a weight and a scale of bf16 a group.

    CompressedTensorsWNA16MarlinMoEMethod.create_weights in vLLM.
    """
    if plain(name, shape, quantization):
        return half(name, shape, quantization)
    [group] = quantization["config_groups"].values()
    return prod(shape) // 2 + 2 * prod(shape) // int(group["weights"]["group_size"])


def plain(name: str, shape: torch.Size, quantization: dict[str, Any]) -> bool:
    """Say whether a parameter stays in bf16."""
    left = [*quantization.get("ignore", []), *quantization.get("modules_to_not_convert", [])]
    module = name.rpartition(".")[0]
    names = [module, module.replace("model.", "model.language_model.", 1)]
    ignored = any(matches(name, pattern) for name in names for pattern in left)
    return ignored or len(shape) < 2 or bool(PLAIN.search(name))


def matches(name: str, pattern: str) -> bool:
    """Say whether a module is one of those that a config leaves as they are."""
    if pattern.startswith("re:"):
        return re.match(pattern[3:], name) is not None
    return fnmatch(name, pattern)


def parts(name: str) -> int:
    """Return how many matrices are in one: the experts' gate and up are."""
    return 2 if "gate_up_proj" in name else 1


FORMATS = {
    f"fp8 {BLOCK}x{BLOCK}": fp8_blocks,
    "fp8": fp8_tensors,
    "nvfp4": nvfp4,
    "mxfp4": mxfp4,
    "int4 a group": int4_groups,
}
