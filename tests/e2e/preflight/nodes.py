"""Nodes that are objects alone: no kubelet is behind them, but the scheduler does not know."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import kubernetes.client

from ..kube import Object, api, core, kubectl, wait

LABEL = "hybrid-llm/fake-node"
LEASES = "kube-node-lease"
RENEW_S = 10  # the node lifecycle controller gives up after 40 or 50


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@contextlib.contextmanager
def cordoned() -> Iterator[None]:
    """Keep new pods off the real nodes meanwhile."""
    names = [node.metadata.name for node in core().list_node(label_selector=f"!{LABEL}").items]
    kubectl("cordon", *names)
    try:
        yield
    finally:
        kubectl("uncordon", *names)


@contextlib.contextmanager
def fake(nodes: list[Object], pods: list[Object]) -> Iterator[None]:
    """Let nodes be there that are ready, with pods on them.

    Args:
        nodes: name, labels, taints, unschedulable, allocatable.
        pods: that are bound to a node by spec.nodeName; status.phase where they have ended.
    """
    names = [node["name"] for node in nodes]
    done = threading.Event()
    renewing = threading.Thread(target=_renew, args=(names, done), daemon=True)
    try:
        for node in nodes:
            _create(node)
        renewing.start()
        wait("the fake nodes are ready", lambda: all(map(_ready, names)), every=0.5)
        for pod in pods:
            space = pod["metadata"]["namespace"]
            core().create_namespaced_pod(space, {k: v for k, v in pod.items() if k != "status"})
            if phase := pod.get("status"):
                core().patch_namespaced_pod_status(
                    pod["metadata"]["name"], space, {"status": phase}
                )
        yield
    finally:
        done.set()
        for pod in core().list_pod_for_all_namespaces().items:
            if pod.spec.node_name in names:
                with contextlib.suppress(kubernetes.client.ApiException):
                    core().delete_namespaced_pod(
                        pod.metadata.name, pod.metadata.namespace, grace_period_seconds=0
                    )
        if renewing.ident:
            renewing.join()
        coordination = kubernetes.client.CoordinationV1Api(api())
        for name in names:
            with contextlib.suppress(kubernetes.client.ApiException):
                core().delete_node(name)
            with contextlib.suppress(kubernetes.client.ApiException):
                coordination.delete_namespaced_lease(name, LEASES)


def _create(node: Object) -> None:
    labels = {LABEL: "yes", "kubernetes.io/hostname": node["name"], **node.get("labels", {})}
    labels = {"kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", **labels}
    spec = {"taints": node.get("taints", []), "unschedulable": node.get("unschedulable", False)}
    core().create_node({"metadata": {"name": node["name"], "labels": labels}, "spec": spec})
    conditions = [
        {
            **{"type": "Ready", "status": "True", "reason": "Fake", "message": "no kubelet"},
            **{"lastHeartbeatTime": _now(), "lastTransitionTime": _now()},
        }
    ]
    allocatable = node["allocatable"]
    status = {"conditions": conditions, "allocatable": allocatable, "capacity": allocatable}
    core().patch_node_status(node["name"], {"status": status})
    spec = {"holderIdentity": node["name"], "leaseDurationSeconds": 40, "renewTime": _now()}
    kubernetes.client.CoordinationV1Api(api()).create_namespaced_lease(
        LEASES, {"metadata": {"name": node["name"]}, "spec": spec}
    )


def _renew(names: list[str], done: threading.Event) -> None:
    """Do the kubelet's part: without it the nodes would soon be not ready."""
    coordination = kubernetes.client.CoordinationV1Api(api())
    while not done.wait(RENEW_S):
        for name in names:
            with contextlib.suppress(kubernetes.client.ApiException):
                coordination.patch_namespaced_lease(name, LEASES, {"spec": {"renewTime": _now()}})


def _ready(name: str) -> bool:
    """Return whether the node lifecycle controller has taken its taint away."""
    spec = core().read_node(name).spec
    taints = [taint.key for taint in spec.taints or []]
    cordon = "node.kubernetes.io/unschedulable"
    system = [key for key in taints if key.startswith("node.kubernetes.io/") and key != cordon]
    # It also writes a taint for what is cordoned, a moment later.
    return not system and (not spec.unschedulable or cordon in taints)
