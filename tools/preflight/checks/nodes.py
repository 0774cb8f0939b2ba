"""Nodes: each pod finds one, now, beside what runs there."""

from collections import Counter
from collections.abc import Iterator, Sequence

from ..cluster import Cluster
from ..finding import Finding, error, ok, warning
from ..fit import Fit, figures, fit, kinds_of
from ..pods import Group
from ..quantity import shown
from ..release import Release
from ..requests import requests
from ..scheduling.nodes import Node
from ..scheduling.packing import Kind, Packing
from ..scheduling.standing import reason
from ..staying import stays
from .autoscaler import bringers

APART = (
    "keep the head off the nodes that the workers need: head.nodeSelector, head.affinity, or a "
    "taint there"
)


def check(release: Release, cluster: Cluster) -> Iterator[Finding]:
    """Place the pods, and where they can't be placed say why."""
    if stays(release, cluster):
        yield ok("the release's pods are here already and stay as they are: they need no more room")
        return
    found = fit(release, cluster)
    data = figures(found)
    yield from _not_modelled(found)
    for n, group in enumerate(found.groups):
        if found.least.most(n) < group.least:
            yield _without_a_node(release, cluster, found, n, data)
    if found.certain:
        total = sum(group.least for group in found.groups)
        yield ok(f"all {total} pods that there are at first find a node now", **data)
    elif found.possible:
        yield warning(
            "the pods find nodes or not, by where the scheduler puts the first of them",
            "one on the wrong node leaves no room for the next",
            APART,
            **data,
        )
    elif all(found.least.most(n) >= g.least for n, g in enumerate(found.groups)):
        yield error(
            "each pod finds a node, but not all of them together",
            "the last of them waits for ever",
            "more or larger nodes, or smaller requests (worker.resources, head.resources)",
            **data,
        )
    for n, group in enumerate(found.groups):
        parts = [n, *found.hosts(n)]
        first = all(found.least.most(m) >= found.groups[m].least for m in parts)
        if group.serves and first:
            yield _replicas(found, n, group, data)
    for group, kind in zip(release.before, kinds_of(release, cluster, release.before), strict=True):
        packing = Packing(found.nodes, [kind], release.namespace, {})
        if packing.outcomes([(0, group.least)]).fewest(0) < group.least:
            yield error(
                f"the hook's Job {group.name} finds no node: {_reasons(found.nodes, kind)}",
                "helm install waits for it",
                "kubectl describe nodes",
            )


def _replicas(found: Fit, n: int, group: Group, data: dict[str, object]) -> Finding:
    low, high = found.replicas(n)
    count = str(low) if low == high else f"{low} to {high}"
    what = f"of {group.name} {count} of at most {group.most} replicas fit now"
    if hosts := found.hosts(n):
        what += f", each of {1 + sum(found.groups[m].each for m in hosts)} pods"
    if low >= group.most:
        return ok(what, **data)
    why = "the autoscaler asks for more, and they wait for a node"
    if high == 0:
        why = "with autoscaling.minReplicas 0 it starts, and no request is ever answered"
    in_way = _in_the_way(found.nodes, found.kinds[n])
    return warning(what, why + in_way, "more nodes, or a smaller autoscaling.maxReplicas", **data)


def _without_a_node(
    release: Release, cluster: Cluster, found: Fit, n: int, data: dict[str, object]
) -> Finding:
    group, kind = found.groups[n], found.kinds[n]
    got = found.least.most(n)
    which = f"{group.least - got} of {group.least} pods" if group.least > 1 else "the pod"
    part = f", {_part(group)}," if group.of else ""
    what = f"{which} of {group.name}{part} finds no node: {_reasons(found.nodes, kind)}"
    if victims := _lower(found.nodes, kind):
        return warning(
            what,
            f"it has a higher priority, so the scheduler evicts others for it: {victims}",
            "kubectl get priorityclasses",
            **data,
        )
    why = "it stays Pending, and so does the release"
    if group.of:
        why = f"a replica is {1 + group.each} pods, and starts when all of them have a node"
    if by := bringers(cluster, kind.pod):
        return warning(what, f"{by}; until then it stays Pending", "", **data)
    return error(
        what, why + _in_the_way(found.nodes, kind), _mend(found.nodes, kind, group), **data
    )


def _part(group: Group) -> str:
    which = "the second host" if group.each == 1 else "the further hosts"
    return f"{which} of a replica of {group.of}"


def _reasons(nodes: Sequence[Node], kind: Kind) -> str:
    """Return the reasons of all nodes, as the scheduler puts them: how many, and why."""
    counted: Counter[str] = Counter()
    asked = requests(kind.pod)
    for node in nodes:
        why = reason(node, kind.pod, kind.volumes)
        if not why:
            short = [r for r, value in asked.items() if node.free(r) < value]
            amounts = [
                f"{shown(r, max(node.free(r), 0))} of {shown(r, asked[r])} {r} free" for r in short
            ]
            why = ", ".join(amounts)
            if not why and node.free("pods") < 1:
                why = "no more pods allowed"
        counted[why or "held by other pods of the release, or by affinity and spread rules"] += 1
    if not counted:
        return "there is no node"
    return "; ".join(f"{n} node{'s' * (n > 1)}: {why}" for why, n in counted.most_common(5))


def _in_the_way(nodes: Sequence[Node], kind: Kind) -> str:
    """Return which pods hold what is missing, on nodes that could hold the pod without them."""
    asked = requests(kind.pod)
    named: list[str] = []
    for node in nodes:
        if reason(node, kind.pod, kind.volumes):
            continue
        short = [r for r, value in asked.items() if node.free(r) < value]
        holders = []
        for pod in node.pods:
            holds = [f"{shown(r, requests(pod)[r])} {r}" for r in short if requests(pod).get(r)]
            if holds:
                metadata = pod["metadata"]
                name = f"{metadata.get('namespace')}/{metadata['name']}"
                holders.append((requests(pod).get(short[-1], 0), f"{name} ({', '.join(holds)})"))
        if holders:
            largest = [text for _, text in sorted(holders, key=lambda h: -h[0])[:3]]
            named.append(f"on {node.name} {', '.join(largest)}")
    return f". In the way: {'; '.join(named[:3])}" if named else ""


def _lower(nodes: Sequence[Node], kind: Kind) -> str:
    """Return pods of lower priority, without which a node would have room."""
    if kind.pod["spec"].get("preemptionPolicy") == "Never":
        return ""
    mine, asked = kind.pod["spec"]["priority"], requests(kind.pod)
    for node in nodes:
        if reason(node, kind.pod, kind.volumes):
            continue
        lower = [pod for pod in node.pods if (pod["spec"].get("priority") or 0) < mine]
        held = Counter[str]()
        for pod in lower:
            held.update(requests(pod))
        if lower and all(node.free(r) + held[r] >= value for r, value in asked.items()):
            names = [f"{p['metadata'].get('namespace')}/{p['metadata']['name']}" for p in lower]
            return f"on {node.name} {', '.join(names[:3])}"
    return ""


def _mend(nodes: Sequence[Node], kind: Kind, group: Group) -> str:
    """Return what brings the nearest node nearer."""
    selector = kind.pod["spec"].get("nodeSelector") or {}
    whys = {node.name: reason(node, kind.pod, kind.volumes) for node in nodes}
    asked = requests(kind.pod)
    accelerators = [r for r in asked if "/" in r]
    lines = []
    for node in nodes:
        why = whys[node.name]
        with_accelerator = all(node.allocatable(r) for r in accelerators)
        if why == "cordoned":
            lines.append(f"kubectl uncordon {node.name}")
        elif why.startswith("taint "):
            lines.append(
                f"set {'head' if group.name == 'head' else 'accelerator'}.tolerations, or "
                f"kubectl taint node {node.name} {why.split()[1].split(':')[0].split('=')[0]}-"
            )
        elif why.startswith("no label ") and with_accelerator:
            label = why.removeprefix("no label ").split(" ")[0]
            key = label.split("=")[0]
            lines.append(
                f"kubectl get nodes -L {key}   # then accelerator.preset, platform or "
                "nodeSelector as the nodes have it"
            )
        elif accelerators and not with_accelerator and selector and not why.startswith("no label "):
            lines.append(
                f"kubectl describe node {node.name}   # its device plugin reports no "
                f"{accelerators[0]}"
            )
        elif " in all, " in why:
            lines.append("larger nodes, or smaller requests: worker.resources, head.resources")
        elif not why and group.of and all(node.free(r) >= v for r, v in asked.items()):
            lines.append(
                f"add nodes that have room for {group.name} as well, or ask for less: "
                "parallelism.hosts, autoscaling.minReplicas"
            )
        elif not why:
            lines.append(
                "let pods in the way go, add nodes, or ask for less: worker.resources, "
                "head.resources"
            )
    unique = list(dict.fromkeys(lines))[:3]
    return "\n".join(unique) or f"add nodes that have what {group.name} asks for"


def _not_modelled(found: Fit) -> Iterator[Finding]:
    notes = set()
    for kind in found.kinds:
        spec = kind.pod["spec"]
        notes |= {"dynamic resource claims"} if spec.get("resourceClaims") else set()
        notes |= {"scheduling gates"} if spec.get("schedulingGates") else set()
        if spec.get("schedulerName", "default-scheduler") != "default-scheduler":
            notes.add(f"the scheduler {spec['schedulerName']}")
        if any("hostPort" in p for c in spec["containers"] for p in c.get("ports") or []):
            notes.add("host ports")
    if not found.most.whole:
        notes.add("some of the many ways to place the pods: the counts may be other")
    for note in sorted(notes):
        yield warning(
            f"not reckoned with: {note}", "what is said of nodes may be wrong by it", checked=False
        )
    if found.waiting:
        names = [f"{p['metadata'].get('namespace')}/{p['metadata']['name']}" for p in found.waiting]
        yield warning(
            f"{len(found.waiting)} pods wait for a node: {', '.join(names[:3])}",
            "they may take what is free before the release does",
            "kubectl get pods -A --field-selector status.phase=Pending",
        )
