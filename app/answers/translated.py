"""What the answers of the further API surfaces share: they are made out of a chat completion."""

import json
from typing import Any, Protocol

from app.asgi import Message, Send, is_event_stream
from app.edge.errors import failure, reshape
from app.streams import Edit, SendWrapper


class Answer(Protocol):
    """Turns the answer to one request back; made anew for each, so it may keep state.

    What it raises reaches the outer layers as an exception of the application.
    """

    def whole(self, body: bytes) -> dict[str, Any]:
        """Return what replaces a whole chat completion."""

    def event(self, data: bytes) -> bytes:
        """Return the events that replace one chunk of a streamed chat completion."""

    def done(self) -> bytes | None:
        """Return the last events of a stream; None if the answer is not complete."""

    def failed(self, status: int, error: dict[str, Any]) -> bytes:
        """Return the events that end a stream that failed.

        Args:
            status: the HTTP status of the failure.
            error: the object inside OpenAI's error object.
        """

    def close(self) -> None:
        """Let go of what the answer holds; nothing is asked of it any more."""


class TranslatedResponse(SendWrapper):
    """The `send` of one response, between the application and the server."""

    def __init__(self, answer: Answer, send: Send) -> None:
        super().__init__(send)
        self._answer = answer
        self._streamed = False
        self._start: Message | None = None  # a whole body's length is known only at its end
        self._tail = b""  # a line still incomplete, or all of a body that is not a stream
        self._ended = False  # the surface's stream has had its last event
        self._last: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._streamed = message["status"] == 200 and is_event_stream(message)
            if self._streamed or message["status"] != 200:
                return await self.send(message)
            self._start = message
        elif message["type"] != "http.response.body":
            await self.send(message)
        elif self._streamed:
            await self._lines(message)
        elif self._start is not None:
            await self._whole(self._start, message)
        else:
            await self.send(message)

    def edit(self) -> Edit | None:
        return self._events if self._streamed else None

    async def finish(self) -> None:
        """End a stream that the application has ended; without its last event, as a failure.

        Only when the application has returned is that known: Starlette ends a stream that an
        exception breaks off, too, and then the outer layers add the error.
        """
        if self._last is not None:
            body = self._last["body"] + self._failed(500, {})
            await self.send({**self._last, "body": body})

    async def _whole(self, start: Message, message: Message) -> None:
        self._tail += message.get("body", b"")
        if message.get("more_body", False):
            return
        body = json.dumps(self._answer.whole(_named(self._tail))).encode()
        kept = [(k, v) for k, v in start.get("headers", ()) if k.lower() != b"content-length"]
        length = (b"content-length", b"%d" % len(body))
        await self.send({**start, "headers": [*kept, length]})
        await self.send({**message, "body": body})

    async def _lines(self, message: Message) -> None:
        body = self._events(message.get("body", b""))
        more = message.get("more_body", False)
        if not more:
            body += self._line(self._tail)
        message = {**message, "body": body}
        if not more and not self._ended:
            self._last = message
        elif body or not more:
            await self.send(message)

    def _events(self, data: bytes) -> bytes:
        """Return what replaces some bytes of the stream."""
        *lines, self._tail = (self._tail + data).split(b"\n")
        return b"".join(map(self._line, lines))

    def _line(self, line: bytes) -> bytes:
        if self._ended:
            return b""
        if line.startswith(b":"):  # a comment, which keeps a connection alive
            return line.rstrip() + b"\n\n"
        if not line.startswith(b"data:"):
            return b""
        if failed := failure(line):
            return self._failed(*failed)
        data = line[5:].strip()
        if data != b"[DONE]":
            return self._answer.event(_named(data))
        events = self._answer.done()
        self._ended = True
        return self._failed(500, {}) if events is None else events

    def _failed(self, status: int, payload: object) -> bytes:
        self._ended = True
        return self._answer.failed(status, reshape(status, payload)["error"])


def _named(data: bytes) -> bytes:
    """Return JSON of a chat completion with the thinking under vLLM's name for it."""
    if b'"reasoning":' in data:  # as a key; inside a JSON string the quotes are escaped
        return data
    return data.replace(b'"reasoning_content":', b'"reasoning":')
