"""Middleware that rewrites JSON bodies whole and event streams line by line."""

from collections.abc import Callable
from typing import Protocol

from app.asgi import App, Headers, Message, Receive, Scope, Send, is_event_stream
from app.streams import Edit, SendWrapper


class Rewrite(Protocol):
    """What a `ResponseRewriter` does to one response; made anew for each, so it may keep state."""

    marker: bytes  # without which lines stay as they are

    def lines(self, lines: bytes) -> bytes:
        """Return what replaces some lines of an event stream, which have the marker in them."""

    def body(self, body: bytes) -> bytes:
        """Return what replaces a whole body that is not a stream."""


def each_line(rewrite: Callable[[bytes], bytes], lines: bytes) -> bytes:
    """Return some lines, each as `rewrite` has it."""
    return b"\n".join(map(rewrite, lines.split(b"\n")))


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


class _Response(SendWrapper):
    """The `send` of one response, between the application and the server."""

    def __init__(self, middleware: ResponseRewriter, scope: Scope, send: Send) -> None:
        super().__init__(send)
        self._middleware, self._scope = middleware, scope
        self._rewrite: Rewrite | None = None
        self._held_start: Message | None = None  # a whole body's length is known only at its end
        self._tail = b""  # a line still incomplete, or all of a body that is not a stream

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif message["type"] != "http.response.body" or self._rewrite is None:
            await self.send(message)
        elif self._held_start is not None:
            await self._whole(self._held_start, self._rewrite, message)
        else:
            await self._lines(self._rewrite, message)

    def edit(self) -> Edit | None:
        rewrite = self._rewrite
        if rewrite is None:
            return None

        def edit(data: bytes) -> bytes:
            if self._tail or not data.endswith(b"\n"):
                data = self._whole_lines(data)
            return rewrite.lines(data) if rewrite.marker in data else data

        return edit

    async def _start(self, message: Message) -> None:
        if added := self._middleware.headers(self._scope):
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        streamed = message["status"] < 400 and is_event_stream(message)
        self._rewrite = self._middleware.rewrite(self._scope, message["status"], streamed)
        if self._rewrite is None or streamed:
            await self.send(message)
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
        await self.send({**start, "headers": headers})
        if self._scope.get("method") == "HEAD":
            body = b""
        await self.send({**message, "body": body})

    async def _lines(self, rewrite: Rewrite, message: Message) -> None:
        data = message.get("body", b"")
        if message.get("more_body", False):
            data = self._whole_lines(data)
            if not data:
                return
        else:
            data, self._tail = self._tail + data, b""
        if rewrite.marker in data:
            data = rewrite.lines(data)
        await self.send({**message, "body": data})

    def _whole_lines(self, data: bytes) -> bytes:
        """Return the lines that are whole now, and keep the rest."""
        data = self._tail + data
        end = data.rfind(b"\n") + 1
        self._tail = data[end:]
        return data[:end]
