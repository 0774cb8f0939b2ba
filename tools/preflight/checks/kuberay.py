"""KubeRay: its kind RayService is there, and its operator, of a version that this chart knows."""

import re
from collections.abc import Iterator

from .. import Object
from ..cluster import Cluster, Denied
from ..finding import Finding, error, ok, warning
from ..release import Release

INSTALL = (
    "helm repo add kuberay https://ray-project.github.io/kuberay-helm/\n"
    "helm upgrade --install kuberay-operator kuberay/kuberay-operator --version {version} "
    "--namespace kuberay-system --create-namespace"
)
CHECKED = (1, 6, 2)
LABELS = ("app.kubernetes.io/name=kuberay-operator", "app.kubernetes.io/component=kuberay-operator")


def check(release: Release, cluster: Cluster) -> Iterator[Finding]:
    """Look at the kind and at the operator's pods."""
    mend = INSTALL.format(version=_first(release.kuberay))
    if not cluster.serves("ray.io/v1", "RayService"):
        yield error("KubeRay is not in the cluster", "nothing makes pods of a RayService", mend)
        return
    yield ok("the kind RayService (ray.io/v1) is there")
    try:
        pods = _operators(cluster)
    except Denied:
        yield warning(
            "not checked: this account may not list pods, so the operator's version is not known",
            f"this chart knows KubeRay {release.kuberay}",
            "kubectl get pods -A -l app.kubernetes.io/name=kuberay-operator -o wide",
            checked=False,
        )
        return
    if not pods:
        yield warning(
            "no pod of KubeRay's operator is seen",
            "without it nothing happens; a cloud may run it where no pod is seen (GKE's Ray "
            "add-on)",
            mend,
        )
        return
    if not any(_ready(pod) for pod in pods):
        name = f"{pods[0]['metadata']['namespace']} {pods[0]['metadata']['name']}"
        yield error(
            "KubeRay's operator is not ready",
            "until it is, no pod is made",
            f"kubectl describe pod -n {name}; kubectl logs -n {name}",
        )
        return
    image = pods[0]["spec"]["containers"][0]["image"]
    version = _version(pods[0])
    if version is None:
        yield warning(
            f"KubeRay's operator runs, of a version that its image does not tell: {image}",
            f"this chart knows {release.kuberay}",
        )
    elif release.kuberay and not within(version, release.kuberay):
        yield error(
            f"KubeRay's operator is {'.'.join(map(str, version))}",
            f"this chart knows {release.kuberay}: others lack fields that it uses, or nobody "
            "has tried them",
            mend,
        )
    else:
        yield ok(f"KubeRay's operator {'.'.join(map(str, version))} runs")


def within(version: tuple[int, ...], known: str) -> bool:
    """Return whether a version is in a range such as ">=1.6 <1.8"."""
    for part in known.split():
        match = re.fullmatch(r"(>=|<=|<|>|=)?v?([\d.]+)(-\d+)?", part)
        if not match:
            continue
        sign, bound = match[1] or "=", tuple(map(int, match[2].split(".")))
        held = {
            ">=": version >= bound,
            "<=": version <= bound,
            "<": version < bound,
            ">": version > bound,
            "=": version == bound,
        }
        if not held[sign]:
            return False
    return True


def _first(known: str) -> str:
    found = re.search(r"\d+\.\d+\.\d+", known)
    return found[0] if found else ".".join(map(str, CHECKED))


def _operators(cluster: Cluster) -> list[Object]:
    found = {}
    for label in LABELS:
        for pod in cluster.list("/api/v1/pods", labelSelector=label):
            found[pod["metadata"]["namespace"], pod["metadata"]["name"]] = pod
    return list(found.values())


def _ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _version(pod: Object) -> tuple[int, ...] | None:
    labels = pod["metadata"].get("labels") or {}
    image = pod["spec"]["containers"][0]["image"].split("@")[0]
    for text in (
        image,
        labels.get("helm.sh/chart", ""),
        labels.get("app.kubernetes.io/version", ""),
    ):
        if found := re.search(r"[:-]v?(\d+)\.(\d+)\.(\d+)", f"-{text}"):
            return tuple(map(int, found.groups()))
    return None
