"""Envoy Gateway, where a test needs Gateways."""

from .kube import Namespace, kubectl, provided

NAMESPACE = Namespace("envoy-gateway-system")
CLASS = """
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
"""


def bring() -> None:
    """Bring it into the cluster, and its class."""
    provided("E2E_GATEWAY", "brings Envoy Gateway into this cluster")
    kubectl("apply", "-f", "-", stdin=CLASS)


def service(namespace: str, gateway: str) -> str:
    """Return service/NAME of the Envoy of a Gateway; it is in `NAMESPACE`."""
    owner = "gateway.envoyproxy.io/owning-gateway"
    selector = f"{owner}-namespace={namespace},{owner}-name={gateway}"
    (found,) = NAMESPACE.kubectl("get", "services", "-l", selector, "-o", "name").split()
    return found
