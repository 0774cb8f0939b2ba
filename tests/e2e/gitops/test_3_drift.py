"""What somebody changes by hand is put right, and no request notices."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import yaml

from ..driver import traffic
from ..kube import wait
from ..report import Report
from .fleet import Fleet


@dataclass(frozen=True)
class Drift:
    """A change by hand.

    Attributes:
        title: its row in the report.
        change: makes it.
        right: whether it is put right.
    """

    title: str
    change: Callable[[Fleet], object]
    right: Callable[[Fleet], bool]


def limit(fleet: Fleet) -> int:
    """Return how many requests may wait, as the RayService has it."""
    config = yaml.safe_load(fleet.rayservice()["spec"]["serveConfigV2"])
    found: int = config["applications"][0]["deployments"][0]["max_queued_requests"]
    return found


def set_limit(fleet: Fleet) -> None:
    config = yaml.safe_load(fleet.rayservice()["spec"]["serveConfigV2"])
    config["applications"][0]["deployments"][0]["max_queued_requests"] = 1
    patch = json.dumps({"spec": {"serveConfigV2": yaml.safe_dump(config)}})
    fleet.namespace.kubectl("patch", "rayservice", fleet.name, "--type=merge", "--patch", patch)


def open_network(fleet: Fleet) -> None:
    fleet.namespace.kubectl("delete", "networkpolicy", "--all")


DRIFTS = [
    Drift("a limit changed by hand", set_limit, lambda fleet: limit(fleet) != 1),
    Drift(
        "the network policies deleted by hand",
        open_network,
        lambda fleet: bool(fleet.namespace.names("networkpolicies")),
    ),
]


@pytest.mark.parametrize("drift", DRIFTS, ids=lambda drift: drift.title)
def test_drift(fleet: Fleet, drift: Drift, report: Report) -> None:
    fleet.wait_whole()
    before = fleet.active()
    with traffic(fleet) as fates:
        start = time.time()
        drift.change(fleet)
        assert not drift.right(fleet)
        wait("it is put right", lambda: drift.right(fleet), every=0.5)
        whole = time.time()
        time.sleep(3)
    report.traffic(drift.title, fleet.mode, fates, start, whole)
    assert fleet.active() == before
    assert fates.count("answered") == len(fates.requests), fates.errors()
