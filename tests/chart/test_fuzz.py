"""What the chart lets through, Kubernetes, KubeRay and the app take.

Values are drawn for every key of the schema. A case is one value or one slip, beside values that
turn on all there is. What renders is read by Kubernetes' and KubeRay's own code (cluster-says/) and
by the app's.
"""

import functools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.thinking.values import apply, parse

from .cluster import cluster_says
from .conftest import Object, llm_configs, render, serve_config
from .drawn import SCHEMA, Place, Values, allowed, keys, put, slip
from .test_properties import ask, refused_in_words
from .test_upgrade import BASE

# What others need to count, by where those are.
WITH: dict[str, Values] = {
    "ray/upgrade/clusterUpgradeOptions": {
        "networkPolicy": BASE["networkPolicy"],
        "ray": {
            "upgrade": {
                "strategy": "NewClusterWithIncrementalUpgrade",
                "clusterUpgradeOptions": {"gatewayClassName": "a"},
            }
        },
    },
    "serving/ingress": {"autoscaling": {"minReplicas": 0}},
    "weights/claim": {
        "model": {"source": "/weights"},
        "weights": {"from": "claim", "claim": {"name": "a"}},
    },
    "weights/image": {
        "model": {"source": "/weights"},
        "weights": {"from": "image", "image": {"reference": "a"}},
    },
    "head/volumeMounts": {"head": {"volumes": [{"name": "a"}, {"name": "some-name"}]}},
    "worker/volumeMounts": {"worker": {"volumes": [{"name": "a"}, {"name": "some-name"}]}},
}
# Nothing is known of what is in them; and what only the API server can read, in CEL.
AS_THEY_ARE = ("extraObjects", "global", "accelerator/dra/selectors")
BY_SCHEMA = "refused by the schema"


@dataclass(frozen=True)
class Case:
    """One value, and what came of it."""

    place: Place
    values: Values
    objects: list[Object]  # none if it is refused
    said: str  # why it is

    def __str__(self) -> str:
        value: Any = self.values
        for step in self.place:
            value = value[step]
        return f"{'.'.join(map(str, self.place))}={value!r}"


def drawn(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """Return so many values of a strategy, the same ones in each run."""
    found: list[Any] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found


def values(
    kind: Callable[[Values], st.SearchStrategy[Any]], count: int
) -> Iterator[tuple[Place, Values]]:
    """Yield values of which one key is drawn, for each key of the schema.

    Args:
        kind: `allowed` or `slip`.
        count: how many a key; four times as many where it has one of Kubernetes' types.
    """
    for place, schema in keys(SCHEMA):
        at = "/".join(map(str, place))
        if at and not any(skipped in at for skipped in AS_THEY_ARE):
            beside = next((more for where, more in WITH.items() if at.startswith(where)), BASE)
            for value in drawn(kind(schema), count * (4 if ".v1." in str(schema) else 1)):
                yield place, put(beside, place, value)


@functools.cache
def cases(plain: int, slips: int, each: int = 1) -> list[Case]:
    """Return so many cases a key, of those that the schema takes and of slips; `each`: 2 is half.

    What the schema refuses is not rendered, but for every fiftieth, by which Helm says so too.
    """
    tried = [*values(allowed, plain), *values(slip, slips)][::each]
    schema = jsonschema.Draft7Validator(SCHEMA)
    refused = [index for index, (_, one) in enumerate(tried) if not schema.is_valid(one)]
    asked = sorted({*range(len(tried))} - set(refused) | {*refused[::50]})
    with ThreadPoolExecutor() as pool:
        said = dict(zip(asked, pool.map(lambda index: ask(tried[index][1]), asked), strict=True))
    for index in refused[::50]:
        assert "values don't meet the specifications" in said[index][1], tried[index]
    return [
        Case(*one, *([], BY_SCHEMA) if index in refused else said[index])
        for index, one in enumerate(tried)
    ]


def app_says(objects: list[Object]) -> list[str]:
    """Return what the app has against the values that a render gives it."""
    models = llm_configs(objects)
    ids = [one["model_loading_config"]["model_id"] for one in models]
    (application,) = serve_config(objects)["applications"]
    try:
        thinking = parse(application["args"]["reasoning"], ids)
        for name, model in zip(ids, models, strict=True):
            apply(thinking[name], name, model["engine_kwargs"])
    except ValueError as no:
        return [f"the app: {no}"]
    return []


# Cases a key, and 2 for every second of them alone: rendering takes most of the time, so there are
# more every night.
@pytest.mark.parametrize(
    ("plain", "slips", "each"), [(1, 1, 2), pytest.param(3, 4, 1, marks=pytest.mark.nightly)]
)
@pytest.mark.timeout(2400)
def test_what_renders_is_not_refused_later(
    plain: int, slips: int, each: int, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = cases(plain, slips, each)
    rendered = [case for case in tried if case.objects]
    by_schema = [case for case in tried if case.said is BY_SCHEMA]
    in_words = [case for case in tried if case.said and case.said is not BY_SCHEMA]
    verdicts = cluster_says([case.objects for case in rendered])
    later = {
        str(case): found
        for case, verdict in zip(rendered, verdicts, strict=True)
        if (found := verdict["refused"] + app_says(case.objects))
    }
    with capsys.disabled():
        print(
            f"\nfuzz: {len(tried)} tried, {len(by_schema)} refused by the schema, "
            f"{len(in_words)} by a rule, {len(rendered)} rendered, {len(later)} refused later"
        )
    assert not later
    broken = {str(case): case.said for case in in_words if not refused_in_words(case.said)}
    assert not broken
    assert len(tried) >= 400 and len(rendered) >= len(tried) / 3


# What each that `cluster_says` asks refuses: kind and place, the wrong value, what is said of it.
WRONG: dict[str, tuple[str, Place, Any, str]] = {
    "a Pod that KubeRay makes": (
        "RayService",
        ("spec", "rayClusterConfig", "headGroupSpec", "template", "spec", "tolerations"),
        [{"key": "a", "operator": "Exist"}],
        "KubeRay's Pod",
    ),
    "an object of Kubernetes' own": (
        "NetworkPolicy",
        ("spec", "podSelector", "matchLabels"),
        {"a b": "c"},
        "NetworkPolicy",
    ),
    "a field that there is not": ("Secret", ("metdata",), {}, 'unknown field "metdata"'),
    "a field that a CRD does not have": (
        "RayService",
        ("spec", "serveConfig"),
        "",
        "unknown field",
    ),
    "a number of more than 32 bits": (
        "RayService",
        ("spec", "rayClusterDeletionDelaySeconds"),
        2**31,
        "RayService",
    ),
    "what only KubeRay checks": (
        "RayService",
        ("metadata", "annotations"),
        {"ray.io/initializing-timeout": "soon"},
        "KubeRay: The RayService metadata is invalid",
    ),
    "a name that is too long for KubeRay": (
        "RayService",
        ("metadata", "name"),
        "a" * 60,
        "RayService name should be no more than",
    ),
    "a rule of a CRD, in CEL": (
        "HTTPRoute",
        ("spec", "parentRefs"),
        [{"name": "a"}, {"name": "a"}],
        "must be unique",
    ),
    "a kind that there is not": ("Secret", ("kind",), "Secrt", "no matches for kind"),
}


def test_the_cluster_says_what_is_wrong() -> None:
    right = render(BASE)
    renders = [right, [*right, right[0]]]
    for kind, place, value, _ in WRONG.values():
        at = next(index for index, one in enumerate(right) if one["kind"] == kind)
        renders.append([*right[:at], put(right[at], place, value), *right[at + 1 :]])
    plain, twice, *found = cluster_says(renders)
    assert not plain["refused"]
    assert [said for said in twice["refused"] if "already exists" in said]
    for (name, (*_, expected)), verdict in zip(WRONG.items(), found, strict=True):
        assert [said for said in verdict["refused"] if expected in said], (name, verdict["refused"])


def test_the_app_says_what_is_wrong() -> None:
    objects = render({"model": {"preset": "qwen3-4b"}})
    assert not app_says(objects)
    (service,) = [one for one in objects if one["kind"] == "RayService"]
    text = service["spec"]["serveConfigV2"]
    service["spec"]["serveConfigV2"] = text.replace(
        "thinkingDefault: true", "thinkingDefault: yes_"
    )
    assert "thinkingDefault" in app_says(objects)[0]


def test_every_value_is_drawn() -> None:
    """A value without a case would be let through unseen."""
    places = {place for place, _ in keys(SCHEMA)}
    sections = {key for key, one in SCHEMA["properties"].items() if one.get("properties")}
    for section in sections:
        for key in SCHEMA["properties"][section]["properties"]:
            assert any(place[:2] == (section, key) for place in places), f"{section}.{key}"
    assert {*SCHEMA["properties"]} - sections <= {place[0] for place in places if place}
