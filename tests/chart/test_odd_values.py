"""No value at any place of the schema breaks a template: it renders, or is refused in words.

Each place gets nulls, numbers larger than any machine's, and text that YAML, Go or a terminal reads
as something else. A break is what Helm says of a template, a stack of files and `error calling`.
"""

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from .drawn import SCHEMA, Place, Schema, put
from .test_properties import EVERYTHING, ask, examples, mistyped, refused_in_words

DEEP = 7  # a pod's containers have no end


def places(schema: Schema, at: Place = ()) -> Iterator[Place]:
    """Yield the places that a schema knows, of maps and lists with free entries one each."""
    if at:
        yield at
    if len(at) == DEEP:
        return
    if reference := schema.get("$ref"):
        schema = SCHEMA["definitions"][reference.rpartition("/")[2]]
    for way in schema.get("anyOf", []) + schema.get("oneOf", []):
        yield from places(way, at)
    for name, inner in schema.get("properties", {}).items():
        yield from places(inner, (*at, name))
    for inner in [
        *schema.get("patternProperties", {}).values(),
        schema.get("additionalProperties"),
    ]:
        if inner:
            yield from places(inner if isinstance(inner, dict) else {}, (*at, "some"))
    if isinstance(schema.get("items"), dict):
        yield from places(schema["items"], (*at, 0))


PLACES = sorted(set(places(SCHEMA)) - {("global",), ("global", "some")}, key=str)
NUMBERS = [2**31 - 1, 10**18, -(10**18), 2**31, 2**63, 1e300, 0.1 + 0.2]
TEXTS = [
    *(
        "\u2028",
        "a\u2029b",
        "\x85",
        "\ufeff",
        "\x00",
        "\x1b[2J",
        "\x7f",
        "\ufffe",
        "💥",
        "a\nb",
        "\t",
    ),
    *(
        "{{ fail }}",
        "- a: b",
        "|",
        "'",
        '"',
        "%s",
        "\\",
        "~",
        "null",
        "1e3",
        "0x1F",
        "=",
        "<<",
        "*a",
    ),
]
ODD: list[Any] = [None, *NUMBERS, *TEXTS, [], {}, [None], {"some": None}, True]


def broken(values: Any) -> str:
    """Return what Helm said if it was no refusal in words, and what Kubernetes would not read."""
    objects, said = ask(values)
    if objects:
        return str([wrong for one in objects for wrong in mistyped(one)] or "")
    return "" if refused_in_words(said) else said


@examples(120)
@given(st.sampled_from([{}, EVERYTHING]), st.sampled_from(PLACES), st.sampled_from(ODD))
def test_no_value_at_any_place_breaks_a_template(beside: Any, place: Place, value: Any) -> None:
    assert not broken(put(beside, place, value)), (place, value)


def integers(schema: Any) -> Iterator[Schema]:
    """Yield the schemas of whole numbers, or null for one, of our own values."""
    if isinstance(schema, dict):
        if "integer" in (schema.get("type") or []) and "maximum" in schema:
            yield schema
        elif "integer" in (schema.get("type") or []):
            raise AssertionError(f"no maximum: {schema}")
    for inner in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(inner, dict | list):
            yield from integers(inner)


def test_every_whole_number_has_a_bound() -> None:
    assert len(list(integers(SCHEMA["properties"]))) > 50
