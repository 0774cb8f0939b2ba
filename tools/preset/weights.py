"""How many parameters a model has, and what they take: of its architecture, without its weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .formats import Format, format_of

Config = dict[str, Any]


@dataclass(frozen=True)
class Weights:
    """What was counted.

    Args:
        parameters: of the architecture; None where transformers does not know it.
        bytes: as vLLM loads them; None where the format or the architecture is not known.
        how: in words, for the draft's comment.
        experts: of them in the experts that a token is sent to, or not.
    """

    parameters: int | None
    bytes: int | None
    how: str
    experts: int = 0


def count(config: Config) -> Weights:
    """Count the parameters of a config.json's language model, and their bytes.

    Layers that only draft tokens (MTP) are no part of it, as vLLM loads none without
    `speculative_config`; nor is what sees or hears, as with `language_model_only`.
    """
    quantization = quantization_of(config)
    form = format_of(quantization) if quantization else None
    model = _on_no_device(config)
    if model is None:
        return Weights(None, None, "transformers knows no such architecture")
    total, quantized, size, experts = 0, 0, 0, 0
    linear = _matrices(model)
    for name, parameter in model.named_parameters():
        total += parameter.numel()
        experts += parameter.numel() if ".experts." in name else 0
        if form and name in linear and form.quantizes(name.removesuffix(".weight")):
            quantized += parameter.numel()
            size += form.bytes_of(parameter.shape)
        else:
            size += 2 * parameter.numel()
    if quantization and form is None:
        how = f"{quantization.get('quant_method')} is not known here"
        return Weights(total, None, how, experts)
    return Weights(total, size, _words(form, quantized / total), experts)


def quantization_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a config's `quantization_config`, which some have in their text part."""
    for part in (config, config.get("text_config") or {}):
        if said := part.get("quantization_config"):
            return {**said, "expert_dtype": part.get("expert_dtype")}
    return {}


def _words(form: Format | None, share: float) -> str:
    return f"{form.name}; {share:.0%} of the weights, the others bf16" if form else "bf16"


def _on_no_device(config: Config) -> Any:
    """Return the language model with its shapes and no memory, or None."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    plain = {key: value for key, value in config.items() if key not in _OF_OTHERS}
    if isinstance(plain.get("text_config"), dict):
        part = plain["text_config"]
        plain["text_config"] = {key: part[key] for key in part if key not in _OF_OTHERS}
    try:
        known = AutoConfig.for_model(**plain)
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(known.get_text_config())
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


_OF_OTHERS = ("auto_map", "quantization_config")  # remote code, and what is counted here


def _matrices(model: Any) -> set[str]:
    """Return the names of the parameters that are matrices of linear layers or of experts."""
    import torch

    linear = {
        f"{name}.weight"
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    experts = {
        name
        for name, parameter in model.named_parameters()
        if ".experts." in name and parameter.dim() == 3
    }
    return linear | experts
