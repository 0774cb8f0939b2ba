"""A stream begins with its first event; until then it can still fail, or be asked for elsewhere."""

from collections.abc import Awaitable

from app.asgi import App, Message, Receive, Scope, Send, is_event_stream, send_json
from app.edge.errors import failure
from app.streams import flatten


class LateStart:
    """Sends the start of an event stream with its first event.

    vLLM sends it before it has read the prompt. A client whose replica dies then would hold half an
    answer, where without it HAProxy asks another replica (RAY_SERVE_HAPROXY_RETRY_ON); and a stream
    that is nothing but an error would be a success.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request; a stream whose first event is an error becomes an error response."""
        if scope["type"] == "http":
            send = _Response(send)
        await self.app(scope, receive, send)


class _Response:
    """The `send` of one response, between the application and the server."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._next: Send = self._first  # what takes the next message
        self._held: Message | None = None

    def __call__(self, message: Message) -> Awaitable[None]:
        return self._next(message)

    async def _first(self, message: Message) -> None:
        if message["type"] == "http.response.start" and is_event_stream(message):
            self._held = message
        elif self._held is None or message["type"] != "http.response.body":
            await self._send(message)
        elif message.get("body") or not message.get("more_body", False):
            await self._begin(self._held, message)

    async def _begin(self, start: Message, message: Message) -> None:
        self._held = None
        first = message.get("body", b"").partition(b"\n")[0]
        if (failed := failure(first)) and start["status"] < 400:
            self._next = _drop  # the response has been sent whole
            await send_json(self._send, *failed)
        else:
            await self._send(start)
            self._next = flatten(self._send)
            await self._send(message)


async def _drop(message: Message) -> None:
    """Take a message that nobody waits for."""
