"""Nodes, with what runs there."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from .. import Object
from ..quantity import amount
from ..requests import requests


@dataclass(eq=False)
class Node:
    """A node, and the pods that hold its resources.

    Args:
        raw: as the API has it.
        pods: that are bound to it and have not ended.
    """

    raw: Object
    pods: list[Object] = field(default_factory=list)
    used: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        return str(self.raw["metadata"]["name"])

    @property
    def labels(self) -> dict[str, str]:
        return self.raw["metadata"].get("labels") or {}

    def allocatable(self, resource: str) -> int:
        """Return how much of a resource it has for pods; "pods" is how many."""
        given = (self.raw.get("status") or {}).get("allocatable") or {}
        return amount(resource, given.get(resource, 0))

    def free(self, resource: str) -> int:
        """Return how much of a resource nothing holds; below 0 where too much runs there."""
        return self.allocatable(resource) - self.used[resource]

    def add(self, pod: Object) -> None:
        """Let a pod run there."""
        self.pods.append(pod)
        self.used.update({**requests(pod), "pods": 1})


def with_pods(nodes: Iterable[Object], pods: Iterable[Object]) -> list[Node]:
    """Return nodes with the pods that hold room there: bound, or about to be, and not ended."""
    found = {node["metadata"]["name"]: Node(node) for node in nodes}
    for pod in pods:
        status = pod.get("status") or {}
        place = pod["spec"].get("nodeName") or status.get("nominatedNodeName") or ""
        if status.get("phase") not in ("Succeeded", "Failed") and (node := found.get(place)):
            node.add(pod)
    return list(found.values())
