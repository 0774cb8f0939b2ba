"""Traffic against a release, from a pod beside it, and the count of what became of it."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from .kube import Namespace, Object, wait
from .pods import pod
from .release import Release

SCRIPT = Path(__file__).with_name("traffic.py")


@dataclass
class Fates:
    """What became of the requests. `requests` is empty until the traffic has stopped."""

    requests: list[Object] = field(default_factory=list)

    def count(self, fate: str) -> int:
        """Return how many met that fate."""
        return Counter(request["fate"] for request in self.requests)[fate]

    @property
    def retried(self) -> int:
        """How many were answered after a retry of the OpenAI client."""
        return sum(1 for r in self.requests if r["fate"] == "answered" and r["retries"])

    def trouble(self) -> list[Object]:
        """Return those that were not answered at once."""
        return [r for r in self.requests if r["fate"] != "answered" or r["retries"]]

    def last_trouble(self, since: float) -> float:
        """Return the seconds from `since` to the start of the last request in trouble."""
        return max((r["start"] - since for r in self.trouble()), default=0.0)

    def in_flight(self, start: float, end: float) -> int:
        """Return how many were in flight at some moment between two."""
        return sum(1 for r in self.requests if r["start"] <= end and r["end"] >= start)

    def errors(self) -> dict[str, int]:
        """Return what clients saw, with how often."""
        return dict(Counter(f"{r['fate']}: {r['error']}" for r in self.requests if "error" in r))


@contextmanager
def traffic(
    release: Release, *, loops: str = "stream stream short unary", key: str = "", pause: float = 1.5
) -> Iterator[Fates]:
    """Send traffic while the block runs, and for the time that what is in flight needs after it.

    Args:
        release: asked at its URL.
        loops: kinds of closed loops, as traffic.py has them.
        key: Secret whose entry `default` is the API key; else the release's own.
        pause: seconds between two requests of a loop.
    """
    namespace, name = release.namespace, f"traffic-{time.monotonic_ns() % 10**8}"
    namespace.apply(yaml.safe_dump_all(_manifests(release, name, loops, key, pause)))
    fates = Fates()
    try:
        wait("traffic flows", lambda: _log(namespace, name).count('"answered"') >= 4, every=0.5)
        yield fates
        namespace.shell(name, "kill -TERM 1")
        wait("traffic has stopped", lambda: '"done"' in _log(namespace, name), 180)
        fates.requests += [
            r for r in map(json.loads, _log(namespace, name).splitlines()) if "fate" in r
        ]
    finally:
        namespace.kubectl("delete", "pod,configmap", name, "--wait=false", "--grace-period=1")


def _log(namespace: Namespace, pod: str) -> str:
    return namespace.kubectl("logs", pod, check=False)


def _manifests(release: Release, name: str, loops: str, key: str, pause: float) -> list[Object]:
    command = ["python", "-u", "/traffic/traffic.py", "--key-file", "/keys/default"]
    command += ["--url", f"{release.url}/v1", "--model", release.model]
    command += ["--pause", str(pause), "--loops", *loops.split()]
    keys = {"secret": {"secretName": key or f"{release.name}-api-keys"}}
    script = {"configMap": {"name": name}}
    runs = pod(name, command, {"/traffic": ("script", script), "/keys": ("keys", keys)})
    data = {"traffic.py": SCRIPT.read_text()}
    holds = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
    return [holds, runs]
