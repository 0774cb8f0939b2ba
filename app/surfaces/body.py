"""A request's body, read once: JSON that has one meaning for every layer behind."""

import json
import math
import re
from typing import Any

from app.edge.errors import Refusal

# Deep enough for any schema that `app.surfaces.bounds` lets through, and for no parser's stack.
MAX_DEPTH = 128
# Values in lists and objects: a prompt of 100,000 token ids, with room; to walk them takes 20 ms.
MAX_VALUES = 250_000
_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")
# As JSON escapes it, or as no encoder of UTF-8 should write it, though Python's parser takes that
_MAY_HAVE_HALF = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")


def read(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a body is.

    Args:
        body: the bytes, in any of the encodings that JSON may have.

    Raises:
        Refusal: it is none; or has what can't be passed on: NaN, numbers without end or of more
            than 64 bits, half a character (a surrogate that stands alone), nesting without end.
    """
    if not body.strip():
        raise Refusal(None, "The request body is required: a JSON object.", "invalid_json")
    try:
        request = json.loads(body, parse_constant=_no_number)
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as mistake:
        message = f"The request body is not valid JSON: {mistake.msg} at character {mistake.pos}."
        raise Refusal(None, message, "invalid_json") from None
    except ValueError as mistake:  # an encoding, or an integer of thousands of digits
        what = "not text in UTF-8" if isinstance(mistake, UnicodeError) else "not valid JSON"
        message = f"The request body is {what}, or has a number that is too large."
        raise Refusal(None, message, "invalid_json") from None
    if not isinstance(request, dict):
        message = "The request body must be a JSON object, a dictionary of fields."
        raise Refusal(None, message, "invalid_json")
    other_encoding = b"\x00" in body[:4] or body[:2] in (b"\xff\xfe", b"\xfe\xff")
    _walk(request, other_encoding or bool(_MAY_HAVE_HALF.search(body)))
    return request


def _no_number(constant: str) -> Any:
    message = f"The request body is not valid JSON: {constant} is no number there."
    raise Refusal(None, message, "invalid_json")


def _too_deep() -> Refusal:
    return Refusal(None, f"The request body is nested too deeply: {MAX_DEPTH} levels at most.")


def _walk(request: dict[str, Any], halves: bool) -> None:
    """Look at every value.

    Args:
        request: the parsed body.
        halves: whether a string may have half a character.

    Raises:
        Refusal: there is one that can't be passed on.
    """
    seen = 0
    for field, value in request.items():
        if halves:
            _check_text(_name(field), field)
        level, depth = [value], 1
        while level:
            seen += len(level)
            depth += 1
            if depth > MAX_DEPTH + 1:
                raise _too_deep()
            if seen > MAX_VALUES:
                message = f"The request body has more than {MAX_VALUES} values."
                raise Refusal(_name(field), message)
            below: list[Any] = []
            for each in level:
                if isinstance(each, dict):
                    if halves:
                        for key in each:
                            _check_text(_name(field), key)
                    below.extend(each.values())
                elif isinstance(each, list):
                    below.extend(each)
                elif isinstance(each, str):
                    if halves:
                        _check_text(_name(field), each)
                else:
                    _check_number(_name(field), each)
            level = below


def _name(field: str) -> str | None:
    """Return a field as an error may name it: it is the client's own text."""
    return field if field.isidentifier() and len(field) <= 64 else None


def _check_text(field: str | None, text: str) -> None:
    if _HALF_CHARACTER.search(text):
        message = "has half a character (a surrogate that stands alone): was an emoji cut in two?"
        raise Refusal(field, f"{field or 'The request'}: {message}", "invalid_value")


def _check_number(field: str | None, value: object) -> None:
    too_large = isinstance(value, int) and not -(2**63) <= value < 2**64
    if too_large or (isinstance(value, float) and not math.isfinite(value)):
        raise Refusal(field, f"{field or 'The request'}: has a number that is too large.")
