"""A model that may sleep: a request wakes it, and gets its answer or is told when to come again."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from .kube import Namespace, wait
from .life.test_1_install import api_key
from .release import Release
from .report import Report

SMALL = {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"memory": "4Gi"}}
AT_ONCE = 3  # requests that find it asleep


class Sleeper(Release):
    """A release whose model has no replica while nobody asks it."""

    def asleep(self) -> bool:
        """Return whether it could answer, and nothing of the model runs."""
        return self.ready() and not self.pods("worker") and self.serve()["status"] == "RUNNING"


@pytest.fixture(scope="module")
def sleeper(report: Report) -> Iterator[Sleeper]:
    namespace = Namespace("e2e-sleep")
    namespace.create()
    release = Sleeper(namespace)
    release.install(
        {
            "autoscaling": {"minReplicas": 0, "maxReplicas": 1},
            "serving": {"ingress": {"resources": SMALL, "maxReplicas": 1}},
        }
    )
    wait("it is ready, and sleeps", release.asleep)
    yield release
    namespace.delete()


async def ask(release: Sleeper, url: str, stream: bool) -> str:
    """Return the answer to a question; the client tries once."""
    client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=api_key(release), max_retries=0)
    question = [{"role": "user", "content": "What is 7 times 8? /no_think"}]
    says: Any = {"model": release.model, "messages": question}
    if not stream:
        answer = await client.chat.completions.create(**says)
        return answer.choices[0].message.content or ""
    chunks = await client.chat.completions.create(**says, stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])


def test_a_request_wakes_it_and_waits(sleeper: Sleeper, report: Report) -> None:
    async def asked(url: str) -> list[str]:
        return await asyncio.gather(*(ask(sleeper, url, n % 2 == 0) for n in range(AT_ONCE)))

    with sleeper.namespace.port_forward(f"service/{sleeper.service}", 8000) as url:
        start = time.monotonic()
        answers = asyncio.run(asked(url))
    report.time(
        "a request to a model that sleeps until its answer", "ingress", time.monotonic() - start
    )
    assert all("56" in answer for answer in answers)
    assert len(sleeper.pods("worker")) == 1


def test_it_sleeps_again_when_nobody_asks(sleeper: Sleeper, report: Report) -> None:
    start = time.monotonic()
    wait("its pod has gone", lambda: not sleeper.pods("worker"))
    report.time(
        "quiet until the last replica and its pod are gone", "ingress", time.monotonic() - start
    )


def test_one_that_will_not_wait_is_told_when_to_come_again(sleeper: Sleeper) -> None:
    sleeper.install({"autoscaling": {"wakeWaitSeconds": 2}})
    wait("it is ready, and sleeps", sleeper.asleep)
    refused: list[float] = []
    with sleeper.namespace.port_forward(f"service/{sleeper.service}", 8000) as url:
        for _ in range(60):
            start = time.monotonic()
            try:
                answer = asyncio.run(ask(sleeper, url, stream=False))
                break
            except openai.InternalServerError as problem:
                assert problem.status_code == 503, problem
                assert 1 <= int(problem.response.headers["retry-after"]) <= 60
                refused.append(time.monotonic() - start)
                time.sleep(5)  # it says when; sooner, to see that this harms nothing
    assert "56" in answer
    assert len(refused) >= 2
    assert max(refused) < 20  # the wait, and what a busy machine makes of it
