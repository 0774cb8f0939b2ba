"""How much a request may ask for, of all that costs something before or beside the scheduler.

What a prompt and an answer cost, the scheduler shares out. All else is bounded here, before the
engine sees it. `bench/bounds/README.md` has what each costs without a bound.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.edge.errors import Refusal

# Of one request, in all its schemas together; the first is OpenAI's own limit
ENUM_VALUES = 1_000
PROPERTIES = 300  # 2 s of CPU to compile with a vocabulary of 151,643; 1,000 take 24
LENGTHS = 4  # different ones of strings: 7 s of CPU each, with that vocabulary
DEPTH = 32  # schemas within each other; llguidance's own parser ends at some 64
# Parts of each kind that vLLM's other compiler combines before it starts: 50 took 9 minutes
COMBINED = 8
MULTIPLE_OF = 10_000  # each is a state
STOPS = 64
TOKENS = 1_024  # ids or words in a list of them; an engine looks at each for every token
MESSAGES = 4_096
_LISTS = {
    "messages": MESSAGES,
    "stop": STOPS,
    "stop_token_ids": TOKENS,
    "allowed_token_ids": TOKENS,
    "logprob_token_ids": TOKENS,
    "bad_words": TOKENS,
    "logit_bias": TOKENS,
    "documents": TOKENS,
    "vllm_xargs": TOKENS,
    "chat_template_kwargs": TOKENS,
}
_COUNT = re.compile(r"\{(\d*),?(\d*)\}")


@dataclass(frozen=True)
class Bounds:
    """Those that an operator may want otherwise; `app.edge.values` says what may be written."""

    choices: int = 8  # answers to one request: `n`, times the prompts of a plain completion
    prompts: int = 64  # in one plain completion
    tools: int = 128  # as OpenAI has it
    schema_bytes: int = 65_536  # of all schemas of a request
    grammar_bytes: int = 4_096  # of a regular expression, a grammar or a list of choices


def check(fields: Mapping[str, Any], bounds: Bounds) -> None:
    """Refuse a request that asks for too much.

    Args:
        fields: of a chat completion or a plain one, as `app.surfaces.parsing` reads them.
        bounds: the most that it may ask for.

    Raises:
        Refusal: it does; the message says of what, how much, and the most.
    """
    for field, most in _LISTS.items():
        value = fields.get(field)
        if isinstance(value, (list, dict)):
            _most(field, len(value), most, "entries")
    prompts = _prompts(fields.get("prompt"))
    _most("prompt", prompts, bounds.prompts, "prompts", "prompts")
    choices = prompts * (fields.get("n") or 1)
    _most("n", choices, bounds.choices * prompts, "answers", "choices")
    tools = fields.get("tools") or ()
    _most("tools", len(tools), bounds.tools, "tools", "tools")
    structured = fields.get("structured_outputs") or {}
    for name in ("regex", "grammar", "choice", "structural_tag", "whitespace_pattern"):
        if (text := structured.get(name)) is not None:
            field = f"structured_outputs.{name}"
            _most(field, _size(text), bounds.grammar_bytes, "bytes", "grammarBytes")
            if name == "choice":
                _most(field, len(text), ENUM_VALUES, "choices")
            elif isinstance(text, str):
                _most(field, len(_counts(text)), LENGTHS, "different counts {m,n}")
                _most(field, text.count("&") + text.count("~"), COMBINED, "intersections")
    _Schemas(bounds).check(fields)


def schemas(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield (field, schema) of all that a request has, also those that are JSON in a string.

    Raises:
        Refusal: such a string is no JSON.
    """
    form = fields.get("response_format") or {}
    if form.get("type") == "structural_tag":  # its schemas lie within
        yield "response_format", form
    described = form.get("json_schema") or {}
    if (schema := described.get("schema")) is not None:
        yield "response_format.json_schema.schema", schema
    structured = fields.get("structured_outputs") or {}
    for name in ("json", "structural_tag"):
        if (schema := structured.get(name)) is not None:
            yield f"structured_outputs.{name}", _parsed(f"structured_outputs.{name}", schema)
    for number, tool in enumerate(fields.get("tools") or ()):
        if (schema := tool["function"].get("parameters")) is not None:
            yield f"tools.{number}.function.parameters", schema


def _parsed(field: str, schema: Any) -> Any:
    if not isinstance(schema, str):
        return schema
    try:
        return json.loads(schema)
    except (ValueError, RecursionError):
        raise Refusal(field, f"{field}: the string is no JSON.", "invalid_json") from None


class _Schemas:
    """Counts what the schemas of one request have together."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._lengths: set[Any] = set()  # minLength and maxLength, and counts in patterns
        self._bytes = self._enum_values = self._properties = self._combined = 0

    def check(self, fields: Mapping[str, Any]) -> None:
        for field, schema in schemas(fields):
            _check_references(field, schema)
            level = [schema]
            depth = 0
            while level:
                depth += 1
                # A schema lies two levels below that one: in its `properties`, say, and a name.
                _most(field, (depth + 1) // 2, DEPTH, "levels of nesting")
                level = [each for value in level for each in self._below(field, value)]

    def _below(self, field: str, value: Any) -> list[Any]:
        bounds = self._bounds
        if isinstance(value, (str, list)):
            self._bytes += len(value)
        elif isinstance(value, dict):
            self._bytes += sum(map(len, value))
            if isinstance(entries := value.get("enum"), list):
                self._enum_values += len(entries)
            if isinstance(properties := value.get("properties"), dict):
                self._properties += len(properties)
            length = (value.get("minLength"), value.get("maxLength"))
            if any(isinstance(each, (int, float)) for each in length):
                self._lengths.add(length)
            for name in ("pattern", "format"):
                if isinstance(pattern := value.get(name), str):
                    self._lengths |= _counts(pattern)
            for name in ("allOf", "patternProperties"):
                if isinstance(combined := value.get(name), (list, dict)):
                    self._combined += len(combined)
                    _most(field, self._combined, COMBINED, f"parts of {name}")
            multiple = value.get("multipleOf")
            if isinstance(multiple, (int, float)) and multiple > MULTIPLE_OF:
                raise Refusal(field, f"{field}: multipleOf: {MULTIPLE_OF} at most.", "above_limit")
        _most(field, self._bytes, bounds.schema_bytes, "bytes", "schemaBytes")
        _most(field, self._enum_values, ENUM_VALUES, "enum values")
        _most(field, self._properties, PROPERTIES, "properties")
        _most(field, len(self._lengths), LENGTHS, "different lengths of strings")
        if isinstance(value, dict):
            return list(value.values())
        return value if isinstance(value, list) else []


def _counts(pattern: str) -> set[Any]:
    """Return the different counts `{m,n}` above 8 that a regular expression has."""
    found = set(_COUNT.findall(pattern))
    return {count for count in found if any(int(each[:9] or 0) > 8 for each in count)}


def _check_references(field: str, schema: Any) -> None:
    """Refuse a schema that is nothing but references which lead back to itself."""
    seen: set[str] = set()
    at = schema
    while isinstance(at, dict) and isinstance(reference := at.get("$ref"), str):
        if reference in seen or reference == "#":
            message = f"{field}: $ref {reference[:100]!r} leads back to itself, and to no form."
            raise Refusal(field, message, "invalid_grammar")
        seen.add(reference)
        at = schema
        for part in reference.removeprefix("#").strip("/").split("/"):
            at = at.get(part) if isinstance(at, dict) else None


def _prompts(prompt: Any) -> int:
    """Return how many prompts there are; a list of numbers is one, of tokens."""
    if not isinstance(prompt, list) or not prompt or isinstance(prompt[0], int):
        return 1
    return len(prompt)


def _size(value: Any) -> int:
    if isinstance(value, list):
        return sum(len(each) for each in value if isinstance(each, str))
    return len(value) if isinstance(value, str) else len(str(value))


def _most(field: str, given: int, most: int, what: str, value: str = "") -> None:
    if given > most:
        by = f" (the operator's value {value})" if value else ""
        message = f"{field}: {given} {what} are too many; this server takes {most}{by}."
        raise Refusal(field, message, "above_limit")
