"""A node is drained: its worker is evicted. The disruption budget lets the second one go only when
there are two again."""

import json

from ..cases import Case
from ..kube import kubectl
from ..release import Release


def evict(release: Release, pod: str) -> str:
    """Ask for an eviction, as `kubectl drain` does; return what the API server says."""
    where = {"name": pod, "namespace": release.namespace.name}
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": where}
    path = f"/api/v1/namespaces/{where['namespace']}/pods/{pod}/eviction"
    return kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body), check=False)


def act(release: Release) -> None:
    first, second = (pod["metadata"]["name"] for pod in release.pods("worker"))
    assert '"status":"Success"' in evict(release, first)
    assert "disruption budget" in evict(release, second)


CASE = Case("worker drained by eviction", act, replicas=2, modes=("direct", "ingress"))
