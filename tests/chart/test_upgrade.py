"""`helm upgrade` from any values to any others meets no field that Kubernetes keeps as it is."""

import functools
import itertools
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import yaml

from tools.preflight.staying import made_into_pods

from .cluster import cluster_says
from .conftest import CHART, ROOT, Object, manifest, render
from .test_properties import DEFAULTS, EVERYTHING, Values, ask, maps, put

# By kind; of a Pod and a hook's objects Helm makes new ones. A claim's class and access mode can't
# change either, but another name would lose what it holds, so there the API server's no is right.
IMMUTABLE = {
    "Deployment": ("spec", "selector"),
    "Job": ("spec", "template"),
    "ClusterRoleBinding": ("roleRef",),
    "RoleBinding": ("roleRef",),
    "Secret": ("type",),
    "ResourceClaimTemplate": ("spec",),
}
# All that is off by default, so that a change of each of its values shows.
BASE: Values = {
    **EVERYTHING,
    "auth": {"existingSecret": "keys"},
    "playground": {"enabled": True, "key": "page"},
    "preflight": {"enabled": True},
    "reasoning": {"lanes": {"enabled": True}, "adaptive": {"enabled": True}},
    "lora": {"adapters": {"a": "owner/a"}},
    "parallelism": {"pipeline": 2},
    "requestLog": {"enabled": True},
    "service": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8"]},
    "tracing": {"endpoint": "http://other:4318/v1/traces"},
    "head": {"volumes": [{"name": "given", "emptyDir": {}}]},
    "worker": {"volumes": [{"name": "given", "emptyDir": {}}]},
    "accelerator": {
        "platform": "eks",
        "dra": {"enabled": True},
        "spot": {"enabled": True, "noticeSeconds": 3600},
    },
}
# Where neither "another text" nor "one more" is another value.
OTHERS: dict[str, Any] = {
    "accelerator/dra/selectors": ["device.driver == 'gpu.nvidia.com'"],
    "accelerator/overrides": {"env": {"A": "b"}},
    "accelerator/platform": "",
    "accelerator/tolerations": [{"key": "a", "operator": "Exists"}],
    "autoscaling/maxOngoingRequests": 100,
    "autoscaling/maxQueuedRequests": 9,
    "autoscaling/targetOngoingRequests": 7,
    "dnsConfig": {"searches": ["a.example"]},
    "dnsPolicy": "Default",
    "engine/gpuMemoryUtilization": 0.85,
    "engine/kvCacheDtype": "fp8",
    "engine/kwargs": {"enable_prefix_caching": False},
    "lora/adapters": {"sql": "owner/sql"},
    "lora/maxRank": 32,
    "env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
    "envFrom": [{"configMapRef": {"name": "a"}}],
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}],
    "head/initContainers": [{"name": "a", "image": "a:1"}],
    "head/lifecycle": {"postStart": {"sleep": {"seconds": 1}}},
    "head/livenessProbe": {"tcpSocket": {"port": 6379}},
    "head/readinessProbe": {"tcpSocket": {"port": 6379}},
    "head/sidecars": [{"name": "a", "image": "a:1"}],
    "head/tolerations": [{"key": "a", "operator": "Exists"}],
    "head/volumeMounts": [{"name": "given", "mountPath": "/a"}],
    "head/volumes": [{"name": "given", "emptyDir": {}}, {"name": "a", "emptyDir": {}}],
    "hostAliases": [{"ip": "10.0.0.9", "hostnames": ["a"]}],
    "image/digest": f"sha256:{'0' * 64}",
    "image/pullPolicy": "Always",
    "image/pullSecrets": [{"name": "pull"}],
    "ingress/extraHosts": ["b.example"],
    "ingress/extraTls": [{"hosts": ["a.example"], "secretName": "a"}],
    "model/maxModelLen": 8192,
    "model/preset": "qwen3-14b",
    "networkPolicy/clientNamespaces": ["apps"],
    "networkPolicy/egress": [{"ports": [{"port": 3128, "protocol": "TCP"}]}],
    "playground/tolerations": [{"key": "a", "operator": "Exists"}],
    "podDisruptionBudget/minAvailable": 2,
    "podMonitor/interval": "30s",
    "prometheusRule/objectives/answerSeconds": 1,
    "prometheusRule/objectives/share": 0.99,
    "prometheusRule/objectives/thinkingAnswerSeconds": 60,
    "prometheusRule/thresholds/budgetHits": 0.25,
    "prometheusRule/thresholds/cut": 0.25,
    "prometheusRule/thresholds/errors": 0.25,
    "prometheusRule/thresholds/preemptions": 0.25,
    "ray/gcs/redisAddress": "other:6379",
    "ray/upgrade/strategy": "None",
    "reasoning/fields": "reasoning",
    "reasoning/keys": {"batch": {"thinkingDefault": False}},
    "reasoning/maxTokenBudget": 900,
    "reasoning/tokenBudget": 800,
    "service/loadBalancerSourceRanges": ["192.168.0.0/16"],
    "service/type": "NodePort",
    "serving/cors/allowedOrigins": ["https://a.example"],
    "test/tolerations": [{"key": "a", "operator": "Exists"}],
    "tracing/endpoint": "http://collector:4318/v1/traces",
    "weights/cache/size": "300Gi",
    "weights/cache/tolerations": [{"key": "a", "operator": "Exists"}],
    "worker/topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "ScheduleAnyway"}
    ],
    "worker/initContainers": [{"name": "a", "image": "a:1"}],
    "worker/lifecycle": {"postStart": {"sleep": {"seconds": 1}}},
    "worker/livenessProbe": {"tcpSocket": {"port": 8000}},
    "worker/readinessProbe": {"tcpSocket": {"port": 8000}},
    "worker/sidecars": [{"name": "a", "image": "a:1"}],
    "worker/startupProbe": {"tcpSocket": {"port": 8000}},
    "worker/volumeMounts": [{"name": "given", "mountPath": "/a"}],
    "worker/volumes": [{"name": "given", "emptyDir": {}}, {"name": "a", "emptyDir": {}}],
}


def fixed(objects: list[Object]) -> dict[tuple[str, str], Any]:
    """Return the fields that may not change, by kind and name."""
    found = {}
    for item in objects:
        hook = "helm.sh/hook" in (item["metadata"].get("annotations") or {})
        if item["kind"] in IMMUTABLE and not hook:
            value: Any = item
            for step in IMMUTABLE[item["kind"]]:
                value = value.get(step)
            found[item["kind"], item["metadata"]["name"]] = value
    return found


def other(value: Any) -> Any:
    """Return another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}x" if isinstance(value, str) else {"a": "b"} if value == {} else None


def at(values: Any, place: str, default: Any) -> Any:
    """Return what is at a place of values, or the default."""
    for step in place.split("/"):
        values = values.get(step, {}) if isinstance(values, dict) else {}
    return default if values == {} else values


def changes() -> Iterator[tuple[str, Values]]:
    """Yield each value of the chart with another one, beside all that is off by default."""
    for section in maps(DEFAULTS):
        values: Any = DEFAULTS
        for step in section.strip("/").split("/") if section else []:
            values = values[step]
        for key, value in values.items():
            place = f"{section}/{key}".strip("/")
            changed = OTHERS.get(place, other(at(BASE, place, value)))
            if changed is not None and place != "lora/bucket":
                yield place, put(BASE, place, changed)
    yield "lora/bucket", {**BASE, "lora": {"bucket": "s3://b/adapters"}}  # not beside adapters
    security = dict(DEFAULTS["podSecurityContext"], runAsUser=2000)
    yield "podSecurityContext", put(BASE, "podSecurityContext", security)


@functools.cache
def rendered() -> dict[str, list[Object]]:
    """Return what each change renders, by its place; nothing of the base is at ""."""
    tried = {"": BASE, **dict(changes())}
    with ThreadPoolExecutor() as pool:
        found = zip(tried, pool.map(ask, tried.values()), strict=True)
        return {place: objects for place, (objects, _) in found if objects}


def test_no_value_changes_what_can_not_be_changed() -> None:
    before = fixed(rendered()[""])
    assert {kind for kind, _ in before} >= {"Job", "Secret", "ResourceClaimTemplate"}
    for place, objects in rendered().items():
        for name, value in fixed(objects).items():
            assert before.get(name, value) == value, f"{place} changes {name}"


def test_from_each_of_the_ci_values_to_each() -> None:
    files = sorted((CHART / "ci").glob("*.yaml"))
    all_of = {path.name: fixed(render(yaml.safe_load(path.read_text()))) for path in files}
    for (one, before), (two, after) in itertools.permutations(all_of.items(), 2):
        changed = [name for name in before.keys() & after.keys() if before[name] != after[name]]
        assert not changed, f"{one} -> {two}"


@functools.cache
def verdicts() -> list[Object]:
    """Return what a cluster would say of each change, in their order."""
    return cluster_says(list(rendered().values()))


@functools.cache
def outcomes() -> dict[str, str]:
    """Return what each change of a value does: `cluster`, `serve`, or `other` objects alone."""
    services = [manifest(objects, "RayService") for objects in rendered().values()]
    said = verdicts()
    assert not [one["refused"] for one in said if one["refused"]]
    found = {}
    for place, service, one in zip(rendered(), services, said, strict=True):
        if one["hash"] != said[0]["hash"]:
            found[place] = "cluster"
        elif service["spec"]["serveConfigV2"] != services[0]["spec"]["serveConfigV2"]:
            found[place] = "serve"
        else:
            found[place] = "other"
    return found


def test_the_preflight_sees_new_pods_where_kuberay_does() -> None:
    services = [manifest(objects, "RayService") for objects in rendered().values()]
    said = verdicts()
    before = made_into_pods(services[0])
    wrong = [
        place
        for place, service, one in zip(rendered(), services, said, strict=True)
        if (made_into_pods(service) == before) != (one["hash"] == said[0]["hash"])
    ]
    assert not wrong


def told() -> dict[str, str]:
    """Return {value, or the part of values.yaml: what docs/upgrades.md says that it does}."""
    page = (ROOT / "docs" / "upgrades.md").read_text()
    rows = re.search(r"\| Values \| what happens \|\n.*?\n\n", page, re.DOTALL)
    assert rows
    found = {}
    for row in rows[0].split("\n")[2:-2]:
        names, says = row.strip("| ").split(" | ")
        outcome = "serve" if says.startswith("Serve") else "other"
        if not names.startswith("all else"):
            found |= dict.fromkeys(re.findall(r"`([^`]+)`", names), outcome)
    return found


def test_each_value_does_what_the_page_says() -> None:
    """Its table names all that starts no second cluster."""
    said = told()
    assert set(said.values()) == {"serve", "other"}
    wrong = {}
    for place, outcome in outcomes().items():
        name = place.replace("/", ".")
        rows = [row for row in said if name == row or name.startswith(f"{row}.")]
        expected = said[max(rows, key=len)] if rows else "cluster"
        if place and outcome != expected:
            wrong[name] = f"{outcome}, and the page says {expected}"
    assert not wrong
    dead = [row for row in said if not any(p.replace("/", ".").startswith(row) for p in outcomes())]
    assert not dead, "no value of that name was tried"
