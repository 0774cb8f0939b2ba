"""NetworkPolicies of others: they neither close the pods nor open them wider."""

from collections.abc import Iterator

from .. import Object
from ..cluster import Cluster, Denied
from ..finding import Finding, error, ok, warning
from ..release import Release
from ..scheduling.selectors import selects

ELSEWHERE = (
    ("/apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies", "AdminNetworkPolicy"),
    ("/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies", "ClusterNetworkPolicy"),
    ("/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies", "CiliumClusterwideNetworkPolicy"),
    ("/apis/crd.projectcalico.org/v1/globalnetworkpolicies", "Calico's GlobalNetworkPolicy"),
)


def check(release: Release, cluster: Cluster) -> Iterator[Finding]:
    """Look for policies that select the release's pods."""
    space = release.namespace
    own = {policy["metadata"]["name"] for policy in release.of("NetworkPolicy")}
    listed = cluster.list(f"/apis/networking.k8s.io/v1/namespaces/{space}/networkpolicies")
    others = [policy for policy in listed if policy["metadata"]["name"] not in own]
    met = False
    for policy in others:
        name = policy["metadata"]["name"]
        groups = [g.name for g in release.groups if _selects(policy, g.pod)]
        if not groups:
            continue
        met = True
        if own:
            yield warning(
                f"the NetworkPolicy {name} is for the pods of {', '.join(groups)} too",
                "policies add up: what it allows is open beside what the release's own allow"
                if _allows(policy)
                else "it allows nothing, so with the release's own it changes nothing",
                f"kubectl describe networkpolicy -n {space} {name}",
            )
        elif not _allows(policy):
            yield error(
                f"the NetworkPolicy {name} closes the pods of {', '.join(groups)}, and the "
                "release has none of its own",
                "Ray's processes don't reach each other, and no client reaches them",
                "--set networkPolicy.enabled=true",
            )
        else:
            yield warning(
                f"the NetworkPolicy {name} closes the pods of {', '.join(groups)} but for "
                "what it allows",
                "Ray's processes need each other at all ports, clients port 8000, the "
                "operator 8000 and 8265",
                "--set networkPolicy.enabled=true, or kubectl describe networkpolicy -n "
                f"{space} {name}",
            )
    for path, kind in ELSEWHERE:
        try:
            found = cluster.list(path)
        except Denied:
            continue
        if found:
            met = True
            names = ", ".join(policy["metadata"]["name"] for policy in found[:3])
            yield warning(
                f"not reckoned with: {kind} {names}",
                "it may close what the release's own policies open",
                checked=False,
            )
    if not met:
        yield ok("no NetworkPolicy of others is for these pods")


def _selects(policy: Object, pod: Object) -> bool:
    return selects(policy["spec"].get("podSelector") or {}, pod["metadata"].get("labels") or {})


def _allows(policy: Object) -> bool:
    return bool(policy["spec"].get("ingress") or policy["spec"].get("egress"))
