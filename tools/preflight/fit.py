"""A release's pods on a cluster's nodes, now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from . import Object
from .admission import admitted
from .cluster import Cluster, Denied
from .pods import Group
from .release import Release
from .scheduling.nodes import Node, with_pods
from .scheduling.packing import Kind, Outcomes, Packing

MORE = 100  # replicas beyond the first ones are looked at up to here


@dataclass(frozen=True)
class Fit:
    """What finds a node.

    Args:
        nodes: of the cluster, with what runs there.
        kinds: the release's pods, as the API server would admit them.
        least: what becomes of the pods that there are from the beginning.
        most: what becomes of all that there may be.
        waiting: pods of others that have no node yet.
    """

    nodes: Sequence[Node]
    groups: Sequence[Group]
    kinds: Sequence[Kind]
    least: Outcomes
    most: Outcomes
    waiting: Sequence[Object] = ()

    @property
    def certain(self) -> bool:
        """Whether the first pods find nodes, whatever the scheduler prefers."""
        return self.least.whole and all(
            self.least.fewest(n) >= group.least for n, group in enumerate(self.groups)
        )

    @property
    def possible(self) -> bool:
        """Whether there is a way to place the first pods."""
        first = [group.least for group in self.groups]
        return any(list(counts) == first for counts in self.least.placed) or not self.least.whole

    def hosts(self, n: int) -> list[int]:
        """Return the groups of further hosts that the replicas of a group have."""
        return [m for m, other in enumerate(self.groups) if other.of == self.groups[n].name]

    def replicas(self, n: int) -> tuple[int, int]:
        """Return how many replicas find nodes for all of their hosts, at least and at best."""
        whole = [
            min([counts[n], *(counts[m] // self.groups[m].each for m in self.hosts(n))])
            for counts in self.most.placed
        ]
        return min(whole), max(whole)


def nodes_of(release: Release, cluster: Cluster) -> list[Node]:
    """Return the cluster's nodes with what runs there, but for the pod that looks."""
    pods = [pod for pod in cluster.list("/api/v1/pods") if not release.looks(pod)]
    return with_pods(cluster.list("/api/v1/nodes"), pods)


def waiting(pods: Sequence[Object]) -> list[Object]:
    """Return the pods that have no node, and wait for no gate."""
    return [
        pod
        for pod in pods
        if not pod["spec"].get("nodeName")
        and not pod["spec"].get("schedulingGates")
        and (pod.get("status") or {}).get("phase", "Pending") == "Pending"
    ]


def kinds_of(release: Release, cluster: Cluster, groups: Sequence[Group]) -> list[Kind]:
    """Return the pods as the API server would admit them."""
    ranges = readable(cluster, f"/api/v1/namespaces/{release.namespace}/limitranges")
    listed = readable(cluster, "/apis/scheduling.k8s.io/v1/priorityclasses")
    priorities = {one["metadata"]["name"]: one for one in listed}
    found = []
    for group in groups:
        name = group.pod["spec"].get("runtimeClassName")
        runtime = None
        if name:
            listed = readable(cluster, "/apis/node.k8s.io/v1/runtimeclasses")
            runtime = next((one for one in listed if one["metadata"]["name"] == name), None)
        pod = admitted(group.pod, ranges, runtime, priorities)
        found.append(Kind(group.name, pod, volumes(group.pod, cluster, release.namespace)))
    return found


def readable(cluster: Cluster, path: str) -> list[Object]:
    """Return a list that refines the answer, if this account may read it."""
    try:
        return cluster.list(path)
    except Denied:
        return []


def volumes(pod: Object, cluster: Cluster, namespace: str) -> list[list[Object]]:
    """Return where a pod's volumes are, of those that are tied to nodes."""
    found = []
    for volume in pod["spec"].get("volumes") or []:
        if not (claim := volume.get("persistentVolumeClaim")):
            continue
        try:
            path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{claim['claimName']}"
            bound = ((cluster.get(path) or {}).get("spec") or {}).get("volumeName")
            tied = cluster.get(f"/api/v1/persistentvolumes/{bound}") if bound else None
        except Denied:
            continue
        required = (((tied or {}).get("spec") or {}).get("nodeAffinity") or {}).get("required")
        if required:
            found.append(list(required["nodeSelectorTerms"]))
    return found


def fit(release: Release, cluster: Cluster) -> Fit:
    """Work it out.

    Raises:
        Denied: nodes or pods can't be read.
    """
    groups = release.groups
    kinds = kinds_of(release, cluster, groups)
    nodes = nodes_of(release, cluster)
    spaces = {
        one["metadata"]["name"]: one["metadata"].get("labels") or {}
        for one in readable(cluster, "/api/v1/namespaces")
    }
    packing = Packing(nodes, kinds, release.namespace, spaces)
    first = [(n, group.least) for n, group in enumerate(groups)]
    least, most = packing.outcomes(first), packing.outcomes([*first, *_more(groups)])
    return Fit(nodes, groups, kinds, least, most, waiting(cluster.list("/api/v1/pods")))


def _more(groups: Sequence[Group]) -> Iterator[tuple[int, int]]:
    """Yield the pods beyond the first ones: replica by replica, each with all of its hosts."""
    for n, group in enumerate(groups):
        if not group.of:
            hosts = [(m, other.each) for m, other in enumerate(groups) if other.of == group.name]
            for _ in range(min(group.most - group.least, MORE)):
                yield n, 1
                yield from hosts


def figures(found: Fit) -> dict[str, Any]:
    """Return what programs want to know."""
    word = "yes" if found.certain else "depends" if found.possible else "no"
    pods = {
        group.name: {
            "least": group.least,
            "most": group.most,
            "fit": [found.most.fewest(n), found.most.most(n)],
            "first": [found.least.fewest(n), found.least.most(n)],
        }
        for n, group in enumerate(found.groups)
    }
    return {"schedules": word, "exact": found.most.whole, "pods": pods}
