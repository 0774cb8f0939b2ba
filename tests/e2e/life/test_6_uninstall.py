"""helm uninstall leaves the namespace as it was, but for what the values ask to keep."""

import time

import pytest

from ..kube import wait
from ..release import Release
from ..report import Report

KINDS = (
    "pods,services,endpoints,configmaps,secrets,serviceaccounts,persistentvolumeclaims,jobs,roles,"
    "rolebindings,networkpolicies,poddisruptionbudgets,rayservices,rayclusters,ingresses,leases"
)

pytestmark = pytest.mark.core
OF_THE_NAMESPACE = {"configmap/kube-root-ca.crt", "serviceaccount/default"}
OF_THE_SUITE = {
    "pod/redis",
    "service/redis",
    "endpoints/redis",
    "secret/redis",
    "secret/driver-old",
    "secret/driver-new",
}
KEPT = {"secret/hybrid-llm-api-keys"}  # auth.keep


def test_nothing_is_left(release: Release, report: Report) -> None:
    start = time.monotonic()
    release.helm("uninstall", release.name)

    def left() -> set[str]:
        return set(release.namespace.names(KINDS)) - OF_THE_NAMESPACE - OF_THE_SUITE

    wait("only what is kept is left", lambda: left() <= KEPT, every=3)
    report.time("helm uninstall until nothing is left", release.mode, time.monotonic() - start)
    assert left() == KEPT
