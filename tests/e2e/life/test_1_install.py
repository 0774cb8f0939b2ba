"""helm install, and what its users do first."""

import base64
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import openai
import pytest

from ..driver import traffic
from ..kube import ROOT, wait
from ..release import Release
from ..report import Report

pytestmark = pytest.mark.core

CLIENTS = sorted((ROOT / "examples").glob("client_*.py"))
CURLS = sorted((ROOT / "examples").glob("curl_*.sh"))


@pytest.fixture(scope="module")
def url(release: Release) -> Iterator[str]:
    """The Service, as `kubectl port-forward` gives it."""
    with release.namespace.port_forward(f"service/{release.service}", 8000) as address:
        yield address


def api_key(release: Release, entry: str = "default") -> str:
    """Return an API key, as NOTES.txt says where it is."""
    data = release.namespace.get("secret", f"{release.name}-api-keys")["data"]
    return base64.b64decode(data[entry]).decode()


def client(url: str, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)


def accepted(url: str, key: str) -> bool:
    """Return whether a key is one."""
    try:
        return bool(client(url, key).models.list().data)
    except openai.AuthenticationError:
        return False


def test_helm_test_is_green(release: Release) -> None:
    written = release.helm("test", release.name, "--logs")
    assert "Phase:          Succeeded" in written
    assert "passed" in written


@pytest.mark.parametrize("script", CURLS + CLIENTS, ids=lambda path: path.name)
def test_the_tutorials_commands(release: Release, url: str, script: object) -> None:
    command = "sh" if str(script).endswith(".sh") else sys.executable
    environment = os.environ | {"BASE_URL": url, "API_KEY": api_key(release)}
    done = subprocess.run([command, script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    thinks = "no_think" not in str(script) and "disabled" not in str(script)
    if str(script).endswith(".sh"):
        assert ('"reasoning_content":null' in done.stdout) is not thinks
    elif "streaming" not in str(script):
        assert ("Reasoning: \nNone" in done.stdout) is not thinks
    assert done.stdout.strip()


@pytest.mark.parametrize("key", ["nobodys-key", "FAKE_KEY"])
def test_a_wrong_key_gets_401(release: Release, url: str, key: str) -> None:
    with pytest.raises(openai.AuthenticationError) as refused:
        client(url, key).chat.completions.create(model=release.model, messages=[])
    assert refused.value.status_code == 401
    assert refused.value.code == "invalid_api_key"
    assert key not in str(refused.value)


@pytest.mark.parametrize(
    "path", ["/api/version", "/api/jobs/", "/api/serve/applications/", "/nodes?view=summary"]
)
def test_the_dashboard_is_closed_without_a_token(release: Release, path: str) -> None:
    pod = f"pod/{release.pod('head')}"
    with release.namespace.port_forward(pod, 8265) as dashboard:
        assert httpx.get(dashboard + path, timeout=60).status_code == 401
        token = release.namespace.shell(release.pod("head"), "echo $RAY_AUTH_TOKEN", "ray-head")
        headers = {"X-Ray-Authorization": f"Bearer {token.strip()}"}
        answer = httpx.get(dashboard + path, headers=headers, timeout=60, follow_redirects=True)
        assert answer.status_code == 200


def test_keys_are_rotated_without_a_restart_or_a_refusal(
    release: Release, url: str, report: Report
) -> None:
    old, new = api_key(release), "the-next-key-of-the-suite-0123456789abcdef"
    namespace, keys = release.namespace, f"{release.name}-api-keys"
    namespace.secret("driver-old", default=old)
    namespace.secret("driver-new", default=new)
    before = [(p["metadata"]["name"], _restarts(p)) for p in release.pods("worker")]

    start = time.time()
    with traffic(release, loops="short unary", key="driver-old") as with_old:
        namespace.secret(keys, default=old, next=new)
        wait("the new key is valid", lambda: accepted(url, new))
        valid = time.time()
    with traffic(release, loops="short unary", key="driver-new") as with_new:
        namespace.secret(keys, next=new)
        wait("the old key is no longer valid", lambda: not accepted(url, old))
    namespace.secret(keys, default=old)
    wait("the first key is back", lambda: accepted(url, old))

    assert [(p["metadata"]["name"], _restarts(p)) for p in release.pods("worker")] == before
    for fates in (with_old, with_new):
        assert fates.requests
        assert fates.count("answered") == len(fates.requests), fates.errors()
    both = with_old
    both.requests += with_new.requests
    report.traffic("API keys rotated", release.mode, both, start, valid)


def _restarts(pod: dict) -> int:
    return sum(status["restartCount"] for status in pod["status"]["containerStatuses"])
