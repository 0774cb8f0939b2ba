"""ResourceQuota: there is enough; LimitRange: the pods are as it wants them."""

from collections import Counter
from collections.abc import Iterator

from .. import Object
from ..admission import refused
from ..cluster import Cluster
from ..finding import Finding, error, ok, warning
from ..fit import kinds_of, readable
from ..quantity import amount, shown
from ..release import Release
from ..requests import limits, requests
from ..staying import stays


def check(release: Release, cluster: Cluster) -> Iterator[Finding]:
    """Reckon with the namespace's quotas and limit ranges."""
    if stays(release, cluster):
        yield ok("the release's pods stay as they are: they take no more of a quota")
        return
    space = f"/api/v1/namespaces/{release.namespace}"
    quotas = cluster.list(f"{space}/resourcequotas")
    ranges = cluster.list(f"{space}/limitranges")
    kinds = kinds_of(release, cluster, release.groups)
    found = False
    for kind in kinds:
        for reason in refused(kind.pod, ranges):
            found = True
            yield error(
                f"a LimitRange forbids the pods of {kind.name}: {reason}",
                "the API server refuses such pods",
                f"kubectl edit limitrange -n {release.namespace}, or set resources: "
                "head.resources, worker.resources",
            )
    first = [(k.pod, g.least) for k, g in zip(kinds, release.groups, strict=True)]
    every = [(k.pod, g.most) for k, g in zip(kinds, release.groups, strict=True)]
    # What looks counts until it has ended, and then makes room.
    ends = [(p, -1) for p in readable(cluster, "/api/v1/pods") if release.looks(p)]
    for quota in quotas:
        name = quota["metadata"]["name"]
        if quota["spec"].get("scopes") or quota["spec"].get("scopeSelector"):
            yield warning(
                f"not checked: the ResourceQuota {name} has scopes",
                "which of the pods it counts is not worked out here",
                f"kubectl describe resourcequota -n {release.namespace} {name}",
                checked=False,
            )
            continue
        for resource, short in _missing(quota, [*first, *ends]):
            found = True
            yield error(
                f"the ResourceQuota {name} has {short}",
                "the API server refuses pods beyond it",
                f"kubectl edit resourcequota -n {release.namespace} {name}   # {resource}",
            )
        if not found:
            for resource, short in _missing(quota, [*every, *ends]):
                yield warning(
                    f"for all replicas the ResourceQuota {name} has {short}",
                    "fewer replicas than autoscaling.maxReplicas come to be; an upgrade "
                    "needs as much again",
                    f"kubectl edit resourcequota -n {release.namespace} {name}   # {resource}",
                )
    if not found:
        there = "is enough" if quotas else "is not there"
        yield ok(f"the quota {there}, and no LimitRange is in the way")


def _missing(quota: Object, pods: list[tuple[Object, int]]) -> Iterator[tuple[str, str]]:
    """Yield what a quota lacks: the resource, and the figures in words."""
    hard = (quota.get("status") or {}).get("hard") or quota["spec"].get("hard") or {}
    used = (quota.get("status") or {}).get("used") or {}
    for resource, quantity in hard.items():
        left = amount(resource, quantity) - amount(resource, used.get(resource, 0))
        needed = Counter[str]()
        unset = False
        for pod, count in pods:
            asked, bounds = requests(pod), limits(pod)
            short = resource.removeprefix("requests.").removeprefix("limits.")
            if resource in ("pods", "count/pods"):
                needed[resource] += count
            elif resource.startswith("limits."):
                needed[resource] += count * bounds.get(short, 0)
                every = pod["spec"].get("containers") or []
                unset = (
                    unset or count > 0 and any(short not in c["resources"]["limits"] for c in every)
                )
            elif resource.startswith("requests.") or short in (
                "cpu",
                "memory",
                "ephemeral-storage",
            ):
                needed[resource] += count * asked.get(short, 0)
        if unset:
            yield (
                resource,
                f"a bound on {resource}, and a container has no limit of it, as it then must",
            )
        elif needed[resource] > left:
            has, need = shown(resource, max(left, 0)), shown(resource, needed[resource])
            yield resource, f"{has} of {resource} left, and {need} are needed"
