"""Values drawn from values.schema.json: what it lets through, and slips as people make them."""

import functools
import json
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
from hypothesis import strategies as st

from .conftest import CHART

Schema = dict[str, Any]
Place = tuple[str | int, ...]
Values = dict[str, Any]

SCHEMA: Schema = json.loads((CHART / "values.schema.json").read_text())
TEXTS = [
    *("a", "some-name", "v1.2", "UPPER", "a b", "A_B", "a" * 70, "a." * 127 + "a", "x" * 300),
    *(
        "https://x",
        "a.example",
        "*.a.example",
        "a.example/key",
        "team/",
        "/etc/x",
        "../x",
        "r:99999",
    ),
    *(
        "8GB",
        "4Gi",
        "1e3",
        "0.5",
        "-1",
        "01",
        "99999999999",
        "true",
        "null",
        "~",
        "",
        " ",
        "-x",
        "x-",
    ),
    *("x=y", "é", "a\nb", "tab\t", "{{ x }}", "$(X)", "#", "a:b:c", "10.0.0.0/8", "soon", "30s"),
    *(
        "NoSchedule",
        "Exists",
        "In",
        "TCP",
        "kubernetes.io/hostname",
        "RuntimeDefault",
        "Unconfined",
    ),
]
NUMBERS = [
    0,
    1,
    2,
    7,
    16,
    80,
    443,
    1000,
    8192,
    65535,
    65536,
    99999,
    2**31 - 1,
    2**31,
    10**11,
    -1,
    2**53,
]
SLIPS: list[Any] = [
    *TEXTS,
    *NUMBERS,
    *(1.5, True, False, None, [], {}, [""], ["a b"], ["A", "A"], [1], [{}], [{"name": "a b"}]),
    *(
        {"a b": "c"},
        {"a": 1},
        {"A": None},
        {"k" * 70: "v"},
        {"request": {"cpu": 1}},
        {"unknown": {}},
    ),
    *({"ray.io/ft-enabled": "true"}, {"ray.io/initializing-timeout": "soon"}, {"a": "v" * 70}),
]


def put(values: Any, place: Place, value: Any) -> Any:
    """Return values with another one at a place; what is on the way stays."""
    if not place:
        return value
    step, *rest = place
    if isinstance(step, int):
        entries = values if isinstance(values, list) and values else [None]
        return [put(entries[0], tuple(rest), value), *entries[1:]]
    entries = values if isinstance(values, dict) else {}
    return entries | {step: put(entries.get(step), tuple(rest), value)}


def keys(schema: Schema, at: Place = ()) -> Iterator[tuple[Place, Schema]]:
    """Yield each key of the chart's values with its schema; maps of own keys are gone into."""
    if schema.get("additionalProperties") is False or "overrides" in at[-1:]:
        for name, inner in schema.get("properties", {}).items():
            yield from keys(inner, (*at, name))
        if schema.get("properties"):
            return
    if isinstance(items := schema.get("items"), dict) and "properties" in items:
        yield from keys(items, (*at, 0))
    yield at, schema


@functools.cache
def _definition(name: str) -> st.SearchStrategy[Any]:
    return st.deferred(lambda: allowed(SCHEMA["definitions"][name]))


def allowed(schema: Schema) -> st.SearchStrategy[Any]:
    """Draw what a schema takes."""
    if "$ref" in schema:
        return _definition(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    ways = schema.get("anyOf") or schema.get("oneOf")
    if ways:
        plain = {key: rule for key, rule in schema.items() if key not in ("anyOf", "oneOf")}
        return st.one_of([allowed(plain | way) for way in ways]).filter(_valid(schema))
    if further := [one for one in schema.get("allOf", []) if "if" not in one]:
        plain = {key: rule for key, rule in schema.items() if key != "allOf"}
        return allowed(functools.reduce(operator.or_, further, plain)).filter(_valid(schema))
    types = schema.get("type", "string")
    drawn = [_typed(one, schema) for one in (types if isinstance(types, list) else [types])]
    depends = {"allOf", "dependencies", "if"} & schema.keys()
    return st.one_of(drawn).filter(_valid(schema)) if depends else st.one_of(drawn)


def _valid(schema: Schema) -> Callable[[Any], bool]:
    return jsonschema.Draft7Validator({**schema, "definitions": SCHEMA["definitions"]}).is_valid


def _typed(kind: str, schema: Schema) -> st.SearchStrategy[Any]:
    match kind:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "string":
            return _text(schema)
        case "integer" | "number":
            low, high = schema.get("minimum", -(2**53)), schema.get("maximum", 2**53)
            above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
            known = [low, high, *NUMBERS, *([0.5, 0.97] if kind == "number" else [])]
            return st.sampled_from(
                [
                    n
                    for n in known
                    if low <= n <= high
                    and (above is None or n > above)
                    and (below is None or n < below)
                ]
            )
        case "array":
            items = allowed(schema.get("items", {}))
            least, most = schema.get("minItems", 0), min(2, schema.get("maxItems", 2))
            some = st.lists(items, min_size=least, max_size=most)
            twice = most == 2 and not schema.get("uniqueItems")
            return some | items.map(lambda one: [one, one]) if twice else some
        case _:
            return _map(schema)


def _text(schema: Schema) -> st.SearchStrategy[str]:
    pattern, most = re.compile(schema.get("pattern", "")), schema.get("maxLength", 10**6)
    least = schema.get("minLength", 0)
    known = [text for text in TEXTS if least <= len(text) <= most and pattern.search(text)]
    drawn = st.from_regex(pattern, fullmatch=True) if pattern.pattern else st.nothing()
    fits = drawn.filter(lambda text: least <= len(text) <= most and "\n" not in text)
    return st.one_of([fits, st.sampled_from(known)] if known else [fits])


@st.composite
def _map(draw: st.DrawFn, schema: Schema) -> Values:
    properties, needed = schema.get("properties", {}), schema.get("required", [])
    optional = sorted(properties.keys() - set(needed))
    most = min(3, schema.get("maxProperties", 9) - len(needed))
    least = max(0, schema.get("minProperties", 0) - len(needed)) if optional else 0
    some = st.lists(st.sampled_from(optional or [""]), min_size=least, max_size=most, unique=True)
    chosen = [*needed, *(draw(some) if optional else [])]
    values = {name: draw(allowed(properties.get(name, {}))) for name in chosen}
    if "if" in schema and draw(st.booleans()):  # what is asked of some values
        then = {**schema, **schema["then"], "properties": properties}
        values = draw(_map({k: v for k, v in then.items() if k not in ("if", "then", "else")}))
    names, further = {"type": "string"}, schema.get("additionalProperties")
    for pattern, inner in schema.get("patternProperties", {}).items():
        names, further = {"type": "string", "pattern": pattern}, inner
    if isinstance(further, dict):
        values |= draw(st.dictionaries(allowed(names), allowed(further), max_size=2))
    return values


@st.composite
def slip(draw: st.DrawFn, schema: Schema) -> Any:
    """Draw what a schema may not take: another type, or something wrong somewhere within."""
    value = draw(allowed(schema))
    wrong = draw(st.sampled_from(SLIPS))
    inner = value
    while isinstance(inner, dict | list) and inner and draw(st.integers(0, 3)):
        at = draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
        if not isinstance(inner[at], dict | list) or not inner[at]:
            inner[at] = wrong
            return value
        inner = inner[at]
    if isinstance(inner, dict) and inner is not value:
        inner["unknown"] = wrong
        return value
    return wrong
