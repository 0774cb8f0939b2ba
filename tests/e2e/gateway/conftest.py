"""Envoy Gateway, the operator's gate, and a release that is asked through a Gateway."""

import json
import time
from collections.abc import Iterator

import pytest

from .. import envoy
from ..kube import ROOT, Namespace, Object, capacity, wait
from ..release import Release, merged
from ..report import Report

OPERATOR = Namespace("kuberay-system")
GATE = "RayServiceIncrementalUpgrade=true"
ACCELERATOR = "example.com/accelerator"
# Two replicas, of which one moves at a time: with accelerators for three.
GRADUAL: Object = {
    "worker": {"resources": {"limits": {ACCELERATOR: "1"}}},
    "autoscaling": {"minReplicas": 2, "maxReplicas": 2},
    "networkPolicy": {"clientNamespaces": [envoy.NAMESPACE.name]},
    "ray": {
        "upgrade": {
            "strategy": "NewClusterWithIncrementalUpgrade",
            "clusterUpgradeOptions": {
                "gatewayClassName": "envoy",
                "maxSurgePercent": 50,
                "stepSizePercent": 25,
                "intervalSeconds": 5,
            },
        }
    },
}


class Gradual(Release):
    """A release whose changes move step by step; asked through the Gateway that KubeRay makes."""

    def __init__(self, namespace: Namespace) -> None:
        super().__init__(namespace, mode="step by step")
        self.values = merged(self.values, GRADUAL)

    @property
    def url(self) -> str:
        """Where clients in the cluster ask: the Service of the Gateway's Envoy."""
        gateway = self.namespace.get("gateway", f"{self.name}-gateway")
        return f"http://{gateway['status']['addresses'][0]['value']}"

    def route(self) -> dict[str, int]:
        """Return the share of the traffic of each cluster, in percent, by its Service."""
        (rule,) = self.namespace.get("httproute", f"{self.name}-httproute")["spec"]["rules"]
        return {backend["name"]: backend["weight"] for backend in rule["backendRefs"]}


@pytest.fixture(scope="session")
def gate() -> Iterator[None]:
    """KubeRay's operator can upgrade step by step."""
    envoy.bring()
    deployment = OPERATOR.get("deployment", "kuberay-operator")
    before: list[str] = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    prefix = "--feature-gates="
    set_arguments([f"{each},{GATE}" if each.startswith(prefix) else each for each in before])
    yield
    set_arguments(before)


def set_arguments(arguments: list[str]) -> None:
    """Start the operator anew with other arguments."""
    where = "/spec/template/spec/containers/0/args"
    patch = json.dumps([{"op": "replace", "path": where, "value": arguments}])
    OPERATOR.kubectl("patch", "deployment/kuberay-operator", "--type=json", "--patch", patch)
    OPERATOR.kubectl("rollout", "status", "deployment/kuberay-operator", "--timeout=300s")


@pytest.fixture(scope="session")
def gradual(gate: None, report: Report) -> Iterator[Gradual]:
    """A release of two replicas, whole, where the node has accelerators for three."""
    capacity(ACCELERATOR, 3)
    namespace = Namespace("e2e-gradual")
    namespace.create()
    namespace.apply((ROOT / "k8s" / "envoy-timeouts.yaml").read_text())
    release = Gradual(namespace)
    start = time.monotonic()
    release.install()
    release.wait_whole()
    wait("the Gateway has an address", lambda: release.url)
    report.time(
        "helm install until the first answer is possible", release.mode, time.monotonic() - start
    )
    yield release
    namespace.delete()
    capacity(ACCELERATOR, None)
