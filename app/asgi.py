"""ASGI plumbing that the middleware of this package shares; nothing here knows of Ray or vLLM.

Message and scope formats: https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Protocol

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]


def header(headers: Headers, name: bytes) -> bytes:
    """Return the value of the first header called `name` (lower case), or b"" without one."""
    return next((value for key, value in headers if key.lower() == name), b"")


def is_event_stream(start: Message) -> bool:
    """Tell whether a response that begins with `start` is a stream of server-sent events."""
    media_type = header(start.get("headers", ()), b"content-type")
    return media_type.lower().startswith(b"text/event-stream")


async def send_json(
    send: Send, status: int, payload: object, headers: Headers = (), *, body: bool = True
) -> None:
    """Send one whole JSON response; `body=False` sends its headers alone, as HEAD requires."""
    data = json.dumps(payload).encode()
    length = (b"content-length", b"%d" % len(data))
    start = [(b"content-type", b"application/json"), length, *headers]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": data if body else b""})


async def whole_body(receive: Receive) -> bytes | None:
    """Return the request's body, None when it breaks off."""
    pieces = []
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body first and then what comes after it."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


async def answer_of(app: App, scope: Scope, receive: Receive) -> tuple[int, bytes]:
    """Return the status and the body of the application's answer."""
    status, pieces = 500, []

    async def collect(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)
        pieces.append(message.get("body", b""))

    await app(scope, receive, collect)
    return status, b"".join(pieces)


class Rewrite(Protocol):
    """What a `ResponseRewriter` does to one response; made anew for each, so it may keep state."""

    marker: bytes  # bytes without which a line stays as it is

    def line(self, line: bytes) -> bytes:
        """Return what replaces one line (without its newline) of an event stream."""

    def body(self, body: bytes) -> bytes:
        """Return what replaces a whole body that is not a stream."""


class ResponseRewriter:
    """Middleware that rewrites JSON bodies whole and event streams (SSE) line by line.

    A subclass says in `rewrite` which responses it wants. A line that arrives in pieces is held
    back until it is whole; all else is passed on at once.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    def rewrite(self, scope: Scope, status: int, streamed: bool) -> Rewrite | None:
        """Return the rewrite for this response, or None to pass it through untouched.

        Args:
            scope: the request's ASGI scope.
            status: the response's HTTP status.
            streamed: whether the response is an event stream.
        """
        raise NotImplementedError

    def headers(self, scope: Scope) -> Headers:
        """Return what is added to the headers of every response."""
        return ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request; the response goes through `rewrite`."""
        if scope["type"] == "http":
            send = _Response(self, scope, send)
        await self.app(scope, receive, send)


class _Response:
    """The `send` of one response, between the application and the server."""

    def __init__(self, middleware: ResponseRewriter, scope: Scope, send: Send) -> None:
        self._middleware, self._scope, self._send = middleware, scope, send
        self._rewrite: Rewrite | None = None
        self._held_start: Message | None = None  # a whole body's length is known only at its end
        self._tail = b""  # a line still incomplete, or all of a body that is not a stream

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif message["type"] != "http.response.body" or self._rewrite is None:
            await self._send(message)
        elif self._held_start is not None:
            await self._whole(self._held_start, self._rewrite, message)
        else:
            await self._lines(self._rewrite, message)

    async def _start(self, message: Message) -> None:
        if added := self._middleware.headers(self._scope):
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        streamed = message["status"] < 400 and is_event_stream(message)
        self._rewrite = self._middleware.rewrite(self._scope, message["status"], streamed)
        if self._rewrite is None or streamed:
            await self._send(message)
        else:
            self._held_start = message

    async def _whole(self, start: Message, rewrite: Rewrite, message: Message) -> None:
        self._tail += message.get("body", b"")
        if message.get("more_body", False):
            return
        body = rewrite.body(self._tail)
        replaced = (b"content-length", b"content-type")
        headers = [(k, v) for k, v in start.get("headers", ()) if k.lower() not in replaced]
        headers += [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
        ]
        await self._send({**start, "headers": headers})
        if self._scope.get("method") == "HEAD":
            body = b""
        await self._send({**message, "body": body})

    async def _lines(self, rewrite: Rewrite, message: Message) -> None:
        data = message.get("body", b"")
        more = message.get("more_body", False)
        if self._tail:
            data, self._tail = self._tail + data, b""
        if more and not data.endswith(b"\n"):
            end = data.rfind(b"\n") + 1
            data, self._tail = data[:end], data[end:]
            if not data:
                return
        if rewrite.marker in data:
            data = b"\n".join(map(rewrite.line, data.split(b"\n")))
        await self._send({**message, "body": data})
