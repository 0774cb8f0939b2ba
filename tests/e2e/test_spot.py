"""A spot node's notice: its worker is evicted, and has answered all when the node ends."""

import time
from collections.abc import Iterator

import pytest

from .cases import Case
from .faults.drain import evict
from .kube import Namespace, wait
from .life.under_traffic import check
from .release import Release
from .report import Report

NOTICE = 40  # seconds; less than half of what a pod has by the values of the suite
ANY_NODE = {"kubernetes.io/os": "linux"}  # this cluster's are no spot nodes


@pytest.fixture
def release(report: Report) -> Iterator[Release]:
    """Two replicas on nodes that end some seconds after a notice."""
    namespace = Namespace("e2e-spot")
    namespace.create()
    release = Release(namespace, mode="direct")
    release.install(
        {
            "accelerator": {
                "nodeSelector": ANY_NODE,
                "spot": {"enabled": True, "noticeSeconds": NOTICE},
            },
            "autoscaling": {"minReplicas": 2},
            "serving": {"mode": "direct", "drainSeconds": 600},
        }
    )
    release.wait_whole(2)
    yield release
    namespace.delete()


def act(release: Release) -> None:
    pod = release.pod("worker")
    assert '"status":"Success"' in evict(release, pod)
    noticed = time.monotonic()
    wait("its pod has gone", lambda: pod not in release.namespace.names("pods"), every=0.5)
    assert time.monotonic() - noticed < NOTICE + 5  # of the kubelet's and of looking


def test_its_answers_end_before_it_does(release: Release, report: Report) -> None:
    check(release, Case("spot node's notice of 40 s", act, replicas=2), report)
