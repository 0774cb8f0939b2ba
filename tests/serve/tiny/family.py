"""What a file of `families/` says of its family, and how all of them are found."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml
from tokenizers import Tokenizer

from .. import families
from ..conftest import ROOT

# All that these models think and answer, each word a token. The two have no word in common.
THOUGHT = [" one", " two", " three", " four", " five", " six", " seven", " eight"]
ANSWER = [" The", " answer", " is", " ready", "."]

# The sizes of a decoder, under the names that most configs have for them
SIZES = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
}
# Where vLLM's CPU build can't run a family's own architecture, this stands in for it.
QWEN3_MOE = {
    **SIZES,
    "architectures": ["Qwen3MoeForCausalLM"],
    "model_type": "qwen3_moe",
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
    "moe_intermediate_size": 64,
    "norm_topk_prob": True,
    "num_experts": 4,
    "num_experts_per_tok": 2,
}


@dataclass(frozen=True)
class Family:
    """A family of models: its architecture, how it is asked, and what it writes."""

    config: dict[str, Any]  # config.json; the sizes are tiny, all else is the family's
    native: dict[str, Any]  # as a Serve config has it: a preset's `terms`
    template: str  # its chat template, written to what its documentation says
    head: str  # what a prompt ends with, before all that is of the thinking
    before: str  # what it writes before a thought; "" where it never thinks
    after: str  # and after it, before the answer
    call: str  # instead of both: how it calls get_weather with {"city": "Oslo"}
    end: str  # of a turn
    given: str  # what a prompt has where there are tools
    special: list[str] = field(default_factory=list)  # tokens that are no text
    marks: list[str] = field(default_factory=list)  # tokens of their own that are text
    ends: list[str] = field(default_factory=list)  # of a turn, besides that
    reasoning_parser: str | None = None
    tool_parser: str | None = None
    streams: bool = True  # whether vLLM's parsers tell it apart in streams, too
    counted: bool = True  # whether tokens tell its thinking apart, by which it can be counted
    # What a prompt has that asks it to think; "": nothing, it does unless the prompt has ended it
    asks: str = ""
    # {what a prompt has: words of thought that the model then has}
    lengths: dict[str, int] = field(default_factory=dict)
    engine: dict[str, Any] = field(default_factory=dict)  # further engine_kwargs
    variables: Callable[[], dict[str, str]] = dict  # of its process
    tokenizer: Callable[[], Tokenizer] | None = None  # where one of bytes and words won't do


def terms(preset: str) -> dict[str, Any]:
    """Return how a model thinks, as its preset has it and the chart puts it into a Serve config."""
    path = ROOT / "charts/hybrid-llm/presets/models" / f"{preset}.yaml"
    thinking: dict[str, Any] = yaml.safe_load(path.read_text())["thinking"]
    return {name: value for name, value in thinking.items() if name != "opens"}


def families_here() -> dict[str, Family]:
    """Return {name: family} of all files of `families/`."""
    names = sorted(module.name for module in pkgutil.iter_modules(families.__path__))
    return {name: importlib.import_module(f"{families.__name__}.{name}").FAMILY for name in names}
