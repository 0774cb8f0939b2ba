"""Live is a server that answers; ready is one that would answer a completion."""

import asyncio
import json
from typing import Any

import pytest
from asgi_client import Response, answer, ask, http, untouched

from app.asgi import App, Receive, Scope, Send
from app.edge import health
from app.edge.engines import all_answer
from app.edge.health import Health


class Engine:
    """An application behind whose /health says what it is told to say."""

    def __init__(self, status: int = 200, seconds: float = 0) -> None:
        self.status, self.seconds, self.asked = status, seconds, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert (scope["method"], scope["path"]) == ("GET", "/health")
        self.asked += 1
        await asyncio.sleep(self.seconds)
        if not self.status:
            raise RuntimeError("secret of the engine")
        await answer(self.status, b"secret of the engine")(scope, receive, send)


def get(app: App, path: str, method: str = "GET") -> Response:
    return ask(Health(app), http(method, path, ()), [b""])


@pytest.mark.parametrize("path", ["/readyz", "/health"])
@pytest.mark.parametrize(
    ("status", "expected"), [(200, 200), (503, 503), (500, 503), (404, 503), (0, 503)]
)
def test_ready_is_what_the_application_says(path: str, status: int, expected: int) -> None:
    response = get(Engine(status), path)
    assert response.status == expected
    word = "ok" if expected == 200 else "unavailable"
    assert json.loads(response.body) == {"status": word}  # and nothing else


def test_live_asks_nobody() -> None:
    engine = Engine(0)
    assert get(engine, "/livez").status == 200
    assert engine.asked == 0


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health"])
def test_head_gets_no_body(path: str) -> None:
    response = get(Engine(), path, "HEAD")
    assert (response.status, response.body) == (200, b"")


def test_a_flood_asks_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(health.time, "monotonic", lambda: now)
    engine = Engine()
    app = Health(engine)
    for _ in range(100):
        assert ask(app, http("GET", "/readyz", ()), [b""]).status == 200
    assert engine.asked == 1
    engine.status = 503
    now += 1.1
    assert ask(app, http("GET", "/readyz", ()), [b""]).status == 503
    assert engine.asked == 2


async def _many(app: App, number: int) -> set[int]:
    responses = [Response("GET") for _ in range(number)]

    async def one(response: Response) -> int:
        async def receive() -> Any:
            return {"type": "http.request"}

        async def send(message: Any) -> None:
            response.accept(message)

        await app(http("GET", "/readyz", ()), receive, send)
        return response.status

    return set(await asyncio.gather(*map(one, responses)))


def test_those_that_come_meanwhile_wait_for_the_one_that_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # On a busy machine a hundred of them take longer than the second that an answer holds.
    monkeypatch.setattr(health, "_KNOWN_S", 3600.0)
    engine = Engine(seconds=0.05)
    assert asyncio.run(_many(Health(engine), 100)) == {200}
    assert engine.asked == 1


def test_an_engine_that_says_nothing_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_PATIENCE_S", 0.05)
    assert asyncio.run(_many(Health(Engine(seconds=30)), 5)) == {503}


@pytest.mark.parametrize("path", ["/v1/models", "/readyz/", "/v1/readyz", "/healthz", "/"])
def test_nothing_else_is_touched(path: str) -> None:
    calls: list[Scope] = []
    ask(Health(untouched(calls)), http("GET", path, ()), whole=False)
    assert len(calls) == 1


# What Ray's ingress says of its models


class Replicas:
    """The handle of a model's deployment."""

    def __init__(self, *found: Any, failure: Exception | None = None) -> None:
        self.found, self.failure = found, failure

    def broadcast(self, method: str) -> "Replicas":
        assert method == "check_health"
        return self

    async def results_async(self, *, timeout_s: float, return_exceptions: bool) -> list[Any]:
        assert timeout_s > 0 and return_exceptions
        if self.failure:
            raise self.failure
        return list(self.found)


DEAD = RuntimeError("EngineDeadError")


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ([], True),
        ([Replicas(None)], True),
        ([Replicas(None, DEAD)], True),
        ([Replicas(DEAD)], False),
        ([Replicas(DEAD, DEAD)], False),
        ([Replicas()], False),
        ([Replicas(failure=TimeoutError())], False),
        ([Replicas(failure=RuntimeError("no replica"))], False),
        ([Replicas(None), Replicas(None)], True),
        ([Replicas(None), Replicas(DEAD)], False),
    ],
)
def test_each_model_needs_an_engine_that_lives(models: list[Replicas], expected: bool) -> None:
    assert asyncio.run(all_answer(models)) is expected
