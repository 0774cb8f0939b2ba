"""A request for a model that has no replica waits as long as the operator says, and no longer."""

import asyncio
import json
from typing import Any

import pytest
from asgi_client import answer, http
from meters import Kept
from ray.serve._private.common import DeploymentID
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError

from app.asgi import Message
from app.edge.asleep import Asleep
from app.scope import Call, with_call
from app.thinking.decision import Decision

MODEL = "sleeper"


class Deployment:
    """The handle of a model's deployment. Who waits in its queue gets through once it is awake."""

    def __init__(self, *, slow: bool = False, full: bool = False) -> None:
        self.awake = asyncio.Event()
        self.slow, self.full = slow, full
        self.calls = self.asked = 0

    check_health = property(lambda self: self)

    async def remote(self) -> None:
        self.calls += 1
        if self.full:
            raise BackPressureError(num_queued_requests=1, max_queued_requests=1)
        await self.awake.wait()

    def broadcast(self, method: str) -> "Deployment":
        assert method == "check_health"
        self.asked += 1
        return self

    async def results_async(self, *, timeout_s: float, return_exceptions: bool) -> list[Any]:
        assert timeout_s > 0 and return_exceptions
        if self.slow:
            raise TimeoutError
        if not self.awake.is_set():
            raise DeploymentUnavailableError(DeploymentID("LLMServer", "llm"))
        return [None]


async def asked(layer: Asleep, model: str = MODEL) -> tuple[int, dict[str, str], Any]:
    """Send a request for a model, and return status, headers and body of its answer."""
    call = Call(Decision(True), model, "chat_completions", "", "both", 0.0)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"{}"}

    async def send(message: Message) -> None:
        sent.append(message)

    await layer(with_call(http(), call), receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, json.loads(b"".join(m.get("body", b"") for m in sent))


def layer(handle: Deployment, wait: float | None) -> tuple[Asleep, Kept]:
    meter = Kept()
    waits = {} if wait is None else {MODEL: wait}
    return Asleep(answer(), lambda: {MODEL: handle}, waits, meter), meter


@pytest.mark.parametrize("wait", [0, 0.05])
def test_one_that_has_waited_long_enough_is_told_when_to_come_again(wait: float) -> None:
    async def run() -> None:
        handle = Deployment()
        tried, meter = layer(handle, wait)
        for _ in range(3):
            status, headers, body = await asked(tried)
            assert status == 503
            assert int(headers["retry-after"]) >= 1
            assert body["error"]["code"] == "overloaded"
        assert [reason for _, reason in meter.refusals] == ["asleep"] * 3
        # It waits on for them, once, or Serve would think that nobody wants the model.
        assert handle.calls == 1
        handle.awake.set()
        await asyncio.sleep(0)
        assert (await asked(tried))[0] == 200

    asyncio.run(run())


def test_one_that_is_patient_gets_its_answer() -> None:
    async def run() -> None:
        handle = Deployment()
        tried, meter = layer(handle, 30)
        waiting = [asyncio.create_task(asked(tried)) for _ in range(3)]
        await asyncio.sleep(0.01)
        assert not any(task.done() for task in waiting)
        handle.awake.set()
        assert [(await task)[0] for task in waiting] == [200] * 3
        assert handle.calls == 1 and not meter.refusals

    asyncio.run(run())


def test_a_model_that_sleeps_again_is_woken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.edge.asleep._AWAKE_S", 0.0)

    async def run() -> None:
        handle = Deployment()
        tried, _ = layer(handle, 0)
        for times in (1, 2):
            assert (await asked(tried))[0] == 503
            assert handle.calls == times
            handle.awake.set()
            await asyncio.sleep(0)
            assert (await asked(tried))[0] == 200
            handle.awake.clear()

    asyncio.run(run())


def test_how_long_it_took_is_how_long_it_is_said_to_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.edge.asleep._AWAKE_S", 0.0)
    now = 1000.0
    monkeypatch.setattr("app.edge.asleep.time.monotonic", lambda: now)

    async def run() -> list[int]:
        nonlocal now
        handle = Deployment()
        tried, _ = layer(handle, 0)
        said = [int((await asked(tried))[1]["retry-after"])]
        now += 200
        handle.awake.set()
        await asyncio.sleep(0)
        handle.awake.clear()
        for later in (0, 150, 100):
            now += later
            said.append(int((await asked(tried))[1]["retry-after"]))
        return said

    # Nothing is known the first time; then 200 s, of which 150 have gone; then it is late.
    assert asyncio.run(run()) == [60, 200, 50, 5]


@pytest.mark.parametrize("handle", [{"slow": True}, {}], ids=["slow", "awake"])
def test_a_replica_that_is_busy_is_none_that_sleeps(handle: dict[str, bool]) -> None:
    async def run() -> None:
        deployment = Deployment(**handle)
        if not deployment.slow:
            deployment.awake.set()
        tried, _ = layer(deployment, 0)
        for _ in range(20):
            assert (await asked(tried))[0] == 200
        assert deployment.asked == 1, "each request asks anew"
        assert deployment.calls == 0

    asyncio.run(run())


def test_where_as_many_wait_as_may_the_next_one_is_refused() -> None:
    async def run() -> None:
        tried, _ = layer(Deployment(full=True), 30)
        assert (await asked(tried))[0] == 503

    asyncio.run(run())


def test_without_the_value_serve_lets_a_request_wait() -> None:
    async def run() -> None:
        handle = Deployment()
        tried, _ = layer(handle, None)
        assert (await asked(tried))[0] == 200
        assert handle.asked == handle.calls == 0

    asyncio.run(run())
