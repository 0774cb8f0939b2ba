"""Kubernetes takes every object: by its own schemas, and by those of the custom resources' CRDs.

A RayService's Pod templates are looked at twice: as its CRD has them, and as the Pods that they
become.
"""

import functools
from collections.abc import Callable
from typing import Any

import pytest
import yaml

import schemas

from .conftest import SHAPES, Object, manifest, pods, render

SMALL = {
    "requests": {"cpu": "10m", "memory": "16Mi", "ephemeral-storage": "1Gi"},
    "limits": {"memory": "16Mi", "ephemeral-storage": "1Gi"},
}
HELPER = {"name": "helper", "image": "helper:1.0", "resources": SMALL}
PROBE = {"exec": {"command": ["true"]}, "periodSeconds": 30}
OF_BOTH: Object = {
    "podLabels": {"azure.workload.identity/use": "true", "team": "serving"},
    "volumes": [{"name": "logs", "emptyDir": {}}],
    "volumeMounts": [{"name": "logs", "mountPath": "/tmp/ray"}],
    "initContainers": [HELPER, {**HELPER, "name": "beside", "restartPolicy": "Always"}],
    "sidecars": [
        {
            **HELPER,
            "name": "shipper",
            "volumeMounts": [{"name": "logs", "mountPath": "/logs", "readOnly": True}],
        }
    ],
    "livenessProbe": PROBE,
    "readinessProbe": {"tcpSocket": {"port": 8265}, "periodSeconds": 5},
    "lifecycle": {"postStart": {"exec": {"command": ["true"]}}},
}
# All that users may add to pods, beside other objects and further names of the Ingress.
ADDED: Object = {
    "commonLabels": {"team": "all"},
    "envFrom": [{"configMapRef": {"name": "proxies"}}, {"secretRef": {"name": "more"}}],
    "hostAliases": [{"ip": "10.0.0.9", "hostnames": ["hub.example.com"]}],
    "dnsPolicy": "None",
    "dnsConfig": {"nameservers": ["10.0.0.10"], "options": [{"name": "ndots", "value": "2"}]},
    "schedulerName": "volcano",
    "extraObjects": [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "proxies"},
            "data": {"HTTPS_PROXY": "http://proxy:3128", "alert": "{{ $labels.pod }}"},
        }
    ],
    "head": OF_BOTH,
    "worker": {**OF_BOTH, "startupProbe": {**PROBE, "failureThreshold": 60}},
    "ray": {
        "gcs": {"redisAddress": "rediss://redis:6380", "username": "r", "existingSecret": "redis"},
    },
    "ingress": {
        "enabled": True,
        "host": "llm.example.com",
        "extraHosts": ["chat.example.com", "old.example.com"],
        "tlsSecret": "tls",
        "extraTls": [{"hosts": ["old.example.com"], "secretName": "old-tls"}],
    },
    "networkPolicy": {"clientNamespaces": ["ingress-nginx"]},
    "test": {"nodeSelector": {"pool": "small"}, "tolerations": [{"operator": "Exists"}]},
    "playground": {
        "enabled": True,
        "nodeSelector": {"pool": "small"},
        "tolerations": [{"operator": "Exists"}],
    },
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
        "prometheusRule": {"enabled": True, "sources": {"kuberay": True}},
        "dashboard": {"enabled": True},
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
    "devices claimed": {
        "accelerator": {
            "dra": {"enabled": True, "selectors": ["device.driver == 'gpu.nvidia.com'"]}
        }
    },
    "by a load balancer": {
        "service": {
            "type": "LoadBalancer",
            "annotations": {"networking.gke.io/load-balancer-type": "Internal"},
            "loadBalancerSourceRanges": ["10.0.0.0/8", "fd00::/8"],
        }
    },
    "with what users add": ADDED,
    "looked at before": {"preflight": {"enabled": True}},
    "with a page": {
        "playground": {
            "enabled": True,
            "existingClaim": "chats",
            "url": "https://chat.example.com",
            "clientNamespaces": ["ingress-nginx"],
        },
    },
}
VALUES: dict[str, Object] = {
    **{path.stem: yaml.safe_load(path.read_text()) for path in SHAPES},
    **OPTIONS,
}

each_set_of_values = pytest.mark.parametrize("name", VALUES)
Check = Callable[[list[Object]], list[str]]


@pytest.fixture(scope="session")
def kubeconform(tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Return a function that says what is wrong with objects."""
    folder = tmp_path_factory.mktemp("schemas")
    schemas.write(folder)
    return functools.partial(schemas.problems, folder)


@each_set_of_values
def test_kubernetes_takes_every_object(name: str, kubeconform: Check) -> None:
    objects = render(VALUES[name])
    assert kubeconform([*objects, *pods(objects).values()]) == []


def test_these_values_make_every_object(kubeconform: Check) -> None:
    kinds = {item["kind"] for values in VALUES.values() for item in render(values)}
    assert kinds == {
        *("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
        *("ConfigMap", "Deployment", "HTTPRoute", "Ingress", "Job", "NetworkPolicy"),
        *("PersistentVolumeClaim", "Pod", "PodDisruptionBudget", "PodMonitor", "PrometheusRule"),
        *("RayService", "ResourceClaimTemplate", "Secret", "Service", "ServiceAccount"),
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
        ("monitored", "PrometheusRule", ["spec", "groups", 0, "rules", 0, "expression"], "up"),
        ("cached", "PersistentVolumeClaim", ["spec", "accessModes"], "ReadWriteMany"),
        ("cached", "RayService", ["spec", "serveConfigV2"], {}),
        ("devices claimed", "ResourceClaimTemplate", ["spec", "spec", "device"], {}),
        ("cached", "RayService", ["spec", "rayClusterConfig", "rayVersions"], "2"),
        ("cached", "Job", ["spec", "template", "spec", "restartPolicies"], "Never"),
        ("looked at before", "Role", ["rules", 0, "verb"], ["list"]),
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
