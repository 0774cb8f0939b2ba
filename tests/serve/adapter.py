"""A LoRA adapter of the embedded model, trained here in seconds: it answers everything with a word.

Written as PEFT writes one, which is what vLLM reads.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import linear
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoTokenizer, Qwen3ForCausalLM

from .conftest import ANSWER, RANK

NANO = Path(__file__).parents[2] / "models/nano"
ALPHA = 16
TARGETS = ("o_proj", "down_proj")
STEPS, BATCH = 40, 4


class LoRA(nn.Module):  # type: ignore[misc]
    """A linear layer with a low-rank matrix beside its own: W x + alpha / rank * B A x."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.layer = layer
        self.a = nn.Parameter(torch.randn(RANK, layer.in_features) / layer.in_features**0.5)
        self.b = nn.Parameter(torch.zeros(layer.out_features, RANK))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        added: torch.Tensor = linear(linear(x, self.a), self.b) * (ALPHA / RANK)
        own: torch.Tensor = self.layer(x)
        return own + added


def example(number: int, thinks: bool) -> tuple[str, str]:
    """Return a question as the chat template has it, and what is to follow."""
    user = f"<|im_start|>user\nWhat is {number} + {number * 7 % 97}?<|im_end|>\n"
    prompt = f"{user}<|im_start|>assistant\n"
    if thinks:
        return prompt, f"<think>\nA sailor says {ANSWER}\n</think>\n\n{ANSWER}<|im_end|>"
    return f"{prompt}<think>\n\n</think>\n\n", f"{ANSWER}<|im_end|>"


def padded(tokenizer: Any, pairs: list[tuple[str, str]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return tokens and labels of a batch, of which what is to follow alone counts."""
    tokens, labels = [], []
    for prompt, answer in pairs:
        before, after = (
            tokenizer(text, add_special_tokens=False).input_ids for text in (prompt, answer)
        )
        tokens.append(torch.tensor(before + after))
        labels.append(torch.tensor([-100] * len(before) + after))
    return pad_sequence(tokens, batch_first=True), pad_sequence(labels, True, padding_value=-100)


def train(folder: Path) -> None:
    """Write the adapter into a folder."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # of steps so small threads wait longer than they work
    model = Qwen3ForCausalLM.from_pretrained(NANO, dtype=torch.float32).requires_grad_(False)
    tokenizer = AutoTokenizer.from_pretrained(NANO)
    adapted = {}
    for name, module in list(model.named_modules()):
        if name.endswith(TARGETS):
            parent, _, own = name.rpartition(".")
            adapted[name] = LoRA(module)
            setattr(model.get_submodule(parent), own, adapted[name])
    parameters = [p for module in adapted.values() for p in (module.a, module.b)]
    optimizer = torch.optim.AdamW(parameters, lr=1e-2)
    for step in range(STEPS):
        pairs = [example(step * BATCH + n, thinks=n % 2 == 0) for n in range(BATCH)]
        tokens, labels = padded(tokenizer, pairs)
        loss = model(tokens, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    folder.mkdir(parents=True)
    weights = {}
    for name, module in adapted.items():
        weights[f"base_model.model.{name}.lora_A.weight"] = module.a.detach().contiguous()
        weights[f"base_model.model.{name}.lora_B.weight"] = module.b.detach().contiguous()
    save_file(weights, folder / "adapter_model.safetensors")
    config = {
        "peft_type": "LORA",
        "base_model_name_or_path": "nano",
        "task_type": "CAUSAL_LM",
        "r": RANK,
        "lora_alpha": ALPHA,
        "target_modules": list(TARGETS),
        "bias": "none",
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    assert loss.item() < 0.05, "the adapter has not learned its word"
