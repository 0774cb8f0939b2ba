"""The volumes of cache and weights: they are there, or can be made, for all pods."""

from collections.abc import Iterator

from .. import Object
from ..cluster import Cluster, Denied
from ..finding import Finding, error, ok
from ..release import Release

DEFAULT = "storageclass.kubernetes.io/is-default-class"
# Disks, which one node has at a time.
SINGLE = {
    *("ebs.csi.aws.com", "kubernetes.io/aws-ebs", "ebs.csi.eks.amazonaws.com"),
    *("pd.csi.storage.gke.io", "kubernetes.io/gce-pd", "disk.csi.azure.com"),
    *("rancher.io/local-path", "k8s.io/minikube-hostpath", "csi.vsphere.vmware.com"),
}
SHARED = (
    "a class of shared files (EFS, Filestore, Azure Files, NFS, CephFS): "
    "weights.cache.storageClassName"
)


def check(release: Release, cluster: Cluster) -> Iterator[Finding]:
    """Look at each claim that the pods mount."""
    claims = {name for _, spec in release.specs for name in mounted(spec)}
    for name in sorted(claims):
        most = sum(
            group.most
            for group in release.groups
            if (group.serves or group.of) and name in mounted(group.pod["spec"])
        )
        path = f"/api/v1/namespaces/{release.namespace}/persistentvolumeclaims/{name}"
        there, made = cluster.get(path), release.makes("PersistentVolumeClaim", name)
        if there is not None:
            yield from _existing(there, name, most)
        elif made is not None:
            yield from _to_make(cluster, made, most)
        else:
            yield error(
                f"there is no PersistentVolumeClaim {name}",
                "the pods that mount it stay Pending",
                f"kubectl get pvc -n {release.namespace}   # then "
                "weights.cache.existingClaim or weights.claim.name",
            )
    if not claims:
        yield ok("no volume claim is needed")


def mounted(spec: Object) -> set[str]:
    """Return the names of a pod's claims."""
    volumes = spec.get("volumes") or []
    return {
        v["persistentVolumeClaim"]["claimName"] for v in volumes if "persistentVolumeClaim" in v
    }


def _existing(claim: Object, name: str, most: int) -> Iterator[Finding]:
    phase = (claim.get("status") or {}).get("phase")
    modes = claim["spec"].get("accessModes") or []
    if claim["metadata"].get("deletionTimestamp"):
        yield error(
            f"the claim {name} is being deleted",
            "new pods can't mount it",
            f"kubectl describe pvc {name}",
        )
    elif phase == "Lost":
        yield error(
            f"the claim {name} has lost its volume",
            "pods can't mount it",
            f"kubectl describe pvc {name}",
        )
    elif most > 1 and not {"ReadWriteMany", "ReadOnlyMany"} & set(modes):
        yield error(
            f"the claim {name} is {', '.join(modes)}, and there may be {most} worker pods",
            "the second one waits for the volume for ever if it is on another node",
            f"{SHARED}, or one pod alone: autoscaling.maxReplicas=1 of one model on one host",
        )
    else:
        yield ok(f"the claim {name} is there ({phase}, {', '.join(modes)})")


def _to_make(cluster: Cluster, claim: Object, most: int) -> Iterator[Finding]:
    spec = claim["spec"]
    named = spec.get("storageClassName")
    classes = cluster.list("/apis/storage.k8s.io/v1/storageclasses")
    if named:
        found = next((c for c in classes if c["metadata"]["name"] == named), None)
    else:
        found = next((c for c in classes if _is_default(c)), None)
    have = ", ".join(c["metadata"]["name"] for c in classes) or "none"
    if found is None and named and _waiting_volume(cluster, named, spec):
        yield ok(f"a volume of the class {named} waits for the claim")
        return
    if found is None:
        what = (
            f"there is no StorageClass {named}"
            if named
            else "the cluster has no default StorageClass"
        )
        yield error(
            f"{what}; there are: {have}",
            "no volume is made for the cache, and the workers stay Pending",
            f"{SHARED}, or weights.cache.enabled=false",
        )
        return
    name, provisioner = found["metadata"]["name"], found["provisioner"]
    modes = spec["accessModes"]
    if "ReadWriteMany" in modes and provisioner in SINGLE:
        yield error(
            f"the StorageClass {name} ({provisioner}) makes disks, which are not ReadWriteMany",
            "the claim stays Pending, and the workers with it",
            f"{SHARED}, or with one replica weights.cache.accessMode=ReadWriteOnce",
        )
    elif most > 1 and "ReadWriteMany" not in modes:
        yield error(
            f"the cache is {', '.join(modes)}, and there may be {most} worker pods",
            "the second one waits for the volume for ever if it is on another node",
            f"weights.cache.accessMode=ReadWriteMany with {SHARED}",
        )
    elif provisioner == "kubernetes.io/no-provisioner" and not _waiting_volume(cluster, name, spec):
        yield error(
            f"the StorageClass {name} makes no volumes, and none waits for the claim",
            "the claim stays Pending, and the workers with it",
            f"a PersistentVolume of the class {name}, or another class",
        )
    else:
        yield ok(f"the StorageClass {name} ({provisioner}) can make the cache's volume")


def _is_default(storage: Object) -> bool:
    return (storage["metadata"].get("annotations") or {}).get(DEFAULT) == "true"


def _waiting_volume(cluster: Cluster, name: str, spec: Object) -> bool:
    try:
        volumes = cluster.list("/api/v1/persistentvolumes")
    except Denied:
        return False
    return any(
        v["spec"].get("storageClassName") == name
        and (v.get("status") or {}).get("phase") == "Available"
        and set(spec["accessModes"]) <= set(v["spec"].get("accessModes") or [])
        for v in volumes
    )
