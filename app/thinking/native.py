"""How a model itself thinks: the terms of its chat template, into which the decision is put.

Clients say the same whichever model answers (`app.thinking.controls`); each family of models wants
to be told in a way of its own. A preset of the chart has these values, with where they are from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# OpenAI's, and vLLM's of a request, from the least thinking to the most
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
EFFORT = "reasoning_effort"
# Arguments of chat templates by which clients choose, whatever the model's own is
SWITCHES = ("enable_thinking", "thinking")
BUDGET = "thinking_budget"

Value = bool | str | int


@dataclass(frozen=True)
class Native:
    """The terms of one model; by default those of Qwen3."""

    modes: str = "both"  # | always | never: whether its thinking can be turned off, or on
    argument: str = "enable_thinking"  # of its chat template; "" where none turns it on or off
    enabled: Value = True  # the argument's value that has it think
    disabled: Value = False  # and the one that has it not
    efforts: tuple[str, ...] = ()  # degrees that it knows itself, told as `reasoning_effort`
    switches: bool = True  # whether it obeys /think and /no_think itself
    # engine: vLLM's thinking_token_budget; the name of a template's argument, beside the engine's;
    # none: nothing bounds its thinking
    budget: str = "engine"
    tags: tuple[str, ...] = ("<think>", "</think>")  # between which it thinks; () where none are

    def told(
        self, request: Mapping[str, Any], thinks: bool, effort: str | None, budget: int | None
    ) -> dict[str, Any]:
        """Return the fields of a chat completion that have it think, or not.

        Args:
            request: the chat completion that was asked for.
            thinks: the mode.
            effort: the effort that the request asks for, if any.
            budget: tokens of thinking; -1 for no limit, None where nothing says one.
        """
        kwargs = request.get("chat_template_kwargs")
        if kwargs is not None and not isinstance(kwargs, Mapping):
            return {}  # the engine refuses it
        controls = {*SWITCHES, EFFORT, BUDGET}
        arguments = {name: value for name, value in (kwargs or {}).items() if name not in controls}
        told: Value | None = self._nearest(effort) if thinks else None
        mode = self.enabled if thinks else self.disabled
        if self.argument == EFFORT:
            told = told or mode
        elif self.argument:
            # vLLM's parsers look for the one, whatever the template reads.
            arguments |= {"enable_thinking": thinks, self.argument: mode}
        if self.own_budget and thinks and budget is not None:
            arguments[self.own_budget] = budget
        fields: dict[str, Any] = {}
        if told is not None and told not in EFFORTS:  # a word that a request's own field hasn't
            arguments[EFFORT], told = told, None
        if told is not None or request.get(EFFORT) is not None:
            # A client's own effort would have vLLM turn the thinking on by another argument.
            fields[EFFORT] = told
        if arguments or kwargs is not None:
            # vLLM's tokenizers of Mistral take none at all, and read the field alone.
            fields["chat_template_kwargs"] = arguments or None
        return fields

    @property
    def own_budget(self) -> str:
        """The template's argument for a budget; "" where it has none."""
        return "" if self.budget in ("engine", "none") else self.budget

    def _nearest(self, asked: str | None) -> str | None:
        """Return the model's own effort that is nearest to one asked for, and no more than it."""
        if not self.efforts or asked not in EFFORTS:
            return None
        ranked = sorted(self.efforts, key=EFFORTS.index)
        within = [each for each in ranked if EFFORTS.index(each) <= EFFORTS.index(asked)]
        return within[-1] if within else ranked[0]
