"""One model of each kind of attention, whatever presets there are: a config, and its numbers.

The configs are transformers' own defaults, which are a published model's, or have its numbers.
"""

from dataclasses import dataclass
from typing import Any

from transformers import AutoConfig


@dataclass(frozen=True)
class Architecture:
    """A model.

    Args:
        name: as vLLM has it.
        config: its config's model_type, and what differs from transformers' defaults.
        preset: the numbers of it that a sum of the KV cache goes by.
        even: whether each half of its layers has as many of each kind, as the sum has it.
        eight_bits: whether vLLM keeps its KV cache in FP8 when told to.
    """

    name: str
    config: dict[str, Any]
    preset: dict[str, Any]
    even: bool = True
    eight_bits: bool = True

    def published(self) -> dict[str, Any]:
        """Return its config.json."""
        long = {"max_position_embeddings": 131072}
        config = AutoConfig.for_model(**self.config, **long).to_dict()
        return {**config, **self.config, "architectures": [self.name]}


def _layers(*kinds: str, times: int) -> list[str]:
    return [*kinds] * times


ARCHITECTURES = {
    "full": Architecture(  # Qwen3-0.6B
        "Qwen3ForCausalLM",
        {
            "model_type": "qwen3",
            "num_hidden_layers": 28,
            "hidden_size": 1024,
            "num_attention_heads": 16,
            "num_key_value_heads": 8,
        },
        {"layers": 28, "hiddenSize": 1024, "attentionHeads": 16, "kvHeads": 8, "headSize": 128},
    ),
    "latent": Architecture(
        "DeepseekV3ForCausalLM",
        {"model_type": "deepseek_v3"},
        {
            "layers": 61,
            "hiddenSize": 7168,
            "attentionHeads": 128,
            "attention": [{"layers": 61, "latent": 576}],
        },
    ),
    "latent, and an indexer in each layer": Architecture(
        "DeepseekV32ForCausalLM",
        {"model_type": "deepseek_v32"},
        {
            "layers": 61,
            "hiddenSize": 7168,
            "attentionHeads": 128,
            "attention": [{"layers": 61, "latent": 576}, {"layers": 61, "indexer": 132}],
        },
    ),
    "windows in every other layer": Architecture(
        "GptOssForCausalLM",
        {"model_type": "gpt_oss"},
        {
            "layers": 36,
            "hiddenSize": 2880,
            "attentionHeads": 64,
            "kvHeads": 8,
            "headSize": 64,
            "attention": [{"layers": 18}, {"layers": 18, "window": 128}],
        },
    ),
    "windows with other heads in five of six layers": Architecture(  # Gemma 4 31B
        "Gemma4ForCausalLM",
        {
            "model_type": "gemma4_text",
            "num_hidden_layers": 60,
            "hidden_size": 5376,
            "num_attention_heads": 32,
            "num_key_value_heads": 16,
            "head_dim": 256,
            "global_head_dim": 512,
            "num_global_key_value_heads": 4,
            "attention_k_eq_v": True,
            "sliding_window": 1024,
            "hidden_size_per_layer_input": 0,
            "num_kv_shared_layers": 0,
            "layer_types": _layers(*["sliding_attention"] * 5, "full_attention", times=10),
        },
        {
            "layers": 60,
            "hiddenSize": 5376,
            "attentionHeads": 32,
            "kvHeads": 16,
            "headSize": 256,
            "attention": [
                {"layers": 50, "window": 1024},
                {"layers": 10, "kvHeads": 4, "headSize": 512},
            ],
        },
    ),
    "windows, and values smaller than keys": Architecture(
        "MiMoV2FlashForCausalLM",
        {
            "model_type": "mimo_v2_flash",
            "sliding_window": 128,
            "sliding_window_size": 128,
            "swa_num_attention_heads": 64,
            "swa_num_key_value_heads": 8,
            "swa_head_dim": 192,
            "swa_v_head_dim": 128,
            "swa_rope_theta": 10000,
            "attention_value_scale": 0.707,
            "add_swa_attention_sink_bias": True,
            "add_full_attention_sink_bias": False,
            "attention_chunk_size": 128,
            "layernorm_epsilon": 1e-5,
            "hybrid_layer_pattern": [0] + [1, 1, 1, 1, 0] + [1, 1, 1, 1, 1, 0] * 7,
            "moe_layer_freq": [0] + [1] * 47,
        },
        {
            "layers": 48,
            "hiddenSize": 4096,
            "attentionHeads": 64,
            "kvHeads": 4,
            "headSize": 192,
            "attention": [
                {"layers": 9, "valueHeadSize": 128},
                {"layers": 39, "window": 128, "kvHeads": 8, "valueHeadSize": 128},
            ],
        },
        eight_bits=False,  # its layers are not given the cache's settings (mimo_v2.py)
    ),
    "gated delta nets in three of four layers": Architecture(
        "Qwen3NextForCausalLM",
        {"model_type": "qwen3_next"},
        {
            "layers": 48,
            "hiddenSize": 2048,
            "attentionHeads": 16,
            "kvHeads": 2,
            "headSize": 256,
            "attention": [
                {"layers": 12},
                {
                    "layers": 36,
                    "state": {
                        "heads": 32,
                        "headSize": 128,
                        "groups": 16,
                        "stateSize": 128,
                        "kernel": 4,
                    },
                },
            ],
        },
    ),
    "Mamba2, and layers without either": Architecture(  # Nemotron 3 Nano
        "NemotronHForCausalLM",
        {
            "model_type": "nemotron_h",
            "hidden_size": 2688,
            "layers_block_type": [
                {"M": "linear_attention", "E": "moe", "*": "full_attention"}[one]
                for one in "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME"
            ],
            "num_attention_heads": 32,
            "num_key_value_heads": 2,
            "mamba_num_heads": 64,
        },
        {
            "layers": 52,
            "hiddenSize": 2688,
            "attentionHeads": 32,
            "kvHeads": 2,
            "headSize": 128,
            "attention": [
                {"layers": 6},
                {
                    "layers": 23,
                    "state": {
                        "heads": 64,
                        "headSize": 64,
                        "groups": 8,
                        "stateSize": 128,
                        "kernel": 4,
                        "dtype": "float32",
                    },
                },
            ],
        },
    ),
    "Mamba2 of one group": Architecture(  # Granite 4.0 H Small
        "GraniteMoeHybridForCausalLM",
        {
            "model_type": "granitemoehybrid",
            "num_hidden_layers": 40,
            "num_key_value_heads": 8,
            "mamba_d_state": 128,
            "layer_types": _layers(*["mamba"] * 5, "attention", *["mamba"] * 4, times=4),
        },
        {
            "layers": 40,
            "hiddenSize": 4096,
            "attentionHeads": 32,
            "kvHeads": 8,
            "headSize": 128,
            "attention": [
                {"layers": 4},
                {
                    "layers": 36,
                    "state": {
                        "heads": 128,
                        "headSize": 64,
                        "groups": 1,
                        "stateSize": 128,
                        "kernel": 4,
                    },
                },
            ],
        },
    ),
    "latent beside Kimi's delta attention": Architecture(
        "KimiLinearForCausalLM",
        {
            "model_type": "kimi_linear",
            "mla_use_nope": True,
            "linear_attn_config": {
                "kda_layers": [one for one in range(1, 28) if one % 4 and one != 27],
                "full_attn_layers": [4, 8, 12, 16, 20, 24, 27],
                "num_heads": 32,
                "head_dim": 128,
                "short_conv_kernel_size": 4,
            },
        },
        {
            "layers": 27,
            "hiddenSize": 2304,
            "attentionHeads": 32,
            "attention": [
                {"layers": 7, "latent": 576},
                {
                    "layers": 20,
                    "state": {
                        "heads": 32,
                        "headSize": 128,
                        "groups": 32,
                        "stateSize": 128,
                        "kernel": 4,
                        "dtype": "float32",
                    },
                },
            ],
        },
    ),
    "short convolutions": Architecture(  # LFM2-1.2B
        "Lfm2ForCausalLM",
        {
            "model_type": "lfm2",
            "num_hidden_layers": 16,
            "hidden_size": 2048,
            "conv_dim": 2048,
            "block_dim": 2048,
            "layer_types": [
                "full_attention" if one in (2, 5, 8, 10, 12, 14) else "conv" for one in range(16)
            ],
        },
        {
            "layers": 16,
            "hiddenSize": 2048,
            "attentionHeads": 32,
            "kvHeads": 8,
            "headSize": 64,
            "attention": [
                {"layers": 6},
                {
                    "layers": 10,
                    "state": {
                        "heads": 2048,
                        "headSize": 1,
                        "groups": 0,
                        "stateSize": 0,
                        "kernel": 3,
                    },
                },
            ],
        },
        even=False,
    ),
}
