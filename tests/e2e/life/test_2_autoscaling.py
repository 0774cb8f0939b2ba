"""Load brings a second replica, and with it a second worker pod; quiet takes both away."""

import time

import pytest

from ..driver import traffic
from ..kube import wait
from ..release import Release
from ..report import Report


@pytest.mark.modes("direct")
def test_load_and_quiet(release: Release, report: Report) -> None:
    release.install({"autoscaling": {"targetOngoingRequests": 1, "upscaleDelaySeconds": 2}})
    release.wait_whole(1)
    first = {pod["metadata"]["uid"] for pod in release.pods("worker")}

    with traffic(release, loops="short unary") as quiet:
        start = time.time()
        with traffic(release, loops="stream stream stream", pause=0) as load:
            release.wait_whole(2)
            up = time.time()
            time.sleep(5)
        down_from = time.time()
        release.wait_whole(1)
        wait("the second pod is gone", lambda: len(release.pods("worker")) == 1)
        down = time.time()
    release.install({"autoscaling": {"targetOngoingRequests": 30}})

    load.requests += quiet.requests
    report.traffic("load brings replica 2, quiet takes it away", release.mode, load, start, down)
    report.time("load until replica 2 and its pod are there", release.mode, up - start)
    report.time("quiet until both are gone", release.mode, down - down_from)
    assert len(first) == 1
    assert load.count("answered") == len(load.requests), load.errors()
