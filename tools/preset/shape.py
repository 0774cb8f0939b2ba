"""A preset's numbers out of a config.json."""

from collections.abc import Mapping
from typing import Any

Config = Mapping[str, Any]

# Our field, and what configs call it: the first that is there
_NAMES = {
    "layers": ("num_hidden_layers", "n_layer"),
    "hiddenSize": ("hidden_size", "n_embd"),
    "vocabSize": ("vocab_size",),
    "attentionHeads": ("num_attention_heads", "n_head"),
    "kvHeads": ("num_key_value_heads", "num_attention_groups", "num_attention_heads"),
    "maxPositions": ("max_position_embeddings", "max_seq_len"),
}
EXPERTS = ("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts")
ACTIVE = ("num_experts_per_tok", "moe_topk", "moe_top_k", "moe_k")
WIDTH_OF_AN_EXPERT = ("moe_intermediate_size", "expert_hidden_dim", "intermediate_size")


def text(config: Config) -> Config:
    """Return the part of a config that is the language model's."""
    for part in ("text_config", "llm_config", "language_config"):
        if isinstance(config.get(part), Mapping):
            own: Config = config[part]
            return own
    return config


def shape(config: Config) -> dict[str, int | None]:
    """Return a preset's numbers; None is what the config does not say.

    Args:
        config: the model's config.json, or its text part.
    """
    found = {field: _first(config, names) for field, names in _NAMES.items()}
    found["headSize"] = _head_size(config, found)
    experts, active = _first(config, EXPERTS), _first(config, ACTIVE)
    if not experts or not active:
        found["intermediateSize"] = _first(config, ("intermediate_size", "n_inner"))
        return found
    width = _first(config, WIDTH_OF_AN_EXPERT)
    # What a token goes through: the experts that it is sent to
    found["intermediateSize"] = width * active if width else None
    return found | {"experts": experts, "activeExperts": active}


def dtype(config: Config) -> str | None:
    """Return what the activations are computed in, where the config says it."""
    for name in ("dtype", "torch_dtype"):
        if isinstance(config.get(name), str):
            return str(config[name]).removeprefix("torch.")
    return None


def _first(config: Config, names: tuple[str, ...]) -> int | None:
    for name in names:
        value = config.get(name)
        if isinstance(value, list) and value and len(set(value)) == 1:
            value = value[0]  # Hunyuan says it layer by layer
        if isinstance(value, int):
            return value
    return None


def _head_size(config: Config, found: Mapping[str, int | None]) -> int | None:
    if config.get("kv_lora_rank") and config.get("qk_nope_head_dim"):
        return int(config["qk_nope_head_dim"]) + int(config["qk_rope_head_dim"])
    if own := _first(config, ("head_dim", "attention_head_dim")):
        return own
    hidden, heads = found["hiddenSize"], found["attentionHeads"]
    return hidden // heads if hidden and heads else None
