"""KubeRay's gradual upgrade: replicas and traffic move to the new cluster step by step."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..cases import Case
from ..driver import traffic
from ..kube import wait
from ..life.under_traffic import check
from ..release import Release
from ..report import Report
from .conftest import Gradual


@contextmanager
def watched(release: Gradual) -> Iterator[set[int]]:
    """Look every second at how the traffic is shared out, in percent."""
    seen: set[int] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(1):
            seen.update(release.route().values())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def change_policy(release: Release) -> None:
    release.install({"reasoning": {"tokenBudget": 9}})


def test_replicas_and_traffic_move_step_by_step(gradual: Gradual, report: Report) -> None:
    before = gradual.active()
    change = Case(
        "policy changed, with accelerators for one replica more",
        change_policy,
        replicas=2,
        patience=1100,
    )
    with watched(gradual) as shares:
        check(gradual, change, report)
    assert gradual.active() != before
    assert shares == {0, 25, 50, 75, 100}


def test_taken_back_halfway(gradual: Gradual, report: Report) -> None:
    gradual.wait_whole()
    before = gradual.active()
    with traffic(gradual) as fates:
        start = time.time()
        gradual.upgrade({"reasoning": {"tokenBudget": 11}})
        wait("traffic moves", lambda: 0 < min(gradual.route().values()) < 100, 900, every=1)
        gradual.helm("rollback", gradual.name)
        gradual.wait_whole()
        whole = time.time()
        time.sleep(5)
    report.traffic(
        "policy changed, taken back by helm rollback halfway", gradual.mode, fates, start, whole
    )
    assert gradual.active() == before
    assert fates.count("answered") == len(fates.requests), fates.errors()
