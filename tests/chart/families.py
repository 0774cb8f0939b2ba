"""Models whose config.json is not in configs/: their architecture, out of a preset's own numbers.

A family's entry says what its config.json adds to what a preset says. What is built so has the
parameters that the card counts only if the preset's numbers are right.
"""

import re
from collections.abc import Callable
from typing import Any

from .families_latent import (
    deepseek_v3,
    glm4_moe,
    glm4_moe_lite,
    hy_v3,
    kimi_k2,
    nemotron_super,
    seed_oss,
)

Preset = dict[str, Any]
Config = dict[str, Any]


def qwen2(preset: Preset) -> Config:
    """Return the config of a distilled R1 or QwQ, which are Qwen2."""
    return {"model_type": "qwen2", "intermediate_size": preset["intermediateSize"]}


def qwen3(preset: Preset) -> Config:
    """Return the config of a Qwen3. Those up to 4B tie lm_head to the embeddings, no other does."""
    if "experts" in preset:
        return {"model_type": "qwen3_moe"} | experts(preset)
    return {
        "model_type": "qwen3",
        "head_dim": preset["headSize"],
        "intermediate_size": preset["intermediateSize"],
        "tie_word_embeddings": preset["hiddenSize"] <= 2560,
    }


def qwen3_next(preset: Preset) -> Config:
    """Return the config of a Qwen3-Next: every fourth layer is attention, the others a state."""
    return {"model_type": "qwen3_next", "shared_expert_intermediate_size": 512} | experts(preset)


def qwen3_5(preset: Preset) -> Config:
    """Return the config of Qwen3.5's language model, which Qwen3.6 and 3.8 have too."""
    [state] = [entry["state"] for entry in preset["attention"] if "state" in entry]
    config = {
        "model_type": "qwen3_5_text",
        "intermediate_size": preset["intermediateSize"],
        "head_dim": preset["headSize"],
        "linear_num_key_heads": state["groups"],
        "linear_num_value_heads": state["heads"],
        "linear_key_head_dim": state["stateSize"],
        "linear_value_head_dim": state["headSize"],
        "mamba_ssm_dtype": state["dtype"],
    }
    if "experts" in preset:
        expert = preset["intermediateSize"] // preset["activeExperts"]
        config |= {"model_type": "qwen3_5_moe_text", "shared_expert_intermediate_size": expert}
        config |= experts(preset)
    return config


def experts(preset: Preset) -> Config:
    """Return what Qwen's configs say of experts."""
    return {
        "head_dim": preset["headSize"],
        "num_experts": preset["experts"],
        "num_experts_per_tok": preset["activeExperts"],
        "moe_intermediate_size": preset["intermediateSize"] // preset["activeExperts"],
    }


def gemma4(preset: Preset) -> Config:
    """Return the config of Gemma 4's language model: every sixth layer sees all, with other heads.

    Its experts work beside a dense MLP, of 2112 in google/gemma-4-26B-A4B's config.json.
    """
    [seeing] = [entry for entry in preset["attention"] if "window" not in entry]
    [window] = [entry for entry in preset["attention"] if "window" in entry]
    config = {
        "model_type": "gemma4_text",
        "intermediate_size": preset["intermediateSize"],
        "head_dim": preset["headSize"],
        "global_head_dim": seeing["headSize"],
        "num_global_key_value_heads": seeing["kvHeads"],
        "attention_k_eq_v": True,
        "hidden_size_per_layer_input": 0,
        "num_kv_shared_layers": 0,
        "sliding_window": window["window"],
        "tie_word_embeddings": True,
        "layer_types": [
            "sliding_attention" if (index + 1) % 6 else "full_attention"
            for index in range(preset["layers"])
        ],
    }
    if "experts" in preset:
        config |= {
            "enable_moe_block": True,
            "intermediate_size": 2112,
            "num_experts": preset["experts"],
            "top_k_experts": preset["activeExperts"],
            "moe_intermediate_size": preset["intermediateSize"] // preset["activeExperts"],
        }
    return config


def granite_hybrid(preset: Preset) -> Config:
    """Return the config of a Granite 4 H: every layer has experts, one in ten attends."""
    [state] = [entry["state"] for entry in preset["attention"] if "state" in entry]
    return {
        "model_type": "granitemoehybrid",
        "intermediate_size": preset["intermediateSize"] // preset["activeExperts"],
        "shared_intermediate_size": 1536,
        "num_local_experts": preset["experts"],
        "num_experts_per_tok": preset["activeExperts"],
        "layer_types": [
            "attention" if index % 10 == 5 else "mamba" for index in range(preset["layers"])
        ],
        "mamba_n_heads": state["heads"],
        "mamba_d_head": state["headSize"],
        "mamba_n_groups": state["groups"],
        "mamba_d_state": state["stateSize"],
        "mamba_d_conv": state["kernel"],
        "tie_word_embeddings": True,
    }


def smollm3(preset: Preset) -> Config:
    """Return the config of a SmolLM3."""
    return {
        "model_type": "smollm3",
        "intermediate_size": preset["intermediateSize"],
        "tie_word_embeddings": True,
    }


def phi3(preset: Preset) -> Config:
    """Return the config of a Phi-4, which is built as a Phi-3."""
    config = {"model_type": "phi3", "intermediate_size": preset["intermediateSize"]}
    return config | {key: 1 for key in ("pad_token_id", "bos_token_id", "eos_token_id")}


def mistral4(preset: Preset) -> Config:
    """Return the config of a Mistral Small 4, as vLLM makes it of params.json: a DeepSeek's.

    The ranks are transformers' Mistral4Config's, whose defaults are this model.
    """
    return {
        "model_type": "deepseek_v3",
        "first_k_dense_replace": 0,
        "kv_lora_rank": 256,
        "q_lora_rank": 1024,
        "qk_nope_head_dim": 64,
        "qk_rope_head_dim": 64,
        "v_head_dim": preset["headSize"],
        "n_group": 1,
        "topk_group": 1,
        "n_shared_experts": 1,
        "n_routed_experts": preset["experts"],
        "num_experts_per_tok": preset["activeExperts"],
        "moe_intermediate_size": preset["intermediateSize"] // preset["activeExperts"],
    }


FAMILIES: dict[str, Callable[[Preset], Config]] = {
    r"Qwen/QwQ-|deepseek-ai/DeepSeek-R1-Distill-Qwen-": qwen2,
    r"Qwen/Qwen3-Next-": qwen3_next,
    r"Qwen/Qwen3-": qwen3,
    r"Qwen/Qwen3\.[568]-": qwen3_5,
    r"google/gemma-4-(31B|26B)": gemma4,
    r"ibm-granite/granite-4\.0-h-small": granite_hybrid,
    r"HuggingFaceTB/SmolLM3-": smollm3,
    r"microsoft/Phi-4-reasoning": phi3,
    r"mistralai/Mistral-Small-4-": mistral4,
    r"deepseek-ai/DeepSeek-(V3\.1|R1-0528)$": deepseek_v3,
    r"moonshotai/Kimi-K2(-|\.6$)": kimi_k2,
    r"zai-org/GLM-4\.7$": glm4_moe,
    r"zai-org/GLM-4\.7-Flash$": glm4_moe_lite,
    r"nvidia/NVIDIA-Nemotron-3-Super-": nemotron_super,
    r"ByteDance-Seed/Seed-OSS-36B-": seed_oss,
    r"tencent/Hy3$": hy_v3,
}


# Of models that see, by their language model's: what is round it.
SEEING: dict[str, Config] = {
    "qwen3_5_text": {
        "model_type": "qwen3_5",
        "architectures": ["Qwen3_5ForConditionalGeneration"],
    },
    "qwen3_5_moe_text": {
        "model_type": "qwen3_5_moe",
        "architectures": ["Qwen3_5MoeForConditionalGeneration"],
    },
}


def config_of(preset: Preset) -> Config | None:
    """Return a model's config out of its preset; None if its family is not known here."""
    for source, family in FAMILIES.items():
        if re.match(source, preset["source"]):
            config = {
                "hidden_size": preset["hiddenSize"],
                "num_hidden_layers": preset["layers"],
                "num_attention_heads": preset["attentionHeads"],
                "num_key_value_heads": preset["kvHeads"],
                "vocab_size": preset["vocabSize"],
                "max_position_embeddings": preset["maxPositions"],
                "tie_word_embeddings": False,
            } | family(preset)
            if outer := SEEING.get(config["model_type"]):
                return {**outer, "text_config": config, "vision_config": {}}
            return config
    return None
