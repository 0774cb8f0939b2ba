"""The way in: Ingress class and certificate, or Gateway."""

from collections.abc import Iterator

from .. import Object
from ..cluster import Cluster, Denied
from ..finding import Finding, error, ok, warning
from ..release import Release
from ..scheduling.selectors import selects

DEFAULT = "ingressclass.kubernetes.io/is-default-class"
GATEWAYS = "/apis/gateway.networking.k8s.io/v1"


def check(release: Release, cluster: Cluster) -> Iterator[Finding]:
    """Look at what the release's Ingress and HTTPRoute name."""
    for ingress in release.of("Ingress"):
        yield from _ingress(release, cluster, ingress)
    for route in release.of("HTTPRoute"):
        for parent in route["spec"].get("parentRefs") or []:
            yield from _gateway(release, cluster, parent)
    upgrade = release.rayservice["spec"].get("upgradeStrategy") or {}
    if upgrade.get("type") == "NewClusterWithIncrementalUpgrade":
        name = (upgrade.get("clusterUpgradeOptions") or {}).get("gatewayClassName", "")
        if cluster.get(f"{GATEWAYS}/gatewayclasses/{name}") is None:
            yield error(
                f"there is no GatewayClass {name}",
                "KubeRay's Gateway, by which clients ask, gets no address",
                "kubectl get gatewayclasses   # then "
                "ray.upgrade.clusterUpgradeOptions.gatewayClassName",
            )
        else:
            yield ok(f"the GatewayClass {name} is there")


def _ingress(release: Release, cluster: Cluster, ingress: Object) -> Iterator[Finding]:
    classes = cluster.list("/apis/networking.k8s.io/v1/ingressclasses")
    names = [c["metadata"]["name"] for c in classes]
    named = ingress["spec"].get("ingressClassName")
    have = ", ".join(names) or "none"
    if named and named not in names:
        yield error(
            f"there is no IngressClass {named}; there are: {have}",
            "no controller takes the Ingress up, and clients find nothing",
            "kubectl get ingressclasses   # then ingress.className",
        )
    elif not named and not any(
        (c["metadata"].get("annotations") or {}).get(DEFAULT) == "true" for c in classes
    ):
        yield error(
            f"ingress.className is empty, and no IngressClass is the default; there are: {have}",
            "no controller takes the Ingress up, and clients find nothing",
            "kubectl get ingressclasses   # then ingress.className",
        )
    else:
        yield ok(f"the IngressClass {named or 'that is the default'} is there")
    for secret in [tls["secretName"] for tls in ingress["spec"].get("tls") or []]:
        create = (
            f"kubectl create secret tls -n {release.namespace} {secret} --cert=tls.crt "
            "--key=tls.key"
        )
        try:
            entries = cluster.entries(release.namespace, secret)
        except Denied:
            yield warning(
                f"not checked: the Secret {secret}",
                "without it there is no TLS",
                create,
                checked=False,
            )
            continue
        notes = ingress["metadata"].get("annotations") or {}
        issuer = any(key.startswith("cert-manager.io/") for key in notes)
        if entries and entries.get("tls.crt") and entries.get("tls.key"):
            yield ok(f"the certificate {secret} is there")
        elif entries is None and issuer:
            yield ok(f"the certificate {secret} is not there yet; cert-manager is asked for it")
        else:
            yield error(
                f"the Secret {secret} is not there, or has no certificate",
                "clients get no TLS, or a wrong one",
                create,
            )


def _gateway(release: Release, cluster: Cluster, parent: Object) -> Iterator[Finding]:
    name, space = parent["name"], parent.get("namespace") or release.namespace
    if parent.get("kind", "Gateway") != "Gateway":
        return
    found = cluster.get(f"{GATEWAYS}/namespaces/{space}/gateways/{name}")
    if found is None:
        yield error(
            f"there is no Gateway {space}/{name}",
            "the route hangs on nothing, and clients find nothing",
            "kubectl get gateways -A   # then httpRoute.parentRefs",
        )
        return
    section = parent.get("sectionName")
    listeners = [x for x in found["spec"].get("listeners") or [] if section in (None, x["name"])]
    if not any(_lets_in(release, cluster, listener, space) for listener in listeners):
        yield error(
            f"no listener of the Gateway {space}/{name} takes routes of the namespace "
            f"{release.namespace}",
            "the route hangs on nothing, and clients find nothing",
            f"kubectl edit gateway -n {space} {name}   # listeners[].allowedRoutes.namespaces",
        )
        return
    conditions = {
        c["type"]: c["status"] for c in (found.get("status") or {}).get("conditions") or []
    }
    if conditions.get("Programmed") != "True":
        yield warning(
            f"the Gateway {space}/{name} is not programmed",
            "until it is, clients find nothing",
            f"kubectl describe gateway -n {space} {name}",
        )
    else:
        yield ok(f"the Gateway {space}/{name} takes the route")


def _lets_in(release: Release, cluster: Cluster, listener: Object, space: str) -> bool:
    allowed = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
    source = allowed.get("from", "Same")
    if source == "Selector":
        namespace = cluster.get(f"/api/v1/namespaces/{release.namespace}") or {"metadata": {}}
        return selects(allowed.get("selector"), namespace["metadata"].get("labels") or {})
    return bool(source == "All" or space == release.namespace)
