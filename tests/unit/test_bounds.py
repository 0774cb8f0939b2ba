"""What one request may ask for besides its tokens, and that the bounds themselves cost little."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.edge.errors import Refusal
from app.surfaces.bounds import Bounds, check


def form(schema: Any) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"schema": schema}}}


def nested(levels: int) -> Any:
    schema: Any = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def strings(count: int) -> Any:
    return {"properties": {f"p{n}": {"type": "string", "maxLength": n + 1} for n in range(count)}}


def tools(count: int) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": {"name": f"f{n}"}} for n in range(count)]}


SCHEMA = "response_format.json_schema.schema"
# name -> (within the bounds, above them, the field at fault, a word of the message)
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "enum": (form({"enum": ["a"] * 1000}), form({"enum": ["a"] * 100_000}), SCHEMA, "enum values"),
    "properties": (
        form({"properties": {f"p{n}": {} for n in range(300)}}),
        form({"properties": {f"p{n}": {} for n in range(301)}}),
        SCHEMA,
        "properties",
    ),
    "depth": (form(nested(30)), form(nested(700)), SCHEMA, "levels of nesting"),
    "bytes": (form({"const": "a" * 60_000}), form({"const": "a" * 70_000}), SCHEMA, "schemaBytes"),
    "lengths": (form(strings(4)), form(strings(5)), SCHEMA, "different lengths"),
    "allOf": (form({"allOf": [{}] * 8}), form({"allOf": [{}] * 50}), SCHEMA, "allOf"),
    "multipleOf": (form({"multipleOf": 5}), form({"multipleOf": 99_991}), SCHEMA, "multipleOf"),
    "$ref": (
        form({"$defs": {"a": {"properties": {"a": {"$ref": "#/$defs/a"}}}}, "$ref": "#/$defs/a"}),
        form({"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}),
        SCHEMA,
        "leads back to itself",
    ),
    "$ref to all": (
        form({"$ref": "#/$defs/a", "$defs": {"a": {}}}),
        form({"$ref": "#"}),
        SCHEMA,
        "#",
    ),
    "regex": (
        {"structured_outputs": {"regex": "a" * 4096}},
        {"structured_outputs": {"regex": "a" * 4097}},
        "structured_outputs.regex",
        "grammarBytes",
    ),
    "a schema in a string": (
        {"structured_outputs": {"json": json.dumps(strings(4))}},
        {"structured_outputs": {"json": json.dumps(strings(5))}},
        "structured_outputs.json",
        "different lengths",
    ),
    "a string that is no JSON": (
        {"structured_outputs": {"json": "{}"}},
        {"structured_outputs": {"json": "{"}},
        "structured_outputs.json",
        "no JSON",
    ),
    "structural tags": (
        {"response_format": {"type": "structural_tag", "structures": [{"schema": strings(4)}]}},
        {"response_format": {"type": "structural_tag", "structures": [{"schema": strings(5)}]}},
        "response_format",
        "different lengths",
    ),
    "counts": (
        {"structured_outputs": {"regex": "a{1,9}b{1,10}c{1,11}d{1,12}"}},
        {"structured_outputs": {"regex": "a{1,9}b{1,10}c{1,11}d{1,12}e{1,13}"}},
        "structured_outputs.regex",
        "different counts",
    ),
    "choices of words": (
        {"structured_outputs": {"choice": ["a"] * 1000}},
        {"structured_outputs": {"choice": ["a"] * 1001}},
        "structured_outputs.choice",
        "choices",
    ),
    "grammar": (
        {"structured_outputs": {"grammar": 'root ::= "a"'}},
        {"structured_outputs": {"grammar": "root ::= " + '"a" | ' * 1000}},
        "structured_outputs.grammar",
        "grammarBytes",
    ),
    "tools": (tools(128), tools(1000), "tools", "tools"),
    "n": ({"n": 8}, {"n": 300}, "n", "choices"),
    "prompts": ({"prompt": ["a"] * 64}, {"prompt": ["a"] * 65}, "prompt", "prompts"),
    "a prompt of tokens": ({"prompt": [1] * 9999}, {"prompt": [[1]] * 65}, "prompt", "prompts"),
    "stops": ({"stop": ["a"] * 64}, {"stop": ["a"] * 100_000}, "stop", "entries"),
    "logit_bias": (
        {"logit_bias": {str(n): 1 for n in range(1024)}},
        {"logit_bias": {str(n): 1 for n in range(50_000)}},
        "logit_bias",
        "entries",
    ),
    "bad_words": ({"bad_words": ["a"]}, {"bad_words": ["a"] * 2000}, "bad_words", "entries"),
    "messages": ({"messages": [{}] * 4096}, {"messages": [{}] * 4097}, "messages", "entries"),
}


@pytest.mark.parametrize(("within", "above", "field", "word"), CASES.values(), ids=CASES)
def test_what_is_within_passes_and_what_is_above_says_of_what(
    within: dict[str, Any], above: dict[str, Any], field: str, word: str
) -> None:
    check(within, Bounds())
    with pytest.raises(Refusal) as refusal:
        check(above, Bounds())
    error = refusal.value.error["error"]
    assert refusal.value.status == 400 and error["param"] == field
    assert error["message"].startswith(field) and word in error["message"]
    assert len(error["message"]) < 300


def test_schemas_of_all_tools_count_together() -> None:
    parameters = {"properties": {f"p{n}": {} for n in range(100)}}
    made = [{"function": {"name": f"f{n}", "parameters": parameters}} for n in range(4)]
    check({"tools": made[:3]}, Bounds())
    with pytest.raises(Refusal, match=r"tools\.3\.function\.parameters"):
        check({"tools": made}, Bounds())


def test_an_operator_may_have_them_otherwise() -> None:
    check({"n": 300}, Bounds(choices=300))
    with pytest.raises(Refusal, match="n: 2 answers are too many; this server takes 1"):
        check({"n": 2}, Bounds(choices=1))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["enum", "properties", "$ref", "allOf", "pattern", "maxLength", "multipleOf", "a"]
            ),
            inner,
        )
    ),
    max_leaves=20,
)


@given(schema=json_values)
@settings(max_examples=300, deadline=None)
def test_any_schema_is_passed_or_refused(schema: Any) -> None:
    try:
        check(form(schema), Bounds())
    except Refusal as refusal:
        assert refusal.error["error"]["param"] == SCHEMA


def test_a_body_full_of_schema_is_refused() -> None:
    """4 MiB of it, which would take the engine's compilers minutes."""
    deep: Any = {}
    for _ in range(10_000):
        deep = {"items": deep}
    wide = {"anyOf": [{"type": "object", "required": ["a"]}] * 100_000}
    for schema in (deep, wide, {"enum": ["a" * 40] * 100_000}):
        with pytest.raises(Refusal):
            check(form(schema), Bounds())
