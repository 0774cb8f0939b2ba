"""A case, tried while clients stream: what both changes and faults are judged by."""

import time

from ..cases import Case
from ..driver import traffic
from ..kube import wait
from ..release import Release
from ..report import Report

QUIET = 8  # seconds of traffic before the act, and again after all is whole


def check(release: Release, case: Case, report: Report) -> None:
    """Do what the case does to a whole release, and judge what became of the requests."""
    if release.values["autoscaling"]["minReplicas"] != case.replicas:
        release.install({"autoscaling": {"minReplicas": case.replicas}})
        release.wait_whole(case.replicas)
        # What it has left behind counts for the disruption budget, and takes CPU time.
        wait("the old cluster is gone", lambda: len(release.namespace.names("rayclusters")) == 1)
    release.wait_whole(case.replicas)

    # Where a replica is to die in the middle of an answer, each must be answering.
    loops = "stream stream stream stream short unary" if case.own_streams else "stream short unary"
    with traffic(release, loops=loops, pause=0.5 if case.own_streams else 1.0) as fates:
        time.sleep(QUIET)
        began = time.time()
        case.act(release)
        time.sleep(3)  # until it can be seen that something is missing
        release.wait_whole(case.replicas, case.patience)
        whole = time.time()
        case.seen(release)
        time.sleep(QUIET)

    report.traffic(case.title, release.mode, fates, began, whole)
    assert fates.in_flight(began, began + 3), "nothing was in flight when it happened"
    assert fates.count("silent") == fates.count("refused") == 0, fates.errors()
    assert fates.count("lost") == 0, fates.errors()
    cut = [request for request in fates.requests if request["fate"] == "cut"]
    if case.own_streams:  # those that the killed process was answering, and no later one
        assert all(request["start"] <= began + 1 for request in cut), fates.errors()
    else:
        assert not cut, fates.errors()
    assert fates.requests[-1]["fate"] == "answered"
