"""The plain manifest, by `kubectl apply -f`: the same without Helm in the cluster."""

import secrets
import time
from collections.abc import Iterator

import openai
import pytest
import yaml

from .kube import Namespace, helm, wait
from .release import CHART, Release, merged
from .report import Report

KEY = secrets.token_hex(24)


@pytest.fixture(scope="module")
def applied(report: Report) -> Iterator[Release]:
    """What `helm template` prints, made as k8s/rayservice.yaml is, and applied."""
    namespace = Namespace("e2e-manifest")
    namespace.create()
    named = {"auth": {"existingSecret": "hybrid-llm-api-keys"}}
    values = merged(Release(namespace).values, named)
    manifest = helm(
        "template",
        "hybrid-llm",
        CHART,
        "--values",
        "-",
        "--skip-tests",
        "--namespace",
        namespace.name,
        stdin=yaml.safe_dump(values),
    )
    release = Release(namespace)
    start = time.monotonic()
    namespace.apply(manifest)
    release.wait_whole()
    report.time(
        "kubectl apply until the first answer is possible", "ingress", time.monotonic() - start
    )
    yield release
    namespace.delete()


def test_closed_until_the_secret_is_there_and_open_then(applied: Release) -> None:
    with applied.namespace.port_forward(f"service/{applied.service}", 8000) as url:
        client = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)

        def ask() -> str | None:
            question = [{"role": "user", "content": "What is 7 times 8?"}]
            answer = client.chat.completions.create(model=applied.model, messages=question)  # type: ignore[arg-type]
            return answer.choices[0].message.content

        with pytest.raises(openai.AuthenticationError, match="hybrid-llm-api-keys"):
            ask()
        applied.namespace.secret("hybrid-llm-api-keys", me=KEY)

        def open_now() -> bool:
            try:
                return "56" in (ask() or "")
            except openai.AuthenticationError:
                return False

        wait("the key is valid", open_now)
