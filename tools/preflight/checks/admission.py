"""The API server itself: a dry run shows what it and its webhooks refuse."""

import copy
from collections.abc import Iterator

from .. import Object
from ..cluster import Cluster
from ..finding import Finding, error, ok, warning
from ..release import Release, hooks


def check(release: Release, cluster: Cluster) -> Iterator[Finding]:
    """Send what would be made, as a dry run: nothing is made."""
    space = f"/api/v1/namespaces/{release.namespace}"
    if cluster.read_only:
        yield warning(
            "not checked: whether the API server takes the objects",
            "no dry run is sent (--read-only)",
            checked=False,
        )
        return
    if cluster.get(space) is None:
        yield warning(
            "not checked: whether the API server takes the objects",
            "a dry run needs the namespace",
            f"kubectl create namespace {release.namespace}",
            checked=False,
        )
        return
    sent = list(_sent(release, cluster))
    bad = 0
    for what, path, body in sent:
        status, message = cluster.dry_run(path, body)
        if status in (200, 201, 409):
            continue
        bad += 1
        if status == 403 and "cannot create resource" in message:
            yield warning(
                f"this account may not make {what}",
                "helm install would fail at it if it ran as this account",
                f"kubectl auth can-i --list -n {release.namespace}",
                checked=False,
            )
        else:
            yield error(
                f"the API server refuses {what}: {message}",
                "it is not made, and what needs it waits for ever",
                f"kubectl get events -n {release.namespace}   # where others met the same; "
                "or change the values",
            )
    if not bad:
        yield ok(f"the API server takes all {len(sent)} objects and pods (dry run)")


def _sent(release: Release, cluster: Cluster) -> Iterator[tuple[str, str, Object]]:
    for made in release.objects:
        plural = cluster.serves(made["apiVersion"], made["kind"])
        if plural and "test" not in hooks(made):
            root = "/api" if "/" not in made["apiVersion"] else "/apis"
            path = f"{root}/{made['apiVersion']}/namespaces/{release.namespace}/{plural}"
            body = copy.deepcopy(made)
            body["metadata"].setdefault("namespace", release.namespace)
            if made["kind"] not in ("ClusterRole", "ClusterRoleBinding", "Namespace"):
                yield f"{made['kind']} {made['metadata']['name']}", path, body
    for group in (*release.groups, *release.before):
        spec = copy.deepcopy(group.pod["spec"])
        spec.pop("serviceAccountName", None)  # it is made with the release
        labels = group.pod["metadata"].get("labels") or {}
        metadata = {"generateName": "preflight-", "labels": labels}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        yield f"pods of {group.name}", f"/api/v1/namespaces/{release.namespace}/pods", body
