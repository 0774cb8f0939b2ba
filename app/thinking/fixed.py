"""What an operator has fixed of a model's thinking: the values, without what they do."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from app.thinking.modes import Mode
from app.thinking.native import Native

VALUES = "HYBRID_LLM_REASONING"  # {model id: Thinking} in JSON; app.serve sets it


@dataclass(frozen=True)
class Thinking:
    """The values of one model; `app.thinking.values` says what an operator may write."""

    fields: str = "both"  # | reasoning | reasoning_content: the names that the thinking goes by
    default: Mode = True  # whether the model thinks when a request says nothing
    override: bool = True  # whether a request may choose
    budget: int | None = None  # tokens of thinking when a request says nothing
    max_budget: int | None = None  # tokens of thinking that a request may ask for
    # {effort: tokens of thinking, None for no limit}; an effort that is not here has `budget`
    efforts: Mapping[str, int | None] = field(default_factory=dict)
    # Seconds that a request which thinks lets others pass, from its arrival; None: no lanes
    patience: float | None = None
    # {thinking | nonThinking: {sampling parameter: its default in that mode}}
    sampling: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    counted: bool = True  # whether the engine counts thinking: it has a reasoning parser
    # {name of an API key: what is otherwise for its requests}
    keys: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    of_key: bool = False  # whether these are the values of one key
    native: Native = Native()  # the terms of the model itself
    adapters: tuple[str, ...] = ()  # its LoRA adapters, asked for as MODEL:ADAPTER or ADAPTER
    loads_adapters: bool = False  # whether Ray loads any other that is asked for as MODEL:ADAPTER
    # Of the adaptive mode: the least probability that each token of a draft must have, None for no
    # drafts; and the tokens after which it is the answer
    threshold: float | None = 0.9
    draft_tokens: int = 64

    def for_key(self, name: str | None) -> "Thinking":
        """Return the values for the requests of a key."""
        other = self.keys.get(name) if name else None
        return replace(self, **other, of_key=True) if other else self


def dumped(models: Mapping[str, Thinking]) -> str:
    """Return the text for $HYBRID_LLM_REASONING."""
    return json.dumps({model: asdict(thinking) for model, thinking in models.items()})


def loaded(text: str) -> dict[str, Thinking]:
    """Return {model id: its values} of that text, of an empty one {}."""
    return {model: _loaded(values) for model, values in json.loads(text or "{}").items()}


def _loaded(values: dict[str, Any]) -> Thinking:
    native: dict[str, Any] = values.pop("native")
    lists = {name: tuple(native[name]) for name in ("efforts", "tags")}
    values["adapters"] = tuple(values["adapters"])
    return Thinking(**values, native=Native(**{**native, **lists}))


def values_of(models: Mapping[str, Thinking] | None) -> Mapping[str, Thinking]:
    """Return what a layer was given, or what $HYBRID_LLM_REASONING has."""
    return loaded(os.environ.get(VALUES, "")) if models is None else models
