"""The policy changes: a request that names no budget thinks five tokens."""

import base64

import httpx

from ..cases import Case
from ..kube import wait
from ..release import Release

BUDGET = 5


def act(release: Release) -> None:
    before = release.active()
    release.install({"reasoning": {"tokenBudget": BUDGET}})
    wait("the second cluster has taken over", lambda: release.active() != before)


def seen(release: Release) -> None:
    keys = release.namespace.get("secret", f"{release.name}-api-keys")["data"]
    key = base64.b64decode(keys["default"]).decode()
    question = [{"role": "user", "content": "What is 347 * 86?"}]
    with release.namespace.port_forward(f"service/{release.service}", 8000) as url:
        answer = httpx.post(
            f"{url}/v1/chat/completions",
            json={"model": release.model, "messages": question},
            headers={"authorization": f"Bearer {key}"},
            timeout=120,
        )
    details = answer.json()["usage"]["completion_tokens_details"]
    assert details["reasoning_tokens"] == BUDGET


CASE = Case("policy changed", act, seen=seen)
