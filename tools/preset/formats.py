"""What a weight takes in a format of quantization, as vLLM 0.29 lays it out.

Sources, in vllm/model_executor/layers/quantization: fp8.py and utils/fp8_utils.py; modelopt.py;
mxfp4.py; auto_awq.py, auto_gptq.py; compressed_tensors/.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from math import ceil
from typing import Any

# Never quantized, whatever the config says: their layers have no quantization in vLLM's models
PLAIN = re.compile(
    r"(^|\.)(embed_tokens|embeddings|lm_head|gate|router|weights_proj|indexer\.wk|conv1d)\."
)

_BLOCKS = "a float32 scale a block of"


@dataclass(frozen=True)
class Format:
    """One format.

    Args:
        name: for the draft's comment.
        bits: of a weight.
        rows: that share a scale.
        columns: that share a scale; 0 for all of a row, or of the block of rows.
        scale_bits: of one scale, with its zero point.
        kept: names of modules that are not quantized, as the config has them.
    """

    name: str
    bits: int
    rows: int
    columns: int
    scale_bits: int
    kept: tuple[str, ...] = ()

    def quantizes(self, name: str) -> bool:
        """Say whether the weights of a module, by its name, are in this format."""
        return not PLAIN.search(f"{name}.") and not any(_matches(name, one) for one in self.kept)

    def bytes_of(self, shape: Sequence[int]) -> int:
        """Return the bytes of a matrix [rows, columns], or of many [experts, rows, columns]."""
        *many, rows, columns = shape
        blocks = ceil(rows / (self.rows or rows)) * ceil(columns / (self.columns or columns))
        one = rows * columns * self.bits // 8 + blocks * self.scale_bits // 8
        return one * (many[0] if many else 1)


def format_of(quantization: Mapping[str, Any]) -> Format | None:
    """Return the format of a config's `quantization_config`; None for one that is not known here.

    Args:
        quantization: with its keys as they are published.
    """
    method = str(quantization.get("quant_method", "")).lower()
    kept = tuple(
        quantization.get("modules_to_not_convert")
        or quantization.get("ignored_layers")
        or quantization.get("exclude_modules")
        or quantization.get("ignore")
        or ()
    )
    if method == "fp8" and not quantization.get("expert_dtype"):  # DeepSeek-V4's are in fp4
        if block := quantization.get("weight_block_size"):
            rows, columns = block
            return Format(f"fp8, {_BLOCKS} {rows} x {columns}", 8, rows, columns, 32, kept)
        return Format("fp8, a float32 scale a matrix", 8, 0, 0, 32, kept)
    if method in ("awq", "gptq"):
        bits, group = quantization["bits"], quantization["group_size"]
        return Format(f"{method}, {bits} bits, groups of {group}", bits, 1, group, 16 + bits, kept)
    if method == "mxfp4":
        return Format("mxfp4, a byte of scale a group of 32", 4, 1, 32, 8, kept)
    if method == "modelopt":
        return _modelopt(str(quantization.get("quant_algo")), kept)
    if method == "compressed-tensors":
        return _compressed(quantization, kept)
    return None


def _modelopt(algorithm: str, kept: tuple[str, ...]) -> Format | None:
    if algorithm == "FP8":
        return Format("fp8, a float32 scale a matrix", 8, 0, 0, 32, kept)
    if algorithm == "NVFP4":
        return Format("nvfp4, a byte of scale a group of 16", 4, 1, 16, 8, kept)
    return None


def _compressed(quantization: Mapping[str, Any], kept: tuple[str, ...]) -> Format | None:
    groups = quantization.get("config_groups") or {}
    if len(groups) != 1:
        return None  # a format of its own a group of modules
    weights = next(iter(groups.values()))["weights"]
    bits, group = weights["num_bits"], weights.get("group_size")
    strategy = weights.get("strategy")
    if strategy == "group" and weights.get("type") == "int":
        return Format(f"int{bits}, a scale of 16 bits a group of {group}", bits, 1, group, 16, kept)
    if strategy in ("group", "tensor_group") and weights.get("type") == "float" and bits == 4:
        return Format(f"fp4, a byte of scale a group of {group}", bits, 1, group, 8, kept)
    if strategy == "channel":
        return Format(f"{bits} bits, a float32 scale a row", bits, 1, 0, 32, kept)
    if strategy == "block":
        rows, columns = weights["block_structure"]
        return Format(f"fp8, {_BLOCKS} {rows} x {columns}", bits, rows, columns, 32, kept)
    return None


def _matches(name: str, pattern: str) -> bool:
    if pattern.startswith("re:"):
        return re.match(pattern[3:], name) is not None
    if "*" in pattern:
        return fnmatch(name, pattern)
    return f".{pattern}." in f".{name}."
