"""What the chart's preflight Job may read: what the checks read, and no more."""

import copy
import functools
import json
from typing import Any

import pytest
from cluster_double import SPACE, World
from preflight_hook import of_kind, rendered

from preflight.checking import check
from preflight.cluster import Cluster
from preflight.release import Release

Object = dict[str, Any]
EVERYTHING = {
    "v1": {"ConfigMap": "configmaps", "Secret": "secrets", "Service": "services", "Pod": "pods"}
    | {"ServiceAccount": "serviceaccounts", "PersistentVolumeClaim": "persistentvolumeclaims"},
    "apps/v1": {"Deployment": "deployments"},
    "batch/v1": {"Job": "jobs"},
    "policy/v1": {"PodDisruptionBudget": "poddisruptionbudgets"},
    "networking.k8s.io/v1": {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"},
    "gateway.networking.k8s.io/v1": {"HTTPRoute": "httproutes"},
    "monitoring.coreos.com/v1": {"PodMonitor": "podmonitors", "PrometheusRule": "prometheusrules"},
    "ray.io/v1": {"RayService": "rayservices"},
}
VALUES = {
    "defaults": (),
    "a cache, downloaded into": (
        "weights.cache.enabled=true",
        "weights.cache.download=true",
        "weights.cache.storageClassName=files",
    ),
    "what exists": (
        "weights.cache.enabled=true",
        "weights.cache.existingClaim=models",
        "image.pullSecrets[0].name=pull",
        "ray.auth.existingSecret=ray",
        "ray.gcs.redisAddress=redis:6379",
        "ray.gcs.existingSecret=redis",
        "worker.runtimeClassName=nvidia",
        "worker.priorityClassName=high",
        "env[0].name=A_KEY",
        "env[0].valueFrom.secretKeyRef.name=of-mine",
        "env[0].valueFrom.secretKeyRef.key=a",
        "env[1].name=B",
        "env[1].valueFrom.configMapKeyRef.name=settings",
        "env[1].valueFrom.configMapKeyRef.key=b",
        "worker.volumes[0].name=more",
        "worker.volumes[0].secret.secretName=mounted",
        "worker.volumes[1].name=most",
        "worker.volumes[1].projected.sources[0].secret.name=projected",
        "worker.volumes[1].projected.sources[1].configMap.name=projected",
    ),
    "an Ingress and a page": (
        "ingress.enabled=true",
        "ingress.host=llm.example.com",
        "ingress.tlsSecret=tls",
        "networkPolicy.clientNamespaces={ingress}",
        "playground.enabled=true",
        "playground.key=page",
    ),
    "a route, watched": (
        "httpRoute.enabled=true",
        "httpRoute.parentRefs[0].name=gateway",
        "httpRoute.parentRefs[0].namespace=edge",
        "networkPolicy.clientNamespaces={edge}",
        "networkPolicy.metricsNamespaces={monitoring}",
        "podMonitor.enabled=true",
        "prometheusRule.enabled=true",
        "dashboard.enabled=true",
    ),
    "step by step": (
        "ray.upgrade.strategy=NewClusterWithIncrementalUpgrade",
        "ray.upgrade.clusterUpgradeOptions.gatewayClassName=envoy",
        "networkPolicy.clientNamespaces={edge}",
    ),
}
Right = tuple[str, str, str, str]  # verb, group, resource, and a name or ""


def asked(path: str) -> tuple[Right, bool] | None:
    """Return the right that a request needs, and whether in the release's namespace.

    None: it is one that everybody has, to ask which kinds there are.
    """
    group, *parts = path.split("?")[0].removeprefix("/api/v1").removeprefix("/apis/").split("/")
    if parts and path.startswith("/apis/"):
        parts = parts[1:]  # the version
    if not parts or path == "/version":
        return None
    inside = parts[:2] == ["namespaces", "prod"] and len(parts) > 2
    if parts[0] == "namespaces" and len(parts) > 2:
        parts = parts[2:]
    name = parts[1] if len(parts) > 1 else ""
    return ("get" if name else "list", group, parts[0], name), inside


def rights(role: Object) -> set[Right]:
    """Return what a Role allows; without names a right is for any."""
    return {
        (verb, group, resource, name)
        for rule in role["rules"]
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
    }


@functools.cache
def looked(values: str) -> tuple[frozenset[Right], frozenset[Right]]:
    """Return which rights the checks used: in the namespace, and elsewhere."""
    world = World()
    world.kinds = copy.deepcopy(EVERYTHING)
    claim: Object = {"accessModes": ["ReadWriteMany"], "volumeName": "volume"}
    path = f"{SPACE}/persistentvolumeclaims/models"
    world.objects[path] = {"metadata": {"name": "models"}, "spec": claim}
    given = of_kind(rendered(*VALUES[values]), "ConfigMap", "-preflight-release")["data"]
    release = Release(json.loads(given["objects.json"])["items"], "prod", ">=1.6.2 <1.8.0")
    check(release, Cluster(world.ask, read_only=True))
    assert {method for method, _ in world.sent} == {"GET"}
    used = [found for _, path in world.sent if (found := asked(path))]
    own = frozenset(right for right, inside in used if inside)
    return own, frozenset(right for right, inside in used if not inside)


def unnamed(right: Right) -> Right:
    return (*right[:3], "")


@pytest.mark.parametrize("values", VALUES)
def test_it_may_read_what_the_checks_read(values: str) -> None:
    objects = rendered(*VALUES[values])
    own, elsewhere = looked(values)
    role, cluster = rights(of_kind(objects, "Role")), rights(of_kind(objects, "ClusterRole"))
    assert [one for one in elsewhere if not {one, unnamed(one)} & cluster] == []
    assert [one for one in own if not {one, unnamed(one)} & (cluster | role)] == []


@pytest.mark.parametrize("values", VALUES)
def test_it_may_read_no_more_in_the_namespace(values: str) -> None:
    own, _ = looked(values)
    assert rights(of_kind(rendered(*VALUES[values]), "Role")) - own == set()


def test_it_may_read_no_more_of_the_cluster() -> None:
    used = {one for values in VALUES for some in looked(values) for one in some}
    allowed = rights(of_kind(rendered(), "ClusterRole"))
    assert allowed - used - set(map(unnamed, used)) == set()


def test_it_may_get_no_secret_but_those_that_the_release_names() -> None:
    for values in VALUES.values():
        for one in rendered(*values):
            if one["kind"] in ("Role", "ClusterRole"):
                for rule in one["rules"]:
                    assert "secrets" not in rule["resources"] or rule["resourceNames"]
                    assert set(rule["verbs"]) <= {"get", "list"}
    (rule,) = [
        rule
        for rule in of_kind(rendered(*VALUES["what exists"]), "Role")["rules"]
        if rule["resources"] == ["secrets"]
    ]
    assert rule["resourceNames"] == sorted(
        ["hf-token", "keys", "mounted", "of-mine", "projected", "pull", "ray", "redis"]
    )
