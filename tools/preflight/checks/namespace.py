"""The namespace: it is there, and lets such pods in."""

from collections.abc import Iterator

from .. import Object
from ..cluster import Cluster
from ..finding import Finding, error, ok, warning
from ..release import Release

ENFORCE = "pod-security.kubernetes.io/enforce"
VOLUMES = {
    *("name", "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image"),
    *("persistentVolumeClaim", "projected", "secret"),
}


def check(release: Release, cluster: Cluster) -> Iterator[Finding]:
    """Look at the namespace and its Pod Security level."""
    name = release.namespace
    namespace = cluster.get(f"/api/v1/namespaces/{name}")
    if namespace is None:
        yield warning(
            f"there is no namespace {name}",
            "without it, or --create-namespace, helm install fails; your Secrets need it too",
            f"kubectl create namespace {name}",
        )
        return
    if (namespace.get("status") or {}).get("phase") == "Terminating":
        yield error(
            f"the namespace {name} is being deleted",
            "nothing can be made in it",
            f"kubectl get namespace {name} -o yaml   # status says what it waits for",
        )
        return
    level = (namespace["metadata"].get("labels") or {}).get(ENFORCE)
    if level not in ("restricted", "baseline"):
        yield ok(
            f"the namespace {name} is there; it enforces no Pod Security level below privileged"
        )
        return
    problems = sorted({p for _, spec in release.specs for p in forbidden(spec, level)})
    if problems:
        yield error(
            f"the namespace {name} enforces {level}, and the pods have {', '.join(problems)}",
            "the API server refuses such pods",
            "leave podSecurityContext, containerSecurityContext and worker.volumes as the "
            "chart has them, or\n"
            f"kubectl label namespace {name} {ENFORCE}=privileged --overwrite",
        )
    else:
        yield ok(f"the namespace {name} is there and enforces {level}, which the pods pass")
    if (
        namespace["metadata"]
        .get("annotations", {})
        .get("scheduler.alpha.kubernetes.io/node-selector")
    ):
        yield warning(
            "the namespace has a node selector of its own",
            "the API server adds it to every pod; it is not reckoned with here",
            f"kubectl get namespace {name} -o yaml",
        )


def forbidden(spec: Object, level: str) -> list[str]:
    """Return what of a pod a level does not allow, as far as the chart's values can change it."""
    problems = [field for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    for volume in spec.get("volumes") or []:
        kinds = set(volume) - VOLUMES
        if kinds & {"hostPath"} or (level == "restricted" and kinds):
            problems.append(f"a volume of {', '.join(sorted(kinds))}")
    whole = spec.get("securityContext") or {}
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        own = container.get("securityContext") or {}
        capabilities = own.get("capabilities") or {}
        if own.get("privileged"):
            problems.append("privileged containers")
        if any("hostPort" in port for port in container.get("ports") or []):
            problems.append("host ports")
        if level != "restricted":
            continue
        if not own.get("runAsNonRoot", whole.get("runAsNonRoot")):
            problems.append("no runAsNonRoot")
        if own.get("runAsUser", whole.get("runAsUser")) == 0:
            problems.append("runAsUser 0")
        if own.get("allowPrivilegeEscalation") is not False:
            problems.append("allowPrivilegeEscalation")
        if "ALL" not in (capabilities.get("drop") or []):
            problems.append("capabilities that are not dropped")
        profile = own.get("seccompProfile") or whole.get("seccompProfile") or {}
        if profile.get("type") not in ("RuntimeDefault", "Localhost"):
            problems.append("no seccompProfile")
    return problems
