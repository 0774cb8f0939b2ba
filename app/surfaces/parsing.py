"""A request as the engine's own models read it: checked, coerced, and nothing in it unread."""

import functools
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from app.edge.errors import Refusal
from app.surfaces.fields import CHAT, COMPLETIONS, REFUSED, TEMPLATE_RESERVED, TEXTS

log = logging.getLogger("hybrid_llm.parsing")

T = TypeVar("T")
_CLASS = re.compile(r" or instance of \w+")  # of Python, which a client doesn't have
# Names that pydantic gives to a place for a type that was tried there
_TYPES = {"str", "int", "float", "bool", "nullable", "generator", "json", "constrained"}
# Integers of the engine's kernels have 32 bits; a larger one would stop the engine for everybody.
_LARGEST = 2**31 - 1
_OF_64_BITS = ("seed",)  # vLLM checks it itself


def chat_completion(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a chat completion's fields as vLLM reads them, as JSON.

    To parse the result again gives the same: what is decided on is what the engine will read.

    Args:
        request: the fields, of a client's or of a request that a surface has converted.

    Raises:
        Refusal: vLLM would refuse it, or fail over it; or it asks for what is not taken here.
    """
    from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest

    _check_refused(request)
    messages = request.get("messages")
    if messages is not None and not _are_objects(messages):  # vLLM fails over it
        raise Refusal("messages", "messages: must be a list of objects.", "invalid_type")
    if messages == []:
        raise Refusal("messages", "messages: must not be empty.")
    parsed = understood(lambda: ChatCompletionRequest.model_validate(dict(request)))
    for number, message in enumerate(parsed.messages):
        if not isinstance(
            message, dict
        ):  # vLLM takes Harmony's own, too, and no template here does
            where = f"messages.{number}"
            raise Refusal(where, f"{where}: a message has a `role`; Harmony's form is not taken.")
        content = message.get("content")
        if content is not None and not isinstance(content, str):
            place = ("messages", number, "content")
            # An iterator, often, that checks a part when it is asked for it, and swallows what is
            # wrong when it is dumped
            message["content"] = understood(functools.partial(list, content), place)
            _check_parts(message["content"], place)
    fields = _dumped(parsed, CHAT)
    if fields.get("add_generation_prompt") is False and not fields.get("continue_final_message"):
        message = (
            "add_generation_prompt: false goes with continue_final_message: true alone; else the "
            "model would write no answer but go on with the conversation."
        )
        raise Refusal("add_generation_prompt", message)
    _check_template(fields.get("chat_template_kwargs"))
    if fields.get("tool_choice") == "none":
        # A model that sees them in its prompt writes calls, which would be given out as text.
        for name in ("tools", "tool_choice", "parallel_tool_calls"):
            fields.pop(name, None)
    return fields


def completion(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plain completion's fields likewise.

    Raises:
        Refusal: as above.
    """
    from vllm.entrypoints.openai.completion.protocol import CompletionRequest

    _check_refused(request)
    parsed = understood(lambda: CompletionRequest.model_validate(dict(request)))
    return _dumped(parsed, COMPLETIONS)


def unread(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request that makes no model write, as they came.

    Raises:
        Refusal: there is one that is taken nowhere here.
    """
    _check_refused(request)
    _check_template(request.get("chat_template_kwargs"))
    return dict(request)


def understood(read: Callable[[], T], place: tuple[str | int, ...] = ()) -> T:
    """Return what a reader of vLLM's gives.

    Args:
        read: reads what a client has sent.
        place: where that stands in the request.

    Raises:
        Refusal: it can't be read. Some of vLLM's validators fail over what they don't expect.
    """
    from pydantic import ValidationError
    from vllm.exceptions import VLLMValidationError

    try:
        return read()
    except Refusal:
        raise
    except VLLMValidationError as mistake:  # str() of it adds the value
        raise Refusal(mistake.parameter, str(mistake.args[0])) from None
    except ValidationError as mistake:
        raise _explained(mistake.errors(include_url=False, include_input=False), place) from None
    except RecursionError:
        raise Refusal(None, "The request is nested too deeply.") from None
    except ValueError as mistake:
        raise Refusal(_field(place), str(mistake)) from None
    except Exception as failure:
        log.warning("a request that can't be read: %s", type(failure).__name__)
        field = _field(place)
        where = f"{field}: " if field else ""
        message = f"{where}Something in the request has not the form that this API takes."
        raise Refusal(field, message) from None


def _are_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _explained(mistakes: list[Any], place: tuple[str | int, ...]) -> Refusal:
    """Return the refusal for what pydantic found.

    Of a union every member has complained; the one that fits best got furthest.
    """
    furthest = max(mistakes, key=lambda one: len(one["loc"]))
    message = _CLASS.sub("", furthest["msg"].removeprefix("Value error, "))
    message = message.replace("dictionary", "object")
    parts: list[str | int] = list(place)
    if (
        not place and furthest["loc"] and isinstance(furthest["loc"][0], int)
    ):  # vLLM has read on within a message
        return Refusal("messages", f"messages: {message}", "invalid_parameter")
    for part in furthest["loc"]:
        if isinstance(part, str) and part[:1].isupper():  # the member's name: which one is a guess
            message = "Input has none of the forms that are allowed here."
            break
        if isinstance(part, int) or (part.isidentifier() and part not in _TYPES):
            parts.append(part)
    field = _field(tuple(parts))
    return Refusal(field, f"{field}: {message}" if field else message, "invalid_parameter")


def _field(place: tuple[str | int, ...]) -> str | None:
    return ".".join(map(str, place)) or None


def _check_refused(request: Mapping[str, Any]) -> None:
    for name, why in REFUSED.items():
        if request.get(name) not in (None, False):
            message = f"{name}: not taken by this server ({why}); leave it out."
            raise Refusal(name, message, "unsupported_parameter")


def _check_parts(parts: list[Any], place: tuple[str | int, ...]) -> None:
    """Refuse parts of a content that not every reader behind takes for the same text."""
    for number, part in enumerate(parts):
        field = _field((*place, number))
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str):
            message = f'{field}: must be an object with a type, as {{"type": "text", "text": ...}}.'
            raise Refusal(field, message, "invalid_parameter")
        if kind not in TEXTS:
            message = f"{field}: the models here read text alone, they are not multimodal."
            raise Refusal(field, message, "unsupported_parameter")
        if not isinstance(part.get(TEXTS[kind]), str):
            message = f"{field}.{TEXTS[kind]}: must be a string."
            raise Refusal(field, message, "invalid_parameter")


def _check_template(arguments: object) -> None:
    for name in arguments if isinstance(arguments, dict) else ():
        if name in TEMPLATE_RESERVED:
            field = f"chat_template_kwargs.{name}"
            raise Refusal(field, f"{field}: the server sets it; leave it out.")


def _dumped(parsed: Any, taken: frozenset[str]) -> dict[str, Any]:
    """Return the fields that a request has set, of those that are taken.

    Raises:
        Refusal: a number is too large for the engine.
    """
    given = parsed.model_fields_set & taken
    fields: dict[str, Any] = understood(
        lambda: parsed.model_dump(mode="json", by_alias=True, include=given, warnings=False)
    )
    structured = fields.get("structured_outputs")
    if structured is not None:  # a dataclass, so all its fields are there, also its own
        fields["structured_outputs"] = {
            name: value
            for name, value in structured.items()
            if value is not None and not name.startswith("_")
        }
    for name, value in fields.items():
        numbers = value if isinstance(value, list) and name != "prompt" else [value]
        for number in numbers:
            if isinstance(number, int) and abs(number) > _LARGEST and name not in _OF_64_BITS:
                raise Refusal(name, f"{name}: {_LARGEST} at most.", "integer_above_max_value")
    return fields
