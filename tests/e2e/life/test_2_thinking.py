"""Thinking as the values of the release have it: on every surface, by key, and counted."""

import base64
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ..kube import wait
from ..release import Release

pytestmark = pytest.mark.core

BATCH = "the-batch-key-of-the-suite-0123456789abcdef"  # values.yaml: it never thinks
QUESTION = "What is 347 * 86?"
CONVERSATION = [{"role": "user", "content": QUESTION}]

# Each surface: what is sent, and where the number of tokens of thinking is
SURFACES: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "chat/completions": (
        {"messages": CONVERSATION},
        ("completion_tokens_details", "reasoning_tokens"),
    ),
    "responses": ({"input": QUESTION}, ("output_tokens_details", "reasoning_tokens")),
    "messages": (
        {"messages": CONVERSATION, "max_tokens": 1000},
        ("output_tokens_details", "thinking_tokens"),
    ),
}


@pytest.fixture(scope="module")
def url(release: Release) -> Iterator[str]:
    """The Service, once it takes the key that never thinks beside the others."""
    namespace, keys = release.namespace, f"{release.name}-api-keys"
    data = namespace.get("secret", keys)["data"]
    known = {name: base64.b64decode(key).decode() for name, key in data.items()}
    namespace.secret(keys, **known, batch=BATCH)
    with namespace.port_forward(f"service/{release.service}", 8000) as address:
        wait("the batch key is valid", lambda: _models(address).status_code == 200)
        yield address


def _models(url: str) -> httpx.Response:
    return httpx.get(f"{url}/v1/models", headers=_bearer(BATCH), timeout=60)


def _bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def _post(release: Release, url: str, surface: str, key: str, **says: Any) -> httpx.Response:
    body = {"model": release.model, "temperature": 0, **SURFACES[surface][0], **says}
    return httpx.post(f"{url}/v1/{surface}", json=body, headers=_bearer(key), timeout=120)


def _tokens(surface: str, response: httpx.Response) -> int:
    assert response.status_code == 200, response.text
    details, name = SURFACES[surface][1]
    tokens: int = response.json()["usage"][details][name]
    return tokens


def _own_key(release: Release) -> str:
    data = release.namespace.get("secret", f"{release.name}-api-keys")["data"]
    return base64.b64decode(data["default"]).decode()


@pytest.mark.parametrize("surface", SURFACES)
def test_a_request_chooses_its_mode_and_effort(release: Release, url: str, surface: str) -> None:
    key = _own_key(release)
    assert _tokens(surface, _post(release, url, surface, key)) > 20
    assert _tokens(surface, _post(release, url, surface, key, enable_thinking=False)) == 0
    named = {"model": f"{release.model}:no-think"}
    assert _tokens(surface, _post(release, url, surface, key, **named)) == 0
    assert 0 < _tokens(surface, _post(release, url, surface, key, reasoning_effort="low")) <= 7


@pytest.mark.parametrize("surface", SURFACES)
def test_a_key_never_thinks_and_gets_a_403_for_asking(
    release: Release, url: str, surface: str
) -> None:
    assert _tokens(surface, _post(release, url, surface, BATCH)) == 0
    refused = _post(release, url, surface, BATCH, enable_thinking=True)
    assert refused.status_code == 403
    error = refused.json()["error"]
    # Anthropic's errors have no param: there the message names it.
    named = error["message"] if surface == "messages" else error["param"]
    assert "enable_thinking" in named
    assert {model["id"] for model in _models(url).json()["data"]} == {
        release.model,
        f"{release.model}:no-think",
    }


def test_lanes_are_on_so_a_request_has_no_priority_of_its_own(release: Release, url: str) -> None:
    refused = _post(release, url, "chat/completions", _own_key(release), priority=-1)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "priority")


def test_it_is_counted_by_the_names_of_keys(release: Release, url: str) -> None:
    _post(release, url, "chat/completions", BATCH)

    def counted() -> bool:
        written = ""
        for pod in release.pods("worker"):
            with release.namespace.port_forward(f"pod/{pod['metadata']['name']}", 8080) as metrics:
                written += httpx.get(f"{metrics}/metrics", timeout=60).text
        assert BATCH not in written
        names = ("requests_total", "refusals_total", "answer_tokens_total")
        return all(
            re.search(rf'^ray_hybrid_llm_{name}{{.*key="batch".*}} [1-9]', written, re.MULTILINE)
            for name in names
        )

    wait("the batch key's requests are counted", counted, timeout=60)
