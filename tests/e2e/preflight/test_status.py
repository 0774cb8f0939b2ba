"""`make status` of a real release: while it comes up, when it is ready, and when it can't start."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from ..kube import ROOT, Namespace, Object, wait
from ..release import Release


def status(release: Release, *options: str) -> tuple[int, str]:
    """Return the exit status and what is printed."""
    command = [sys.executable, "-m", "status", release.name, "-n", release.namespace.name]
    done = subprocess.run(
        [*command, *options],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "tools", "COLUMNS": "160"},
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def figures(release: Release) -> Object:
    found: Object = json.loads(status(release, "--json")[1])
    return found


@pytest.fixture(scope="module")
def release() -> Iterator[Release]:
    namespace = Namespace("status")
    namespace.create()
    yield Release(namespace, mode="direct")
    namespace.delete()


def test_it_says_what_it_waits_for_until_it_is_ready(release: Release) -> None:
    release.install({"autoscaling": {"maxReplicas": 1}})
    said: list[str] = []
    end = time.monotonic() + 900
    while time.monotonic() < end:
        seen = figures(release)
        words = [seen["doing"], *(pod["doing"] for pod in seen["pods"])]
        said += [one for one in words if one not in said]
        if seen["ready"]:
            break
    print("\n".join(said))
    assert seen["ready"], said
    assert any("waits for Ray's head" in one for one in said), said
    assert any("KV cache" in one or "weights" in one or "engine" in one for one in said), said
    wait("it is ready", lambda: figures(release)["doing"] == "ready")


def test_it_counts_what_was_asked(release: Release) -> None:
    release.wait_whole()
    assert "passed" in release.helm("test", release.name, "--logs")  # one that thinks, one not
    seen = wait("it is counted", lambda: (figures(release)["counted"] or {}).get("requests"))
    assert seen == {"on": 1, "off": 1}
    code, text = status(release)
    print(text)
    assert code == 0
    assert "50 % thought" in text
    assert "1 ready of 1 to 1" in text
    assert "RUNNING" in text


def test_it_says_why_a_pod_can_not_start(release: Release) -> None:
    release.upgrade({"image": {"tag": "none"}, "autoscaling": {"maxReplicas": 1}})
    seen = wait(
        "it says so",
        lambda: next((s for s in [figures(release)] if "can't get its image" in s["doing"]), None),
    )
    assert seen["ready"]  # the first cluster goes on
    assert seen["doing"].startswith("a second cluster comes up and then takes over")
    assert any("kubectl describe pod" in look for look in seen["look"])
