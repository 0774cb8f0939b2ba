"""Further families for `families.py`: those with latent attention, many experts or state layers.

What a family's config.json has beside a preset's numbers is from vLLM's or transformers' code for
it, or from public copies of the file; what is built so has the parameters that the card counts.
"""

from typing import Any

Preset = dict[str, Any]
Config = dict[str, Any]


SUPER = "MEMEMEM*" + "EMEMEMEM*" * 2 + "EMEMEMEMEM*" * 4 + "EMEMEMEM*EMEMEMEME"  # its layers
BLOCKS = {"quant_method": "fp8", "weight_block_size": [128, 128]}
INT4 = {  # of Kimi-K2.5's config.json
    "quant_method": "compressed-tensors",
    "config_groups": {
        "group_0": {
            "weights": {"num_bits": 4, "group_size": 32, "strategy": "group", "type": "int"}
        }
    },
    "ignore": [
        "lm_head",
        "re:.*self_attn.*",
        "re:.*shared_experts.*",
        r"re:.*mlp\.(gate|up|gate_up|down)_proj.*",
    ],
}


def deepseek_v3(preset: Preset) -> Config:
    """Return the config of a DeepSeek-V3, whose defaults in transformers are V3's own."""
    return {"model_type": "deepseek_v3", "quantization_config": BLOCKS} | routed(preset)


def kimi_k2(preset: Preset) -> Config:
    """Return the config of a Kimi K2: a DeepSeek-V3 with one dense layer, not three."""
    found = {"model_type": "deepseek_v3", "first_k_dense_replace": 1, "quantization_config": INT4}
    return found | routed(preset)


def glm4_moe(preset: Preset) -> Config:
    """Return the config of a GLM-4.6 or GLM-4.7: three dense layers, and norms of Q and K."""
    return {
        "model_type": "glm4_moe",
        "head_dim": preset["headSize"],
        "intermediate_size": 12288,
        "first_k_dense_replace": 3,
        "attention_bias": True,
        "use_qk_norm": True,
    } | routed(preset)


def glm4_moe_lite(preset: Preset) -> Config:
    """Return the config of a GLM-4.7-Flash."""
    return {
        "model_type": "glm4_moe_lite",
        "intermediate_size": 10240,
        "first_k_dense_replace": 1,  # vLLM wants it said
        "q_lora_rank": 768,
        "kv_lora_rank": 512,
        "qk_nope_head_dim": 192,
        "qk_rope_head_dim": 64,
        "v_head_dim": 256,
    } | routed(preset)


def nemotron_super(preset: Preset) -> Config:
    """Return the config of a Nemotron 3 Super, whose experts work in a space of 1024."""
    [state] = [entry["state"] for entry in preset["attention"] if "state" in entry]
    return {
        "model_type": "nemotron_h",
        "hybrid_override_pattern": SUPER,
        "head_dim": preset["headSize"],
        "mamba_num_heads": state["heads"],
        "mamba_head_dim": state["headSize"],
        "n_groups": state["groups"],
        "ssm_state_size": state["stateSize"],
        "conv_kernel": state["kernel"],
        "mamba_ssm_cache_dtype": state["dtype"],
        "intermediate_size": 2688,
        "moe_latent_size": 1024,
        "moe_shared_expert_intermediate_size": 5376,
    } | routed(preset)


def seed_oss(preset: Preset) -> Config:
    """Return the config of a Seed-OSS."""
    return {
        "model_type": "seed_oss",
        "head_dim": preset["headSize"],
        "intermediate_size": preset["intermediateSize"],
        "attention_bias": True,
        "attention_out_bias": False,
    }


def hy_v3(preset: Preset) -> Config:
    """Return the config of a Hy3: one dense layer of 13312."""
    return {
        "model_type": "hy_v3",
        "head_dim": preset["headSize"],
        "intermediate_size": 13312,
        "first_k_dense_replace": 1,
        "num_experts": preset["experts"],
        "num_experts_per_tok": preset["activeExperts"],
        "num_shared_experts": 1,
        "moe_intermediate_size": preset["intermediateSize"] // preset["activeExperts"],
        "expert_hidden_dim": preset["intermediateSize"] // preset["activeExperts"],
    }


def routed(preset: Preset) -> Config:
    """Return what DeepSeek's configs, and those after them, say of experts."""
    return {
        "n_routed_experts": preset["experts"],
        "n_shared_experts": 1,
        "num_experts_per_tok": preset["activeExperts"],
        "moe_intermediate_size": preset["intermediateSize"] // preset["activeExperts"],
    }
