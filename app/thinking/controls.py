"""What a request says of thinking, in any of the ways that clients have: the same on every surface.

Sources: vLLM's chat_template_kwargs, reasoning_effort and thinking_token_budget; OpenAI's
`reasoning.effort` (Responses); Anthropic's `thinking` and `output_config.effort` (Messages);
Qwen3's `/think` and `/no_think`; and the endings of a model's name that `app.edge.aliases` lists.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.edge.errors import Refusal

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

# A word of its own: no part of a path or an address.
_SWITCH = re.compile(r"(?<![\w/.-])/(no_)?think(?![\w/-])")
_INSTRUCTIONS = ("instructions", "system")  # Responses, Messages
_CONVERSATION = ("messages", "input")


@dataclass(frozen=True)
class Control:
    """One thing that a request says."""

    field: str  # as the client wrote it
    value: str  # likewise, in JSON
    thinks: bool | None = None  # the mode it asks for
    effort: str | None = None
    budget: int | None = None  # tokens of thinking; -1: no limit, as vLLM has it
    begins: bool = False  # whether it is an answer that the client has begun itself


def controls(
    request: Mapping[str, Any], ending: bool | None = None, surface: str = "chat_completions"
) -> list[Control]:
    """Return what a request says outside of its messages.

    What has a wrong type is refused where vLLM would take it for something, and else left to it.

    Args:
        request: the parsed body.
        ending: the mode that the ending of the model's name asks for.
        surface: the API that it is asked by.

    Raises:
        Refusal: a value that means nothing.
    """
    messages = request.get("messages")
    if surface == "chat_completions" and messages is not None and not _are_objects(messages):
        message = "messages: must be a list of objects."  # vLLM answers this with a 500
        raise Refusal("messages", message, "invalid_type")
    found = list(_all(request))
    if field := _begun(request, surface):
        found.append(Control(field, "an answer that is begun", False, begins=True))
    if ending is not None:
        found.insert(0, Control("model", json.dumps(request["model"]), ending))
    return found


def _all(request: Mapping[str, Any]) -> Iterator[Control]:
    kwargs = _map(request, "chat_template_kwargs")
    yield from _switch("chat_template_kwargs.enable_thinking", kwargs.get("enable_thinking"))
    yield from _switch("enable_thinking", request.get("enable_thinking"))
    yield from _effort("reasoning_effort", request.get("reasoning_effort"))
    yield from _effort("reasoning.effort", _map(request, "reasoning").get("effort"))
    yield from _effort("output_config.effort", _map(request, "output_config").get("effort"))
    yield from _anthropic(request.get("thinking"))
    budget = request.get("thinking_token_budget")
    if type(budget) is int and budget >= -1:  # all else vLLM refuses itself
        yield Control("thinking_token_budget", _shown(budget), budget=budget)


def _are_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _begun(request: Mapping[str, Any], surface: str) -> str | None:
    """Return the field by which a client has begun the answer itself: nothing comes before that."""
    if surface == "chat_completions":
        return "continue_final_message" if request.get("continue_final_message") is True else None
    field = "messages" if surface == "messages" else "input"
    items = request.get(field)
    last = items[-1] if isinstance(items, list) and items else None
    if not isinstance(last, dict) or last.get("role") != "assistant":
        return None
    begun = surface == "messages" or last.get("status") in ("in_progress", "incomplete")
    return field if begun and last.get("content") else None


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
    if value not in EFFORTS:
        known = ", ".join(EFFORTS)
        raise Refusal(field, f"{field}: must be one of {known}.", "invalid_value")
    yield Control(field, _shown(value), value != "none", str(value))


def _anthropic(thinking: object) -> Iterator[Control]:
    if thinking is None:
        return
    modes = {"enabled": True, "disabled": False, "adaptive": None}
    kind = thinking.get("type") if isinstance(thinking, dict) else None
    if not isinstance(thinking, dict) or not isinstance(kind, str) or kind not in modes:
        known = ", ".join(modes)
        raise Refusal("thinking", f"thinking: its type must be one of {known}.", "invalid_value")
    budget = thinking.get("budget_tokens")
    if kind != "enabled" or budget is None:
        yield Control("thinking.type", _shown(kind), modes[kind])
    elif type(budget) is not int or budget < 0:
        field = "thinking.budget_tokens"
        raise Refusal(field, f"{field}: must be a number of tokens, 0 or more.", "invalid_value")
    else:
        yield Control("thinking.type", _shown(kind), True)
        yield Control("thinking.budget_tokens", _shown(budget), budget=budget)


def _shown(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)[:20]
    return json.dumps(value)


def switch(request: Mapping[str, Any]) -> bool | None:
    """Return what the last `/think` or `/no_think` of all messages asks for, which models obey."""
    last = None
    for place, key in _texts(request):
        for match in _SWITCH.finditer(place[key]):
            last = match[1] is None
    return last


def without_switches(request: Mapping[str, Any]) -> dict[str, Any]:
    """Take the switches out of the messages, in place, and return the fields that have changed."""
    before = {field: json.dumps(request.get(field)) for field in (*_INSTRUCTIONS, *_CONVERSATION)}
    for place, key in _texts(request):
        place[key] = _SWITCH.sub("", place[key])
    return {
        field: request[field]
        for field, text in before.items()
        if text != json.dumps(request.get(field))
    }


def _texts(request: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (place, key) of each text that users and operators have written, in their order."""
    for field in _INSTRUCTIONS:
        yield from _text(request, field)
    for field in _CONVERSATION:
        conversation = request.get(field)
        if isinstance(conversation, str):
            yield request, field
        elif isinstance(conversation, list):
            for message in conversation:
                role = message.get("role") if isinstance(message, dict) else None
                if role in ("user", "system", "developer"):
                    yield from _text(message, "content")


def _text(place: Any, key: str) -> Iterator[tuple[Any, Any]]:
    content = place.get(key)
    if isinstance(content, str):
        yield place, key
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                yield part, "text"
