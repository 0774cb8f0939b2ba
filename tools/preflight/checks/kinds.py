"""Every kind that the release has, the cluster knows: PodMonitor, HTTPRoute and the like."""

from collections.abc import Iterator

from ..cluster import Cluster
from ..finding import Finding, error, ok
from ..release import Release

MENDS = {
    "monitoring.coreos.com": "install the Prometheus operator, or --set podMonitor.enabled=false",
    "gateway.networking.k8s.io": (
        "install the Gateway API (https://gateway-api.sigs.k8s.io) and what makes Gateways, "
        "or --set httpRoute.enabled=false"
    ),
}


def check(release: Release, cluster: Cluster) -> Iterator[Finding]:
    """Ask the API for each kind, but KubeRay's, which has a check of its own."""
    kinds = sorted(
        {(o["apiVersion"], o["kind"]) for o in release.objects if o["kind"] != "RayService"}
    )
    missing = [(version, kind) for version, kind in kinds if not cluster.serves(version, kind)]
    for version, kind in missing:
        group = version.split("/")[0]
        yield error(
            f"the cluster does not know the kind {kind} ({version})",
            "helm install fails at it, after other objects may be there",
            MENDS.get(group, f"install what brings {kind}, or turn off the value that asks for it"),
        )
    if not missing:
        yield ok(f"the cluster knows all {len(kinds)} other kinds of the release")
