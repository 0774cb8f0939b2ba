"""`--set key=0.85` gives Helm a text, which means the number that it says."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .conftest import CHART, Object, refusal
from .test_properties import EVERYTHING, Values, ask, put

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
# With all that reads one of them.
BASE: Values = {
    **EVERYTHING,
    "auth": {"existingSecret": "keys"},  # none that is made anew each time
    "reasoning": {"lanes": {"enabled": True}, "adaptive": {"enabled": True}},
    "tracing": {"endpoint": "http://collector:4318/v1/traces"},
}
SECTIONS = ("autoscaling", "engine", "reasoning")


def places(schema: Object, place: str = "") -> Iterator[tuple[str, Object]]:
    """Yield where a number may stand, and its schema."""
    for key, inner in schema.get("properties", {}).items():
        if "number" in inner.get("type", ()):
            yield f"{place}{key}", inner
        if key != "overrides":  # as a preset's file has them
            yield from places(inner, f"{place}{key}/")


def number(schema: Object) -> float:
    """Return a number that is none of Helm's, within its bounds."""
    return 0.96875 if schema.get("maximum", schema.get("exclusiveMaximum")) == 1 else 3.5


def both(place: str, value: float) -> list[Any]:
    """Return what renders with a number, and with the text of it."""
    values = [put(BASE, place, value), put(BASE, place, str(value))]
    if place.startswith(SECTIONS):
        more = [{"model": {"preset": "qwen3-4b"}, **put({}, place, v)} for v in (value, str(value))]
        values += [{**BASE, "additionalModels": [one]} for one in more]
    return values


def test_a_text_that_is_a_number_is_one_everywhere() -> None:
    found = dict(places(SCHEMA))
    assert len(found) >= 10
    with ThreadPoolExecutor() as pool:
        for place, schema in found.items():
            rendered = list(pool.map(ask, both(place, number(schema))))
            for (objects, said), (same, says) in zip(rendered[::2], rendered[1::2], strict=True):
                assert objects, said
                assert same, says
                assert same == objects, place


def test_and_is_held_to_the_same_bounds() -> None:
    for place, schema in places(SCHEMA):
        wrong = ["-0.5", "1e3", "half", " 0.5"]
        wrong += ["0", "0.0"] if "exclusiveMinimum" in schema else []
        wrong += ["1.5", "17"] if schema.get("maximum") == 1 else []
        wrong += ["86400.5"] if schema.get("maximum") == 86400 else []
        for text in wrong:
            assert place.rpartition("/")[2] in refusal(put(BASE, place, text)), (place, text)


def test_texts_of_the_users_own_stay_texts() -> None:
    """Whatever they are called: a label or an annotation is a text."""
    own = {name.rpartition("/")[2]: "0.5" for name in dict(places(SCHEMA))}
    data = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "own"}, "data": own}
    sections = ("ingress", "podMonitor", "prometheusRule", "dashboard", "head", "worker")
    fields = ("annotations", "labels", "alertLabels", "podLabels", "podAnnotations", "nodeSelector")
    values: Values = {**BASE, "extraObjects": [data], "commonLabels": own}
    for section in sections:
        for field in fields:
            if field in SCHEMA["properties"][section]["properties"]:
                values = put(values, f"{section}/{field}", own)
    objects, said = ask(values)
    assert objects, said
    assert json.dumps(objects).count("0.5") > 50 and ": 0.5" not in json.dumps(objects)
