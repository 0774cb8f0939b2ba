"""A server and its client for tests of ASGI middleware, with no waiting.

`ask` runs one request. It insists on what a real server insists on (one start, nothing after the
end, a content-length that is true), and whatever would wait for ever fails instead.
"""

import asyncio
import json
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

from app.asgi import App, Headers, Message, Receive, Scope, Send

JSON = (b"content-type", b"application/json")
SSE = (b"content-type", b"text/event-stream; charset=utf-8")
CHAT = "/v1/chat/completions"


@dataclass
class Response:
    """What the client has received."""

    method: str = "POST"
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    ended: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def error(self) -> dict[str, Any]:
        """The error object, which must be all that the body has, and OpenAI's four fields."""
        assert self.header("content-type") == "application/json"
        return openai_error(json.loads(self.body))

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key.lower() == name.encode()]
        assert len(values) <= 1, f"{name} is there {len(values)} times"
        return values[0].decode() if values else None

    def accept(self, message: Message) -> None:
        """Take one message as a server does, or fail as it fails."""
        assert not self.ended, f"a message after the end: {message}"
        if message["type"] == "http.response.start":
            assert not self.status, "a second start"
            self.status, self.headers = message["status"], list(message.get("headers", ()))
            return
        assert message["type"] == "http.response.body"
        assert self.status, "a body before the start"
        self.chunks.append(message.get("body", b""))
        self.ended = not message.get("more_body", False)
        length = self.header("content-length")
        if self.method == "HEAD":
            assert not self.body, "a body in answer to HEAD"
        elif self.ended and length is not None:
            assert int(length) == len(self.body)


def openai_error(payload: Any) -> dict[str, Any]:
    """Return the error object of a body, which must have exactly OpenAI's shape."""
    assert list(payload) == ["error"]
    error: dict[str, Any] = payload["error"]
    assert list(error) == ["message", "type", "param", "code"]
    assert isinstance(error["message"], str) and error["message"]
    assert isinstance(error["type"], str) and error["type"]
    assert error["param"] is None or isinstance(error["param"], str)
    assert error["code"] is None or isinstance(error["code"], str)
    return error


def http(method: str = "POST", path: str = CHAT, headers: Headers = (JSON,)) -> Scope:
    """Return the scope of a request."""
    return {"type": "http", "method": method, "path": path, "headers": list(headers)}


def ask(
    app: App, scope: Scope | None = None, body: Iterable[bytes] = (b"{}",), *, whole: bool = True
) -> Response:
    """Send a request and return the response.

    Args:
        app: what to ask.
        scope: the request; a chat completion by default.
        body: the pieces in which its body arrives.
        whole: whether the response must come to an end.
    """
    scope = scope or http()
    response = Response(scope.get("method", "POST"))
    pieces = list(body)
    incoming = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, 1)
    ]

    async def receive() -> Message:
        if incoming:
            return incoming.pop(0)
        raise WouldWaitForEver("the client has nothing more to say")

    async def send(message: Message) -> None:
        response.accept(message)

    run(app(scope, receive, send))
    assert response.ended or not whole, "the response has no end"
    return response


class WouldWaitForEver(BaseException):
    """Not an Exception, so that no middleware takes it for a failure of the application."""


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never has to wait for anything outside of it."""
    task = _LOOP.create_task(coroutine)
    for _ in range(_TURNS):
        if task.done():
            return task.result()
        _LOOP.call_soon(_LOOP.stop)
        _LOOP.run_forever()
    task.cancel()
    _LOOP.run_until_complete(asyncio.wait([task]))
    raise WouldWaitForEver("a coroutine waits")


_LOOP = asyncio.new_event_loop()
_TURNS = 60  # of the event loop, each of which lets all run that can


def answer(
    status: int = 200,
    body: bytes | Iterable[bytes] = b"{}",
    headers: Headers = (JSON,),
    *,
    then: BaseException | None = None,
    cut: bool = False,
) -> App:
    """Return an application that gives one answer.

    Args:
        status: its status.
        body: its body, or the pieces of it, a message each.
        headers: its headers.
        then: what is raised in the end.
        cut: whether the body is left without an end.
    """
    pieces = [body] if isinstance(body, bytes) else list(body)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        for number, piece in enumerate(pieces, 1):
            more = cut or number < len(pieces)
            await send({"type": "http.response.body", "body": piece, "more_body": more})
        if then is not None:
            raise then

    return app


def stream(pieces: Iterable[bytes], **options: Any) -> App:
    """Return an application that answers with an event stream in these pieces."""
    return answer(200, pieces, (SSE,), **options)


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """The application behind: reads the request whole and says how long its body was."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await answer(200, b'{"read":%d}' % size)(scope, receive, send)


def untouched(calls: list[Scope]) -> App:
    """Return an application that records that it was asked, for scopes of any type."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        calls.append(scope)

    return app
