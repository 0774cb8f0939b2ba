"""The Prometheus operator, a Prometheus of it, and a release that it watches."""

import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from promapi import Prometheus

from ..kube import ROOT, Namespace, Object, capacity, kubectl, provided, wait
from ..release import Release
from ..report import Report

HERE = Path(__file__).parent
ACCELERATOR = "example.com/accelerator"
SELECTED = {"watched-by": "e2e"}  # what the Prometheus's selectors ask for
WATCHER = Namespace("e2e-prometheus")
WATCHED: Object = {
    "serving": {"mode": "direct"},
    "worker": {"resources": {"limits": {ACCELERATOR: "1"}}},
    "auth": {"existingSecret": "api-keys"},
    "networkPolicy": {"metricsNamespaces": ["elsewhere"]},  # none at all the chart refuses
    "podMonitor": {"enabled": True, "labels": SELECTED},
    "prometheusRule": {
        "enabled": True,
        "labels": SELECTED,
        "alerts": {"pods-pending": {"for": "1m"}},  # else three times as long as the other one
    },
}


@pytest.fixture(scope="session")
def prometheus() -> Iterator[Prometheus]:
    """A Prometheus that the operator runs, with the version of requirements/go.txt."""
    provided("E2E_PROMETHEUS", "brings the Prometheus operator and kube-state-metrics")
    WATCHER.create()
    pins = (ROOT / "requirements" / "go.txt").read_text()
    pin = re.search(r"^prometheus .*@v0\.(\d+)(\d\d)\.(\d+)", pins, re.MULTILINE)
    assert pin
    version = f"v{pin[1]}.{int(pin[2])}.{pin[3]}"  # Go's v0.316.0 is 3.16.0
    text = (HERE / "prometheus.yaml").read_text()
    WATCHER.apply(text.replace("VERSION", version).replace("NAMESPACE", WATCHER.name))
    wait("the operator has made a Prometheus", lambda: WATCHER.names("statefulsets"))
    WATCHER.kubectl("rollout", "status", "statefulset/prometheus-e2e", "--timeout=300s")
    with WATCHER.port_forward("pod/prometheus-e2e-0", 9090) as url:
        yield Prometheus(url)
    kubectl("delete", "clusterrole,clusterrolebinding", "e2e-prometheus")
    WATCHER.delete()


@pytest.fixture(scope="session")
def release(prometheus: Prometheus, report: Report) -> Iterator[Release]:
    """A release with the chart's PodMonitor and PrometheusRule; its policy lets others in."""
    capacity(ACCELERATOR, 1)
    namespace = Namespace("e2e-watched")
    namespace.create()
    keys = {name: secrets.token_hex(16) for name in ("default", "batch")}
    namespace.secret("api-keys", **keys)
    namespace.secret("batch", default=keys["batch"])  # where the suite's traffic looks for its key
    release = Release(namespace, mode="direct")  # where HAProxy has metrics too
    start = time.monotonic()
    release.install(WATCHED)
    release.wait_whole()
    took = time.monotonic() - start
    report.time("helm install with alerts until the first answer is possible", release.mode, took)
    yield release
    namespace.delete()
    capacity(ACCELERATOR, None)


@pytest.fixture(scope="session")
def watched(release: Release, prometheus: Prometheus) -> Release:
    """The release, of which Prometheus reads the metrics by now."""
    release.install({"networkPolicy": {"metricsNamespaces": [WATCHER.name]}})
    wait("Prometheus reads every pod", lambda: set(up(release, prometheus).values()) == {1.0})
    return release


def up(release: Release, prometheus: Prometheus) -> dict[str, float]:
    """Return {address:port: 0 or 1} of what Prometheus scrapes of a release."""
    job = f"{release.namespace.name}/{release.name}"
    found = prometheus.get("query", query=f'up{{job="{job}"}}')["result"]
    return {one["metric"]["instance"]: float(one["value"][1]) for one in found}
