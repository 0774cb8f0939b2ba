"""What a request says of thinking, in any of the ways that clients have: the same on every surface.

Sources: vLLM's chat_template_kwargs, reasoning_effort and thinking_token_budget; OpenAI's
`reasoning.effort` (Responses); Anthropic's `thinking` and `output_config.effort` (Messages); what
chat templates have (`enable_thinking`, `thinking`, and the model's own argument); Qwen3's `/think`
and `/no_think`; and the endings of a model's name that `app.edge.aliases` lists.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.edge.errors import Refusal
from app.thinking.modes import ADAPTIVE, Mode
from app.thinking.native import BUDGET, EFFORT, EFFORTS, SWITCHES, Native

# All fields that say something of it
FIELDS = (
    "chat_template_kwargs",
    "enable_thinking",
    "output_config",
    "reasoning",
    "reasoning_effort",
    "thinking",
    "thinking_token_budget",
)
AUTO = "auto"  # the effort that leaves it to the server whether there is thinking

# A word of its own: no part of a path or an address.
_SWITCH = re.compile(r"(?<![\w/.-])/(no_)?think(?![\w/-])")
_WRITERS = ("user", "system", "developer")  # whose switches count
# Where a client begins the answer itself, on the APIs that have a field of their own for it
_BEGUN = {"messages": "messages", "responses": "input"}


@dataclass(frozen=True)
class Control:
    """One thing that a request says."""

    field: str  # as the client wrote it
    value: str  # likewise, in JSON
    thinks: Mode | None = None  # the mode it asks for
    effort: str | None = None
    budget: int | None = None  # tokens of thinking; -1: no limit, as vLLM has it
    begins: bool = False  # whether it is an answer that the client has begun itself


def controls(
    request: Mapping[str, Any],
    ending: Mode | None = None,
    surface: str = "chat_completions",
    native: Native | None = None,
) -> list[Control]:
    """Return what a request says outside of its messages.

    Args:
        request: the chat completion that it becomes, with those of `FIELDS` that it had itself.
        ending: the mode that the ending of the model's name asks for.
        surface: the API that it is asked by.
        native: the terms of its model.

    Raises:
        Refusal: a value that means nothing.
    """
    found = list(_all(request, native or Native()))
    if request.get("continue_final_message") is True:
        field = _BEGUN.get(surface, "continue_final_message")
        found.append(Control(field, "an answer that is begun", False, begins=True))
    if ending is not None:
        found.insert(0, Control("model", json.dumps(request["model"]), ending))
    return found


def _all(request: Mapping[str, Any], native: Native) -> Iterator[Control]:
    yield from _template(_map(request, "chat_template_kwargs"), native)
    yield from _switch("enable_thinking", request.get("enable_thinking"))
    yield from _effort("reasoning_effort", request.get("reasoning_effort"))
    yield from _effort("reasoning.effort", _map(request, "reasoning").get("effort"))
    yield from _effort("output_config.effort", _map(request, "output_config").get("effort"))
    yield from _anthropic(request.get("thinking"))
    budget = request.get("thinking_token_budget")
    if type(budget) is int and budget >= -1:  # all else vLLM's model has refused
        yield Control("thinking_token_budget", _shown(budget), budget=budget)


def _template(kwargs: Mapping[str, Any], native: Native) -> Iterator[Control]:
    """Yield what the arguments of a chat template say, this model's or another's."""
    place = "chat_template_kwargs"
    for name in dict.fromkeys((*SWITCHES, EFFORT, BUDGET, native.argument)):
        value = kwargs.get(name)
        field = f"{place}.{name}"
        if value is None:
            continue
        if name in SWITCHES:
            yield from _switch(field, value)
        elif name == native.argument and value in (native.enabled, native.disabled):
            yield Control(field, _shown(value), value == native.enabled)
        elif name == EFFORT:
            yield from _effort(field, value)
        elif name == BUDGET:
            if type(value) is not int or value < -1:
                message = f"{field}: must be a number of tokens, or -1 for no limit."
                raise Refusal(field, message, "invalid_value")
            yield Control(field, _shown(value), budget=value)
        else:
            message = f"{field}: must be {_shown(native.enabled)} or {_shown(native.disabled)}."
            raise Refusal(field, message, "invalid_value")


def _map(request: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = request.get(field)
    return value if isinstance(value, dict) else {}


def _switch(field: str, value: object) -> Iterator[Control]:
    if value is None:
        return
    if not isinstance(value, bool):
        # The template takes anything but false itself for a yes, "false" too.
        raise Refusal(field, f"{field}: must be true or false.", "invalid_type")
    yield Control(field, _shown(value), value)


def _effort(field: str, value: object) -> Iterator[Control]:
    if value is None:
        return
    if value == AUTO:
        yield Control(field, _shown(value), ADAPTIVE)
    elif value in EFFORTS:
        yield Control(field, _shown(value), value != "none", str(value))
    else:
        known = ", ".join((*EFFORTS, AUTO))
        raise Refusal(field, f"{field}: must be one of {known}.", "invalid_value")


def _anthropic(thinking: object) -> Iterator[Control]:
    if thinking is None:
        return
    modes: dict[str, Mode] = {"enabled": True, "disabled": False, "adaptive": ADAPTIVE}
    kind = thinking.get("type") if isinstance(thinking, dict) else None
    if not isinstance(thinking, dict) or not isinstance(kind, str) or kind not in modes:
        known = ", ".join(modes)
        raise Refusal("thinking", f"thinking: its type must be one of {known}.", "invalid_value")
    budget = thinking.get("budget_tokens")
    if kind == "disabled" or budget is None:
        yield Control("thinking.type", _shown(kind), modes[kind])
    elif type(budget) is not int or budget < 0:
        field = "thinking.budget_tokens"
        raise Refusal(field, f"{field}: must be a number of tokens, 0 or more.", "invalid_value")
    else:
        yield Control("thinking.type", _shown(kind), modes[kind])
        yield Control("thinking.budget_tokens", _shown(budget), budget=budget)


def readable(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request without the efforts that the engine's own models don't know."""
    known = {**request}
    if known.get("reasoning_effort") == AUTO:
        del known["reasoning_effort"]
    reasoning = _map(request, "reasoning")
    if reasoning.get("effort") == AUTO:
        known["reasoning"] = {key: value for key, value in reasoning.items() if key != "effort"}
    return known


def _shown(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)[:20]
    return json.dumps(value)


def switch(request: Mapping[str, Any]) -> bool | None:
    """Return what the last `/think` or `/no_think` of all messages asks for."""
    last = None
    for place, key in _texts(request):
        for match in _SWITCH.finditer(place[key]):
            last = match[1] is None
    return last


def without_switches(request: Mapping[str, Any]) -> dict[str, Any]:
    """Take the switches out of the messages, in place, and return those if one was there."""
    return _replaced(request, _WRITERS, _SWITCH, "")


def with_tags_apart(request: Mapping[str, Any], tags: tuple[str, ...]) -> dict[str, Any]:
    """Write the tags of the thinking apart in the messages, likewise; in an answer they may stay.

    After a `</think>` in its prompt a model may think on with no `<think>`, from which alone vLLM
    counts.
    """
    if not tags:
        return {}
    pattern = re.compile("|".join(map(re.escape, tags)))
    return _replaced(request, (*_WRITERS, "tool"), pattern, _apart)


def _apart(tag: re.Match[str]) -> str:
    return re.sub(r"(?=\w)", " ", tag[0], count=1)


def _replaced(
    request: Mapping[str, Any],
    roles: tuple[str, ...],
    pattern: re.Pattern[str],
    by: str | Callable[[re.Match[str]], str],
) -> dict[str, Any]:
    changed = False
    for place, key in _texts(request, roles):
        text = pattern.sub(by, place[key])
        changed = changed or text != place[key]
        place[key] = text
    return {"messages": request["messages"]} if changed else {}


def _texts(
    request: Mapping[str, Any], roles: tuple[str, ...] = _WRITERS
) -> Iterator[tuple[Any, Any]]:
    """Yield (place, key) of each text of messages of these roles, in their order."""
    for message in request.get("messages") or ():
        if message.get("role") not in roles:
            continue
        content = message.get("content")
        if isinstance(content, str):
            yield message, "content"
        for part in content if isinstance(content, list) else ():
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                yield part, "text"
