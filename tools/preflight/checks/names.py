"""No object of the release's names is there already, of somebody else."""

from collections.abc import Iterator

from .. import Object
from ..cluster import Cluster
from ..finding import Finding, error, ok, warning
from ..release import Release, hooks
from ..staying import stays


def check(release: Release, cluster: Cluster) -> Iterator[Finding]:
    """Look for each object, and for the Services that KubeRay makes."""
    taken = 0
    for made in release.objects:
        if hooks(made) or not (there := _there(made["apiVersion"], made, release, cluster)):
            continue
        if _ours(there, release):
            continue
        taken += 1
        owner = (there["metadata"].get("annotations") or {}).get("meta.helm.sh/release-name")
        name = f"{made['kind'].lower()} {made['metadata']['name']}"
        yield error(
            f"there is a {name} that is not this release's"
            + (f" (release {owner})" if owner else ""),
            "helm install refuses to take it over",
            f"--name or --set fullnameOverride=...   # another name for this release, or\n"
            f"kubectl delete -n {release.namespace} {name}",
        )
    for suffix in ("serve-svc", "head-svc"):
        made = {"kind": "Service", "metadata": {"name": f"{release.name}-{suffix}"}}
        there = _there("v1", made, release, cluster)
        owners = ((there or {}).get("metadata") or {}).get("ownerReferences") or []
        if there and not any(owner["kind"] in ("RayService", "RayCluster") for owner in owners):
            taken += 1
            yield error(
                f"there is a Service {release.name}-{suffix} that KubeRay has not made",
                "KubeRay makes one of that name, by which clients ask",
                f"kubectl delete -n {release.namespace} service {release.name}-{suffix}",
            )
    if not taken and stays(release, cluster):
        yield ok("the release is here already, and these values change none of its pods")
    elif _there("ray.io/v1", release.rayservice, release, cluster) and not taken:
        yield warning(
            "the release is here already",
            "a change of its pods starts a second cluster beside it, and all below is about "
            "that one",
            f"make status RELEASE={release.name} NAMESPACE={release.namespace}",
        )
    elif not taken:
        yield ok("the names of its objects are free")


def _there(version: str, made: Object, release: Release, cluster: Cluster) -> Object | None:
    if not (plural := cluster.serves(version, made["kind"])):
        return None
    root = "/api" if "/" not in version else "/apis"
    where = f"{root}/{version}/namespaces/{release.namespace}/{plural}"
    if made["kind"] == "Secret":
        cluster.entries(release.namespace, made["metadata"]["name"])  # what is in it is forgotten
    return cluster.get(f"{where}/{made['metadata']['name']}")


def _ours(there: Object, release: Release) -> bool:
    metadata = there["metadata"]
    labels, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
    owner = notes.get("meta.helm.sh/release-name")
    if owner is not None:
        return bool(owner == release.instance)
    # By `kubectl apply` of k8s/rayservice.yaml, or what an uninstalled release has kept.
    return bool(labels.get("app.kubernetes.io/instance") == release.instance)
