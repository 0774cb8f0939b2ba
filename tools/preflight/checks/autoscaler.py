"""Autoscalers of nodes: Karpenter's NodePools, and the cluster autoscaler's own status."""

import re
from collections.abc import Iterator

from .. import Object
from ..cluster import Cluster, Denied
from ..finding import Finding, ok, warning
from ..quantity import amount
from ..release import Release
from ..requests import requests
from ..scheduling.selectors import wanted_of_nodes
from ..scheduling.taints import tolerates

# As the autoscaler writes it since 1.30, in YAML, and before, in words.
UNHEALTHY = re.compile(r"cluster-?wide:\s+health:\s+(status:\s+)?unhealthy", re.IGNORECASE)
# Labels that Karpenter's clouds put on nodes whether the NodePool names them or not.
WELL_KNOWN = (
    *("karpenter.k8s.aws/", "karpenter.azure.com/", "eks.amazonaws.com/", "karpenter.sh/"),
    *("node.kubernetes.io/", "topology.kubernetes.io/", "kubernetes.io/"),
)


def check(release: Release, cluster: Cluster) -> Iterator[Finding]:
    """Say of each group of pods whether nodes could come for it."""
    pools = cluster.list("/apis/karpenter.sh/v1/nodepools")
    status = _status(cluster)
    if not pools and status is None:
        yield ok("no autoscaler of nodes is seen: the nodes that are there must do")
        return
    if status is not None:
        if UNHEALTHY.search(status):
            yield warning(
                "the cluster autoscaler says that it is unhealthy",
                "it brings no node until it is well",
                "kubectl get configmap -n kube-system cluster-autoscaler-status -o yaml",
            )
        else:
            yield ok("a cluster autoscaler is there; which nodes it may bring only its cloud knows")
    for group in release.groups if pools else ():
        fitting = [p["metadata"]["name"] for p in pools if not why_not(p, group.pod)]
        if fitting:
            yield ok(f"Karpenter may bring nodes for {group.name}: NodePool {', '.join(fitting)}")
        else:
            reasons = {f"{p['metadata']['name']}: {why_not(p, group.pod)}" for p in pools}
            yield warning(
                f"no NodePool of Karpenter brings nodes for {group.name}: "
                f"{'; '.join(sorted(reasons))}",
                "it must do with the nodes that are there",
                "a NodePool with these labels and taints, or other values of "
                "accelerator.nodeSelector, "
                "head.nodeSelector",
            )


def bringers(cluster: Cluster, pod: Object) -> str:
    """Return what could bring a node for a pod, in words; empty: nothing that is seen."""
    try:
        pools = cluster.list("/apis/karpenter.sh/v1/nodepools")
    except Denied:
        pools = []
    named = [pool["metadata"]["name"] for pool in pools if not why_not(pool, pod)]
    if named:
        return f"Karpenter may bring one (NodePool {', '.join(named)})"
    try:
        return "the cluster autoscaler may bring one" if _status(cluster) is not None else ""
    except Denied:
        return ""


def why_not(pool: Object, pod: Object) -> str:
    """Return why a NodePool's nodes can't hold a pod; empty where they may."""
    template = pool["spec"]["template"]
    spec = template["spec"]
    labels = (template.get("metadata") or {}).get("labels") or {}
    allowed: dict[str, list[Object]] = {}
    for requirement in spec.get("requirements") or []:
        allowed.setdefault(requirement["key"], []).append(requirement)
    wanted = [
        ({"key": k, "operator": "In", "values": [v]})
        for k, v in (pod["spec"].get("nodeSelector") or {}).items()
    ]
    terms = wanted_of_nodes(pod) or []
    if len(terms) == 1:
        wanted += terms[0].get("matchExpressions") or []
    for want in wanted:
        key, values = want["key"], want.get("values") or []
        if want["operator"] != "In":
            continue
        if key in labels:
            if labels[key] not in values:
                return f"{key} is {labels[key]}"
        elif key in allowed:
            for requirement in allowed[key]:
                has = requirement.get("values") or []
                operator = requirement["operator"]
                if operator == "In" and not set(has) & set(values):
                    return f"{key} is one of {', '.join(has)}"
                if operator == "NotIn" and set(values) <= set(has):
                    return f"{key} is not {', '.join(has)}"
                if operator == "DoesNotExist":
                    return f"no label {key}"
        elif not key.startswith(WELL_KNOWN):
            return f"no label {key}"
    tolerations = pod["spec"].get("tolerations") or []
    for taint in spec.get("taints") or []:
        if taint["effect"] != "PreferNoSchedule" and not tolerates(tolerations, taint):
            return f"taint {taint['key']} is not tolerated"
    limits = pool["spec"].get("limits") or {}
    used = (pool.get("status") or {}).get("resources") or {}
    for resource, value in requests(pod).items():
        if resource in limits:
            left = amount(resource, limits[resource]) - amount(resource, used.get(resource, 0))
            if left < value:
                return f"its limit of {resource} is reached"
    return ""


def _status(cluster: Cluster) -> str | None:
    found = cluster.get("/api/v1/namespaces/kube-system/configmaps/cluster-autoscaler-status")
    return None if found is None else str((found.get("data") or {}).get("status", ""))
