"""The request log: what `kubectl logs` shows of each request."""

import json

import httpx
import pytest

from ..kube import wait
from ..release import Release
from .test_1_install import api_key

pytestmark = pytest.mark.core

WORD = "a-word-that-no-log-may-have"


def lines(release: Release, request: str) -> list[str]:
    """Return the lines of all of Ray's pods that name a request."""
    written = ""
    for component in ("head", "worker", "ingress"):
        for pod in release.pods(component):
            name = pod["metadata"]["name"]
            written += release.namespace.kubectl("logs", name, "--all-containers", "--tail=2000")
    return [line for line in written.splitlines() if request in line or WORD in line]


def test_the_log_of_a_pod_has_a_line_for_each_request_and_nothing_of_its_text(
    release: Release,
) -> None:
    body = {"model": release.model, "messages": [{"role": "user", "content": WORD}]}
    key = api_key(release)
    headers = {"authorization": f"Bearer {key}", "x-request-id": "the-suites-own"}
    with release.namespace.port_forward(f"service/{release.service}", 8000) as url:
        asked = httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=120)
    assert asked.status_code == 200
    (line,) = wait("its line", lambda: lines(release, "the-suites-own"), timeout=30)
    said = json.loads(line)
    usage = asked.json()["usage"]
    thinking = usage["completion_tokens_details"]["reasoning_tokens"]
    assert (said["key"], said["outcome"], said["mode"]) == ("default", "ok", "on")
    assert said["thinking_tokens"] == thinking > 0
    assert said["answer_tokens"] == usage["completion_tokens"] - thinking
    assert WORD not in line and key not in line
