"""What preflight says of a real cluster where one thing is missing, and where nothing is."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import kubernetes.client
import pytest
import yaml

from ..kube import ROOT, Namespace, Object, api, kubectl
from .nodes import fake
from .said import preflight

NANO = ["-f", str(ROOT / "k8s" / "nano.yaml")]
GPU_NODE: Object = {
    "name": "fake-gpu-0",
    "labels": {"nvidia.com/gpu.product": "NVIDIA-L40S"},
    "allocatable": {"nvidia.com/gpu": "4", "cpu": "48", "memory": "256Gi", "pods": "110"}
    | {"ephemeral-storage": "200Gi"},
}


@dataclass(frozen=True)
class Missing:
    """Something that is missing or in the way.

    Attributes:
        title: of the case.
        check: that finds it.
        says: part of what it says.
        there: objects in the namespace.
        sets: of the chart.
        severity: of the finding.
    """

    title: str
    check: str
    says: str
    there: list[Object] = field(default_factory=list)
    sets: tuple[str, ...] = ()
    severity: str = "error"


def made(version: str, kind: str, name: str, **more: object) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **more}


PRIORITY = ("head.priorityClassName=none",)
LARGE = ("worker.resources.requests.cpu=64",)
FROM_HUB = (
    *("model.preset=qwen3-0.6b", "model.source=", "model.maxModelLen=4096"),
    "weights.from=hub",
)
ON_L4 = ("accelerator.preset=l4", *FROM_HUB)
ALL = [
    Missing("no API keys", "references", "there is no API key", sets=("auth.existingSecret=none",)),
    Missing(
        "a quota that is too small",
        "quota",
        "1 of pods left, and 2 are needed",
        [made("v1", "ResourceQuota", "small", spec={"hard": {"pods": "1"}})],
    ),
    Missing(
        "a default limit below the requests",
        "quota",
        "the limit that it gets by default is 100m",
        [
            made(
                "v1",
                "LimitRange",
                "small",
                spec={"limits": [{"type": "Container", "default": {"cpu": "100m"}}]},
            )
        ],
    ),
    Missing(
        "a pod that the restricted profile forbids",
        "namespace",
        "enforces restricted",
        sets=("containerSecurityContext.allowPrivilegeEscalation=true",),
    ),
    Missing(
        "the same, as the API server says it",
        "admission",
        "violates PodSecurity",
        sets=("containerSecurityContext.allowPrivilegeEscalation=true",),
    ),
    Missing("no priority class", "references", "PriorityClass none", sets=PRIORITY),
    Missing("the same, as the API server says it", "admission", "PriorityClass", sets=PRIORITY),
    Missing(
        "no storage class",
        "storage",
        "no default StorageClass",
        sets=("weights.cache.enabled=true", *FROM_HUB),
    ),
    Missing(
        "no Ingress class",
        "entry",
        "no IngressClass is the default",
        sets=(
            *("ingress.enabled=true", "ingress.host=llm.example.com"),
            "networkPolicy.clientNamespaces={ingress}",
        ),
    ),
    Missing(
        "no Prometheus operator",
        "kinds",
        "PodMonitor",
        sets=("podMonitor.enabled=true", "networkPolicy.metricsNamespaces={monitoring}"),
    ),
    Missing(
        "a policy of others",
        "network",
        "deny closes the pods",
        [made("networking.k8s.io/v1", "NetworkPolicy", "deny", spec={"podSelector": {}})],
        ("networkPolicy.enabled=false",),
    ),
    Missing(
        "a ConfigMap of somebody else",
        "names",
        "configmap hybrid-llm-app that is not this release's",
        [made("v1", "ConfigMap", "hybrid-llm-app")],
    ),
    Missing("no accelerators", "nodes", "no label nvidia.com/gpu.product", sets=ON_L4),
    Missing("a node that is too small", "nodes", "cpu in all, 64 needed", sets=LARGE),
]


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    namespace = Namespace("preflight-missing")
    namespace.create()
    yield namespace
    namespace.delete()


def test_nothing(namespace: Namespace) -> None:
    code, found = preflight(*NANO, "-n", namespace.name)
    assert not [one["what"] for one in found if one["severity"] == "error"]
    assert code == 0


@pytest.mark.parametrize("missing", ALL, ids=lambda one: f"{one.check}-{one.title}")
def test_a_case(namespace: Namespace, missing: Missing) -> None:
    if missing.there:
        namespace.apply(yaml.safe_dump_all(missing.there))
    sets = [argument for one in missing.sets for argument in ("--set", one)]
    code, found = preflight(*NANO, *sets, "-n", namespace.name)
    said = [one for one in found if one["check"] == missing.check and missing.says in one["what"]]
    assert said, "\n".join(f"{one['check']}: {one['what']}" for one in found)
    assert {one["severity"] for one in said} == {missing.severity}
    assert all(one["why"] and one["mend"] for one in said)
    assert code == 1


def test_nodes_with_accelerators_and_taints(namespace: Namespace) -> None:
    """The chart's defaults, which want 4 x L40S, on nodes that say they have them."""

    def said() -> list[str]:
        _, found = preflight("-n", namespace.name)
        return [one["what"] for one in found if one["check"] == "nodes"]

    # Where the head goes, there is no room left for a second worker: 48 CPUs hold one.
    with fake([GPU_NODE], []):
        assert "of my-qwen-3-32b 1 of at most 2 replicas fit now" in said()
    tainted = {**GPU_NODE, "taints": [{"key": "team", "value": "x", "effect": "NoSchedule"}]}
    with fake([tainted], []):
        assert any("taint team=x:NoSchedule is not tolerated" in one for one in said())
    with fake([{**GPU_NODE, "unschedulable": True}], []):
        assert any("cordoned" in one for one in said())
    other = {"metadata": {"name": "train", "namespace": namespace.name}}
    container: Object = {"name": "it", "image": "none"}
    container["securityContext"] = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    container["resources"] = {"limits": {"nvidia.com/gpu": "2"}}
    context = {"runAsNonRoot": True, "runAsUser": 1, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"nodeName": "fake-gpu-0", "containers": [container], "securityContext": context}
    with fake([GPU_NODE], [{**other, "spec": spec}]):
        _, found = preflight("-n", namespace.name)
        (why,) = [one["why"] for one in found if "2 of 4 nvidia.com/gpu free" in one["what"]]
        assert "In the way: on fake-gpu-0 preflight-missing/train (2 nvidia.com/gpu)" in why


def test_somebody_who_may_read_little(namespace: Namespace, tmp_path: object) -> None:
    """What an account may not read is named, and is no crash."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "little"}}
    namespace.apply(yaml.safe_dump(account))
    namespace.kubectl(
        "create",
        "rolebinding",
        "little",
        "--clusterrole=view",
        f"--serviceaccount={namespace.name}:little",
    )
    token = namespace.kubectl("create", "token", "little").strip()
    config = yaml.safe_load(kubectl("config", "view", "--raw", "--minify"))
    config["users"][0]["user"] = {"token": token}
    path = f"{tmp_path}/kubeconfig"
    with open(path, "w") as file:
        yaml.safe_dump(config, file)
    code, found = preflight(*NANO, "--kubeconfig", path, "-n", namespace.name)
    unchecked = [one["what"] for one in found if one["data"].get("checked") is False]
    assert any("/api/v1/nodes" in one for one in unchecked)
    assert any("may not make" in one for one in unchecked)
    assert any(one["check"] == "quota" and one["severity"] == "ok" for one in found)
    assert token not in str(found)
    assert code == 0


def test_the_namespace_is_not_there() -> None:
    kubernetes.client.VersionApi(api()).get_code()
    code, found = preflight(*NANO, "-n", "preflight-none")
    assert any("no namespace preflight-none" in one["what"] for one in found)
    assert code == 0
