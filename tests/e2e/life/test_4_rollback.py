"""An upgrade that cannot work gets no traffic, and `helm rollback` takes it away."""

import time

from ..driver import traffic
from ..kube import wait
from ..release import Release
from ..report import Report

FAILED = ("UNHEALTHY", "DEPLOY_FAILED")


def test_a_model_that_is_not_there(release: Release, report: Report) -> None:
    release.wait_whole()
    before, pods = release.active(), {p["metadata"]["uid"] for p in release.pods("worker")}

    def pending_fails() -> bool:
        pending = release.rayservice()["status"]["pendingServiceStatus"]
        return any(a["status"] in FAILED for a in pending["applicationStatuses"].values())

    def pending_is_gone() -> bool:
        return not release.rayservice()["status"].get("pendingServiceStatus")

    with traffic(release) as fates:
        start = time.time()
        release.upgrade({"model": {"source": "/models/not-there"}})
        wait("the second cluster fails", pending_fails)
        assert release.active() == before
        release.helm("rollback", release.name)
        wait("the second cluster is gone", pending_is_gone)
        release.wait_whole()
        whole = time.time()
        time.sleep(5)
    report.traffic(
        "upgrade to a model that is not there, rolled back", release.mode, fates, start, whole
    )

    assert release.active() == before
    assert {p["metadata"]["uid"] for p in release.pods("worker")} == pods
    assert fates.count("answered") == len(fates.requests), fates.errors()
