"""Kubernetes takes every object: by its own schemas, and by those of the custom resources' CRDs.

A RayService's Pod templates are looked at twice: as its CRD has them, and as the Pods that they
become.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from .conftest import KUBERNETES, SHAPES, Object, go_tool, manifest, pods, render

CORE = (
    Path(kubernetes_validate.__file__).parent
    / "kubernetes-json-schema"
    / f"v{KUBERNETES}-local-strict"
)
# Module of requirements/go.txt: where its CRDs lie.
CRDS = {
    "kuberay": "config/crd/bases/*.yaml",
    "gateway-api": "config/crd/standard/*.yaml",
    "prometheus-operator": "example/prometheus-operator-crd/*_podmonitors.yaml",
}
# What no shape turns on; together they make every object that the chart has.
OPTIONS: dict[str, Object] = {
    "ingress": {
        "ingress": {"enabled": True, "host": "llm.example.com", "tlsSecret": "tls"},
        "networkPolicy": {"clientNamespaces": ["ingress-nginx"]},
    },
    "gateway": {
        "networkPolicy": {"clientNamespaces": ["edge"]},
        "httpRoute": {
            "enabled": True,
            "parentRefs": [{"name": "gateway", "namespace": "edge", "sectionName": "https"}],
            "hostnames": ["llm.example.com"],
        },
    },
    "monitored": {
        "podMonitor": {"enabled": True},
        "networkPolicy": {"metricsNamespaces": ["monitoring"], "clientNamespaces": ["apps"]},
    },
    "cached": {"weights": {"cache": {"enabled": True, "download": True}}},
    "claimed": {
        "model": {"source": "/weights/qwen3-32b"},
        "weights": {"from": "claim", "claim": {"name": "weights"}},
    },
    "image volume": {
        "model": {"source": "/weights"},
        "weights": {"from": "image", "image": {"reference": "registry.example.com/qwen3:1"}},
    },
    "scaled to zero": {"autoscaling": {"minReplicas": 0, "maxReplicas": 1}},
    "head may die": {
        "ray": {"gcs": {"redisAddress": "redis:6379", "existingSecret": "redis"}},
        "podDisruptionBudget": {"protectHead": True},
    },
    "on a cloud": {
        "accelerator": {"platform": "eks"},
        "image": {"pullSecrets": [{"name": "pull"}]},
        "worker": {"runtimeClassName": "nvidia", "priorityClassName": "high"},
    },
}
VALUES: dict[str, Object] = {
    **{path.stem: yaml.safe_load(path.read_text()) for path in SHAPES},
    **OPTIONS,
}

each_set_of_values = pytest.mark.parametrize("name", VALUES)
Check = Callable[[list[Object]], list[str]]


def closed(schema: Any) -> Any:
    """Return a CRD's schema as a JSON schema that takes no field but those it names."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {key: closed(value) for key, value in schema.items()}
    if copy.get("x-kubernetes-int-or-string") is True:
        copy["type"] = ["integer", "string"]
    elif copy.get("nullable") is True and isinstance(copy.get("type"), str):
        copy["type"] = [copy["type"], "null"]
    if isinstance(copy.get("properties"), dict) and copy.get("type") == "object":
        # A field called `properties` or `type` is a schema, and no string or dict of schemas.
        open_ = copy.get("x-kubernetes-preserve-unknown-fields") is True
        copy.setdefault("additionalProperties", open_)
    return copy


@pytest.fixture(scope="session")
def kubeconform(tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Return a function that says what is wrong with objects."""
    folder = tmp_path_factory.mktemp("schemas")
    for path in CORE.glob("*.json"):
        schema = json.loads(path.read_text())
        # Where the package resolves references; kubeconform goes by the file's own place.
        schema.pop("$id", None)
        text = json.dumps(schema).replace('"/api/_definitions.json', '"_definitions.json')
        (folder / path.name).write_text(text)
    for module, pattern in CRDS.items():
        root = go_tool("--module", module, check=True).stdout.strip()
        files = list(Path(root).glob(pattern))
        assert files, f"{module} has no {pattern}"
        for path in files:
            crd = yaml.load(path.read_text(), yaml.CSafeLoader)
            group = crd["spec"]["group"].partition(".")[0]
            kind = crd["spec"]["names"]["kind"].lower()
            for version in crd["spec"]["versions"]:
                schema = closed(version["schema"]["openAPIV3Schema"])
                name = f"{kind}-{group}-{version['name']}.json"
                (folder / name).write_text(json.dumps(schema))

    def check(objects: list[Object]) -> list[str]:
        location = f"{folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
        run = go_tool(
            *("kubeconform", "-strict", "-output", "json", "-schema-location", location),
            input=yaml.safe_dump_all(objects),
        )
        assert run.stdout, run.stderr
        found = json.loads(run.stdout).get("resources") or []
        assert found or run.returncode == 0, run.stderr
        return [f"{item['kind']} {item['name']}: {item['msg']}" for item in found]

    return check


@each_set_of_values
def test_kubernetes_takes_every_object(name: str, kubeconform: Check) -> None:
    objects = render(VALUES[name])
    assert kubeconform([*objects, *pods(objects).values()]) == []


def test_these_values_make_every_object(kubeconform: Check) -> None:
    kinds = {item["kind"] for values in VALUES.values() for item in render(values)}
    assert kinds == {
        *("ConfigMap", "HTTPRoute", "Ingress", "Job", "NetworkPolicy", "PersistentVolumeClaim"),
        *("Pod", "PodDisruptionBudget", "PodMonitor", "RayService", "Secret", "ServiceAccount"),
    }


# The check itself: each of these Kubernetes would drop or refuse.


def test_unknown_field_in_a_pod_template_is_found(kubeconform: Check) -> None:
    objects = render()
    spec = manifest(objects, "RayService")["spec"]["rayClusterConfig"]
    spec["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]["imagePullPolicies"] = "Never"
    in_crd, in_pod = sorted(kubeconform([*objects, *pods(objects).values()]))
    assert in_crd.startswith("Pod ") and "imagePullPolicies" in in_crd
    assert in_pod.startswith("RayService ") and "imagePullPolicies" in in_pod


@pytest.mark.parametrize(
    ("name", "kind", "path", "value"),
    [
        ("ingress", "Ingress", ["spec", "rulez"], []),
        ("gateway", "HTTPRoute", ["spec", "rules", 0, "timeouts", "requests"], "1s"),
        ("monitored", "PodMonitor", ["spec", "podMetricsEndpoints", 0, "ports"], "metrics"),
        ("monitored", "NetworkPolicy", ["spec", "podSelectors"], {}),
        ("cached", "PersistentVolumeClaim", ["spec", "accessModes"], "ReadWriteMany"),
        ("cached", "RayService", ["spec", "serveConfigV2"], {}),
        ("cached", "RayService", ["spec", "rayClusterConfig", "rayVersions"], "2"),
        ("cached", "Job", ["spec", "template", "spec", "restartPolicies"], "Never"),
    ],
)
def test_wrong_field_is_found(
    name: str, kind: str, path: list[Any], value: Any, kubeconform: Check
) -> None:
    objects = render(VALUES[name])
    changed = next(item for item in objects if item["kind"] == kind)
    inner = changed
    for key in path[:-1]:
        inner = inner[key] if not isinstance(inner, dict) else inner.setdefault(key, {})
    inner[path[-1]] = value
    (problem,) = kubeconform(objects)
    assert problem.startswith(f"{kind} ") and path[-1] in problem


def test_kind_without_a_schema_is_found(kubeconform: Check) -> None:
    unknown = {"apiVersion": "example.com/v1", "kind": "Unknown", "metadata": {"name": "x"}}
    (problem,) = kubeconform([unknown])
    assert "could not find schema for Unknown" in problem
