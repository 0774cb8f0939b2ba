"""Commits that can't work: what runs goes on answering, and Flux says what is wrong."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from ..driver import traffic
from ..kube import wait
from ..release import CHART, merged
from ..report import Report
from .fleet import Fleet, next_version

QUIET = 5  # seconds of traffic after all is whole


@dataclass(frozen=True)
class Broken:
    """A commit that can't work.

    Attributes:
        title: its row in the report.
        commit: makes it.
        kind: of Flux's object that says why.
        says: what it must say.
    """

    title: str
    commit: Callable[[Fleet], object]
    kind: str
    says: str


def bad_value(fleet: Fleet) -> None:
    change = {"autoscaling": {"minReplicas": 3}}
    fleet.commit(merged(fleet.values, change), fleet.version)


def unsigned_chart(fleet: Fleet) -> None:
    version = next_version(fleet.version) + "-unsigned"
    fleet.registry.push(CHART, version, signed=False)
    fleet.commit(fleet.values, version)


def missing_chart(fleet: Fleet) -> None:
    fleet.commit(fleet.values, "9.9.9")


def missing_model(fleet: Fleet) -> None:
    change = {"model": {"source": "/models/not-there"}}
    fleet.commit(merged(fleet.values, change), fleet.version)


BROKEN = [
    Broken(
        "a commit with a value that can't work", bad_value, "helmrelease", "autoscaling.minReplicas"
    ),
    Broken(
        "a commit with a chart that nobody signed", unsigned_chart, "ocirepository", "signature"
    ),
    Broken("a commit with a chart that there is not", missing_chart, "ocirepository", "9.9.9"),
    Broken("a commit with a model that there is not", missing_model, "helmrelease", "RayService"),
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.title)
def test_broken(fleet: Fleet, broken: Broken, report: Report) -> None:
    fleet.wait_whole()
    before = fleet.active()
    pods = {pod["metadata"]["uid"] for pod in fleet.pods("worker")}
    with traffic(fleet) as fates:
        start = time.time()
        broken.commit(fleet)
        message = fleet.wait_refused(broken.kind, broken.says, timeout=900)
        assert fleet.active() == before
        assert {pod["metadata"]["uid"] for pod in fleet.pods("worker")} == pods
        commit = fleet.repository.revert()
        fleet.wait_applied(commit)
        fleet.wait_whole()
        whole = time.time()
        time.sleep(QUIET)
    report.traffic(broken.title, fleet.mode, fates, start, whole)
    report.refusal(broken.title, f"Flux ({broken.kind})", message.replace("\n", " ")[:400])
    assert fates.count("answered") == len(fates.requests), fates.errors()


def test_afterwards_commits_work_again(fleet: Fleet) -> None:
    fleet.install({"autoscaling": {"maxQueuedRequests": 112}})

    def applied() -> bool:
        deployments = fleet.serve()["deployed_app_config"]["deployments"]
        return any(d.get("max_queued_requests") == 112 for d in deployments)

    wait("Serve has the new limit", applied)
