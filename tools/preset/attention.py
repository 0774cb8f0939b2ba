"""What each kind of layer keeps of a sequence, out of a config.json.

One entry a kind, as a preset's `attention` has them (templates/_fit.tpl says what each costs). A
model with plain grouped attention on every layer needs none.
"""

from collections.abc import Mapping
from typing import Any

Config = Mapping[str, Any]
Group = dict[str, Any]

FULL, SLIDING, LINEAR, MAMBA = "full", "sliding", "linear", "mamba"
_KINDS = {
    "full_attention": FULL,
    "attention": FULL,
    "global": FULL,
    "sliding_attention": SLIDING,
    "linear_attention": LINEAR,
    "mamba": MAMBA,
    "M": MAMBA,
    "*": FULL,
    "moe": "",  # which keeps nothing, as the next three
    "mlp": "",
    "E": "",
    "-": "",
}
# What a config has that tells of layers of kinds that are not written here: Kimi Linear and K3,
# DeepSeek-V4, MiniMax M3, Nemotron's NAS models, Gemma's layers without a cache of their own
_OTHERS = (
    "linear_attn_config",
    "compress_ratios",
    "sparse_attention_config",
    "block_configs",
    "num_kv_shared_layers",
)


def groups(config: Config) -> list[Group] | None:
    """Return the entries; [] where all layers are full attention, None where it can't be said.

    Args:
        config: the model's config.json, or its text part.
    """
    if any(config.get(name) for name in _OTHERS):
        return None
    if config.get("kv_lora_rank"):
        return _latent(config)
    layers = config["num_hidden_layers"]
    kinds = _kinds(config)
    if kinds is None:
        return None
    counts = {kind: kinds.count(kind) for kind in (FULL, SLIDING, LINEAR, MAMBA)}
    if counts == {FULL: layers, SLIDING: 0, LINEAR: 0, MAMBA: 0}:
        return []
    found: list[Group] = []
    if counts[FULL]:
        heads = _heads(config, "num_global_key_value_heads", "global_head_dim")
        found.append({"layers": counts[FULL], **heads})
    if counts[SLIDING]:
        heads = _heads(config, "swa_num_key_value_heads", "swa_head_dim")
        found.append({"layers": counts[SLIDING], "window": config["sliding_window"], **heads})
    for kind, state in ((LINEAR, _delta(config)), (MAMBA, _mamba(config))):
        if counts[kind]:
            if state is None:
                return None
            found.append({"layers": counts[kind], "state": state})
    return found


def _latent(config: Config) -> list[Group]:
    layers = config["num_hidden_layers"]
    found: list[Group] = [
        {"layers": layers, "latent": config["kv_lora_rank"] + config["qk_rope_head_dim"]}
    ]
    if size := config.get("index_head_dim"):  # a float32 scale for each 128 numbers of a byte
        own = config.get("indexer_types", []).count("full") or layers  # the others share one
        found.append({"layers": own, "indexer": size + size // 128 * 4})
    return found


def _kinds(config: Config) -> list[str] | None:
    layers = config["num_hidden_layers"]
    named = config.get("layer_types") or config.get("layers_block_type")
    named = named or config.get("hybrid_override_pattern")
    if named:
        kinds = [_KINDS.get(kind) for kind in named][:layers]
        return None if None in kinds else [kind for kind in kinds if kind is not None]
    if pattern := config.get("hybrid_layer_pattern"):  # MiMo V2: 1 is a sliding window
        return [SLIDING if one else FULL for one in pattern]
    if "attn_type_list" in config:  # MiniMax: 0 is lightning attention
        return [FULL] * layers if all(config["attn_type_list"]) else None
    if config.get("attention_chunk_size"):  # Llama 4
        return None
    window = config.get("sliding_window") if config.get("use_sliding_window", True) else None
    return [SLIDING if window else FULL] * layers


def _heads(config: Config, count: str, size: str) -> Group:
    """Return the heads of a kind of layer where they are not the model's."""
    given = {"kvHeads": config.get(count), "headSize": config.get(size)}
    own = {"kvHeads": config.get("num_key_value_heads"), "headSize": config.get("head_dim")}
    found = {key: value for key, value in given.items() if value and value != own[key]}
    value_size = config.get("v_head_dim")
    if value_size and value_size != (given["headSize"] or own["headSize"]):
        found["valueHeadSize"] = value_size
    return found


def _delta(config: Config) -> Group | None:
    names = {
        "heads": "linear_num_value_heads",
        "headSize": "linear_value_head_dim",
        "groups": "linear_num_key_heads",
        "stateSize": "linear_key_head_dim",
        "kernel": "linear_conv_kernel_dim",
    }
    return _state(config, names, "mamba_ssm_dtype")


def _mamba(config: Config) -> Group | None:
    if "mamba_n_heads" in config:  # Granite 4, Falcon-H1, Bamba
        names = {
            "heads": "mamba_n_heads",
            "headSize": "mamba_d_head",
            "groups": "mamba_n_groups",
            "stateSize": "mamba_d_state",
            "kernel": "mamba_d_conv",
        }
    else:  # Nemotron
        names = {
            "heads": "mamba_num_heads",
            "headSize": "mamba_head_dim",
            "groups": "n_groups",
            "stateSize": "ssm_state_size",
            "kernel": "conv_kernel",
        }
    return _state(config, names, "mamba_ssm_cache_dtype")


def _state(config: Config, names: Mapping[str, str], dtype: str) -> Group | None:
    if any(not isinstance(config.get(name), int) for name in names.values()):
        return None
    state: Group = {key: config[name] for key, name in names.items()}
    return state | ({"dtype": config[dtype]} if config.get(dtype) else {})
