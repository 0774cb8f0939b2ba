"""The chart's PodMonitor and PrometheusRule in a Prometheus of the operator: what it reads, and an
alert that fires."""

import time

import pytest
from promapi import Prometheus

from tools.dashboard.panels import panels, rendered

from ..driver import traffic
from ..kube import capacity, kubectl, wait
from ..release import Release
from ..report import Report
from .conftest import ACCELERATOR, up

AGENT, HAPROXY = 8080, 9101
# What has no data after some traffic, and why: a part of an expression.
WITHOUT_DATA = {
    'Name="GPU"': "there is no accelerator that Ray knows",
    "ray_node_g": "there is no accelerator",
    "adaptive_.+": "nobody has asked for adaptive thinking",
    "rejected_draft": "nobody has asked for adaptive thinking",
    "draft_confidence": "nobody has asked for adaptive thinking",
    "refusals": "nobody has asked for what is forbidden",
    "budget_hits": "nobody has a budget",
    "num_preemptions": "the KV cache holds all of it",
    "prefix_cache_hits": "the prompts are shorter than a block",
}


def test_prometheus_reads_nothing_while_the_policy_names_another_namespace(
    release: Release, prometheus: Prometheus
) -> None:
    wait("Prometheus has tried", lambda: len(up(release, prometheus)) >= 2)
    if set(up(release, prometheus).values()) == {1.0}:
        pytest.skip("this cluster's network does not enforce NetworkPolicies")
    assert set(up(release, prometheus).values()) == {0.0}


def test_once_the_policy_names_its_namespace_it_reads_every_pod(
    watched: Release, prometheus: Prometheus
) -> None:
    pods = [pod for kind in ("head", "worker") for pod in watched.pods(kind)]
    addresses = [pod["status"]["podIP"] for pod in pods]
    expected = {f"{address}:{port}": 1.0 for address in addresses for port in (AGENT, HAPROXY)}
    assert up(watched, prometheus) == expected


def test_the_dashboard_has_data_after_some_traffic(
    watched: Release, prometheus: Prometheus
) -> None:
    job = f"{watched.namespace.name}/{watched.name}"
    variables = {"release": job, "__rate_interval": "2m", "price": "1"}
    asked = [
        (panel.title, query.expression)
        for panel in panels(rendered(), variables)
        for query in panel.queries
        if not any(part in query.expression for part in WITHOUT_DATA)
    ]
    missing = asked

    def nothing_missing() -> bool:
        nonlocal missing
        missing = [(title, query) for title, query in asked if not prometheus.query(query)]
        return not missing

    with traffic(watched, key="api-keys"), traffic(watched, key="batch", loops="short unary"):
        try:
            wait("every panel has data", nothing_missing, timeout=240, every=5)
        except AssertionError:
            assert missing == []


def test_an_alert_fires_when_no_replica_is_ready_and_ends_with_the_next(
    watched: Release, prometheus: Prometheus, report: Report
) -> None:
    """The node loses the worker's accelerator, so that its next pod finds none."""
    alert, pending = "HybridLLMNoReadyReplica", "HybridLLMPodsPending"
    wait("no alert is active", lambda: not prometheus.active())
    capacity(ACCELERATOR, None)
    # What the scheduler goes by, the kubelet says a moment later.
    wait(
        "the node has no accelerator",
        lambda: ACCELERATOR not in kubectl("get", "nodes", "-o", "yaml"),
    )
    start = time.monotonic()
    worker = watched.pod("worker")
    watched.namespace.kubectl("delete", "pod", worker, "--grace-period=0", "--force")
    wait(f"{pending} fires", lambda: prometheus.active().get(pending) == "firing")
    wait(f"{alert} fires", lambda: prometheus.active().get(alert) == "firing", timeout=900)
    report.time(f"worker lost until {alert} fires", watched.mode, time.monotonic() - start)
    assert set(prometheus.active()) == {alert, pending}
    start = time.monotonic()
    capacity(ACCELERATOR, 1)
    watched.wait_whole()
    wait("the alerts have ended", lambda: not prometheus.active())
    report.time(f"accelerator back until {alert} ends", watched.mode, time.monotonic() - start)
