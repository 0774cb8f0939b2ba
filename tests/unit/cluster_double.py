"""A cluster for the tests of preflight: the API's answers as dicts, where no API server is needed.

The real API server and scheduler have tests of their own: tests/e2e/preflight.
"""

import copy
import functools
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from preflight.checking import check
from preflight.cluster import Cluster
from preflight.finding import Finding
from preflight.release import Release
from schemas import go_tool

ROOT = Path(__file__).parents[2]
Object = dict[str, Any]

API = "/api/v1"
SPACE = f"{API}/namespaces/prod"
KINDS = {
    "v1": {"ConfigMap": "configmaps", "Secret": "secrets", "Service": "services", "Pod": "pods"}
    | {"ServiceAccount": "serviceaccounts", "PersistentVolumeClaim": "persistentvolumeclaims"},
    "ray.io/v1": {"RayService": "rayservices"},
    "batch/v1": {"Job": "jobs"},
    "policy/v1": {"PodDisruptionBudget": "poddisruptionbudgets"},
    "networking.k8s.io/v1": {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"},
}


@functools.cache
def _rendered(*sets: str) -> str:
    sets = ("auth.existingSecret=keys", "networkPolicy.clientNamespaces={ingress}", *sets)
    chosen = [argument for one in sets for argument in ("--set", one)]
    done = go_tool("helm", "template", "it", "charts/hybrid-llm", *chosen, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def release(*sets: str) -> Release:
    """Return a release of the chart with these values, in the namespace prod."""
    objects = [one for one in yaml.safe_load_all(_rendered(*sets)) if one]
    return Release(objects, "prod", ">=1.6.2 <1.8.0")


def node(name: str = "gpu-0", **change: Any) -> Object:
    """Return a node for a worker and the head of the chart's defaults: 4 x L40S."""
    labels = {"kubernetes.io/hostname": name, "nvidia.com/gpu.product": "NVIDIA-L40S"}
    room = {"cpu": "48", "memory": "384Gi", "pods": "110", "nvidia.com/gpu": "4"}
    room["ephemeral-storage"] = "200Gi"
    return {
        "metadata": {"name": name, "labels": labels | change.get("labels", {})},
        "spec": {
            "taints": change.get("taints", []),
            "unschedulable": change.get("cordoned", False),
        },
        "status": {
            "allocatable": room | change.get("room", {}),
            "images": change.get("images", []),
        },
    }


def pod(name: str, on: str | None, namespace: str = "others", **asked: str) -> Object:
    """Return a pod that runs on a node and asks for so much; gpu stands for nvidia.com/gpu."""
    requests = {key.replace("gpu", "nvidia.com/gpu"): value for key, value in asked.items()}
    container = {"name": "it", "resources": {"requests": requests}}
    spec: Object = {"containers": [container], **({"nodeName": on} if on else {})}
    metadata = {"name": name, "namespace": namespace}
    return {"metadata": metadata, "spec": spec, "status": {"phase": "Running" if on else "Pending"}}


def secret(*entries: str) -> Object:
    """Return a Secret with something in these entries."""
    return {"metadata": {"name": "it"}, "data": dict.fromkeys(entries, "c2VjcmV0LXZhbHVl")}


class World:
    """What a cluster has in which the chart's defaults are well; tests take away or add."""

    def __init__(self) -> None:
        operator = {
            "metadata": {"name": "kuberay-operator-1", "namespace": "kuberay-system"},
            "spec": {"containers": [{"image": "quay.io/kuberay/operator:v1.6.2"}]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }
        self.kinds = copy.deepcopy(KINDS)
        self.operators = [operator]
        self.objects: dict[str, Object] = {
            SPACE: {"metadata": {"name": "prod", "labels": {}}},
            f"{SPACE}/secrets/keys": secret("me"),
        }
        self.lists: dict[str, list[Object]] = {
            f"{API}/nodes": [node("gpu-0"), node("gpu-1")],
            f"{API}/pods": [],
            f"{API}/namespaces": [{"metadata": {"name": "prod"}}, {"metadata": {"name": "others"}}],
        }
        self.denied: set[str] = set()
        self.refused: dict[str, tuple[int, str]] = {}  # path of a dry run: status and message
        self.sent: list[tuple[str, str]] = []

    def ask(self, method: str, path: str, body: Object | None) -> tuple[int, bytes]:
        """Answer as the API server does."""
        url = urlsplit(path)
        self.sent.append((method, path))
        if method == "POST":
            status, message = self.refused.get(url.path, (201, ""))
            return status, json.dumps({"message": message}).encode()
        if url.path in self.denied:
            return 403, b"{}"
        version = url.path.removeprefix("/apis/").removeprefix("/api/")
        if version in self.kinds:
            resources = [{"kind": k, "name": n} for k, n in self.kinds[version].items()]
            return 200, json.dumps({"resources": resources}).encode()
        if "labelSelector" in parse_qs(url.query):
            return 200, json.dumps({"items": self.operators}).encode()
        if url.path in self.lists:
            return 200, json.dumps({"items": self.lists[url.path]}).encode()
        if url.path in self.objects:
            return 200, json.dumps(self.objects[url.path]).encode()
        return 404, b"{}"

    def cluster(self, **options: Any) -> Cluster:
        """Return what asks it."""
        return Cluster(self.ask, **options)

    def findings(self, *sets: str) -> list[tuple[str, Finding]]:
        """Return what preflight finds of a release with these values."""
        return check(release(*sets), self.cluster())
