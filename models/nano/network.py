"""Qwen3 in plain PyTorch, for training on packed rows; parameters are named as in transformers."""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

from tokenizer import END, PAD, VOCABULARY

# The config.json of the model, and the only place where its shape is written.
CONFIG = {
    "architectures": ["Qwen3ForCausalLM"],
    "model_type": "qwen3",
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": PAD,
    "dtype": "bfloat16",
    "eos_token_id": END,
    "head_dim": 64,
    "hidden_act": "silu",
    "hidden_size": 256,
    "initializer_range": 0.02,
    "intermediate_size": 768,
    "max_position_embeddings": 4096,
    "max_window_layers": 6,
    "num_attention_heads": 8,
    "num_hidden_layers": 6,
    "num_key_value_heads": 4,
    "pad_token_id": PAD,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    "sliding_window": None,
    "tie_word_embeddings": True,
    "use_cache": True,
    "use_sliding_window": False,
    "vocab_size": VOCABULARY,
}
# The sampling that Qwen3's authors recommend for thinking.
GENERATION = {
    "bos_token_id": PAD,
    "eos_token_id": [END],
    "pad_token_id": PAD,
    "do_sample": True,
    "temperature": 0.6,
    "top_p": 0.95,
    "top_k": 20,
}
_HEAD, _HEADS, _KV = (
    CONFIG["head_dim"],
    CONFIG["num_attention_heads"],
    CONFIG["num_key_value_heads"],
)
_HIDDEN, _INNER = CONFIG["hidden_size"], CONFIG["intermediate_size"]


class RMSNorm(nn.Module):
    """Root mean square normalisation with a learnt gain of size `size`."""

    def __init__(self, size: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last dimension, in float32."""
        y = x.float()
        y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + CONFIG["rms_norm_eps"])
        return (self.weight * y).to(x.dtype)


class Attention(nn.Module):
    """Grouped-query attention with normalised queries and keys."""

    def __init__(self):
        super().__init__()
        self.q_proj = nn.Linear(_HIDDEN, _HEADS * _HEAD, bias=False)
        self.k_proj = nn.Linear(_HIDDEN, _KV * _HEAD, bias=False)
        self.v_proj = nn.Linear(_HIDDEN, _KV * _HEAD, bias=False)
        self.o_proj = nn.Linear(_HEADS * _HEAD, _HIDDEN, bias=False)
        self.q_norm = RMSNorm(_HEAD)
        self.k_norm = RMSNorm(_HEAD)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: BlockMask | Tensor) -> Tensor:
        """Attend within `mask`. x [B, T, hidden]; cos, sin [B, 1, T, head / 2]."""
        b, t, _ = x.shape
        q = _rotate(self.q_norm(self.q_proj(x).view(b, t, _HEADS, _HEAD)).transpose(1, 2), cos, sin)
        k = _rotate(self.k_norm(self.k_proj(x).view(b, t, _KV, _HEAD)).transpose(1, 2), cos, sin)
        v = self.v_proj(x).view(b, t, _KV, _HEAD).transpose(1, 2)
        if isinstance(mask, Tensor):
            y = F.scaled_dot_product_attention(q, k, v.to(q.dtype), mask, enable_gqa=True)
        else:
            y = flex_attention(q, k, v.to(q.dtype), block_mask=mask, enable_gqa=True)
        return self.o_proj(y.transpose(1, 2).reshape(b, t, _HEADS * _HEAD))


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.float().chunk(2, -1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1).to(x.dtype)


class MLP(nn.Module):
    """The gated feed-forward layer."""

    def __init__(self):
        super().__init__()
        self.gate_proj = nn.Linear(_HIDDEN, _INNER, bias=False)
        self.up_proj = nn.Linear(_HIDDEN, _INNER, bias=False)
        self.down_proj = nn.Linear(_INNER, _HIDDEN, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [..., hidden] to the same shape."""
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """One transformer layer."""

    def __init__(self):
        super().__init__()
        self.self_attn = Attention()
        self.mlp = MLP()
        self.input_layernorm = RMSNorm(_HIDDEN)
        self.post_attention_layernorm = RMSNorm(_HIDDEN)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: BlockMask | Tensor) -> Tensor:
        """Map x [B, T, hidden] to the same shape."""
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class Qwen3(nn.Module):
    """The network, with one matrix for embedding tokens and for predicting them."""

    def __init__(self):
        super().__init__()
        self.model = nn.Module()
        self.model.embed_tokens = nn.Embedding(VOCABULARY, _HIDDEN)
        self.model.layers = nn.ModuleList(Layer() for _ in range(CONFIG["num_hidden_layers"]))
        self.model.norm = RMSNorm(_HIDDEN)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                last = name.endswith(("o_proj.weight", "down_proj.weight"))
                scale = (2 * CONFIG["num_hidden_layers"]) ** -0.5 if last else 1.0
                nn.init.normal_(parameter, std=CONFIG["initializer_range"] * scale)
        frequencies = CONFIG["rope_theta"] ** (-torch.arange(0, _HEAD, 2) / _HEAD)
        self.register_buffer("frequencies", frequencies, persistent=False)

    def logits(self, tokens: Tensor, positions: Tensor, mask: BlockMask | Tensor) -> Tensor:
        """Return [B, T, vocabulary] for tokens and positions [B, T]."""
        angles = (positions[..., None].float() * self.frequencies)[:, None]
        cos, sin = angles.cos(), angles.sin()
        x = self.model.embed_tokens(tokens)
        for layer in self.model.layers:
            x = layer(x, cos, sin, mask)
        return F.linear(self.model.norm(x), self.model.embed_tokens.weight)

    def forward(
        self, tokens: Tensor, labels: Tensor, positions: Tensor, mask: BlockMask | Tensor
    ) -> Tensor:
        """Return the mean cross entropy over the labels [B, T] that are not -1."""
        logits = self.logits(tokens, positions, mask).float()
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-1)


def attention_mask(positions: Tensor) -> BlockMask | Tensor:
    """Return the mask that keeps packed examples apart: each is causal, none sees another.

    Args:
        positions: [B, T], counting from 0 in every example.

    Returns:
        A block mask on a GPU, a boolean tensor [B, 1, T, T] elsewhere.
    """
    rows, length = positions.shape
    document = (positions == 0).cumsum(1, dtype=torch.int32)
    if not positions.is_cuda:
        same = document[:, None, :, None] == document[:, None, None, :]
        return same & torch.ones(length, length, dtype=torch.bool).tril()

    def visible(b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
        return (q >= k) & (document[b, q] == document[b, k])

    return create_block_mask(visible, rows, None, length, length, device=positions.device)


def save(network: Qwen3, folder: Path) -> None:
    """Write config.json, generation_config.json and model.safetensors (bfloat16)."""
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    (folder / "generation_config.json").write_text(json.dumps(GENERATION, indent=2) + "\n")
    weights = {
        name: weight.detach().to("cpu", torch.bfloat16).contiguous()
        for name, weight in network.state_dict().items()
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
