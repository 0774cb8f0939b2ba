"""What a request must be before anything parses it: JSON, not too large, and here in time."""

import asyncio
import os
import re

from app.asgi import App, Message, Receive, Scope, Send, header, replayed, send_json
from app.edge.errors import error
from app.edge.fixed import Edge, values_of

# A prompt of 32,768 tokens is about 150 KB of English; 4 MiB has room for any script and escaping.
DEFAULT_MAX_BODY_BYTES = 4 * 2**20
_JSON = re.compile(rb"application/(?:[\w.+-]+\+)?json")  # what FastAPI, too, takes for JSON
# A client sees the refusal only once it has sent its body, so that much of it is read and dropped.
_DRAINED_BYTES = 64 * 2**20
# Of a client that is too slow the rest is not waited for.
_CLOSE = ((b"connection", b"close"),)


class RequestLimits:
    """Refuses bodies that are not JSON (415; Ray answers 500), too large (413) or too slow (408).

    The limit in bytes is $HYBRID_LLM_MAX_BODY_BYTES. Uploads of sound (multipart forms) are let
    through at any size. A body goes on when it is whole, so a slow client takes nobody's time.
    """

    def __init__(self, app: App, edge: Edge | None = None) -> None:
        """Take the values.

        Args:
            app: the application behind.
            edge: the values; those of $HYBRID_LLM_EDGE by default.
        """
        self.app = app
        self._limit = int(os.environ.get("HYBRID_LLM_MAX_BODY_BYTES", DEFAULT_MAX_BODY_BYTES))
        self._seconds = values_of(edge).request_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request, or answer it with an error."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        media_type = header(scope["headers"], b"content-type").split(b";")[0].strip().lower()
        if media_type == b"multipart/form-data" and "/audio/" in scope["path"]:
            return await self.app(scope, receive, send)
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._body(scope, media_type, receive)
        except TimeoutError:
            message = f"The request did not arrive within {self._seconds:g} seconds."
            return await send_json(send, 408, error(408, message), _CLOSE)
        except _Refused as refused:
            status, message = refused.args
            return await send_json(send, status, error(status, message))
        if body is not None:  # else nobody waits for an answer
            await self.app(scope, replayed(body, receive), send)

    async def _body(self, scope: Scope, media_type: bytes, receive: Receive) -> bytes | None:
        """Return the whole body, None when it breaks off.

        Raises:
            _Refused: it is no JSON or too large.
        """
        if not _JSON.fullmatch(media_type):
            await _drain(receive, 0)
            given = media_type.decode("latin-1") or "none"
            raise _Refused(415, f"Content-Type must be application/json, not {given}.")
        declared = header(scope["headers"], b"content-length")
        # Python refuses to parse thousands of digits; 20 are too large as well
        length = int(declared[:20]) if declared.isdigit() else 0
        too_large = _Refused(413, f"The request body is larger than {self._limit} bytes.")
        if length > self._limit:
            if length <= _DRAINED_BYTES:
                await _drain(receive, 0)
            raise too_large
        pieces: list[bytes] = []
        read, more = 0, True
        while more:
            message: Message = await receive()
            if message["type"] != "http.request":
                return None
            pieces.append(message.get("body", b""))
            read += len(pieces[-1])
            more = message.get("more_body", False)
            if read > self._limit:
                pieces.clear()
                if more:
                    await _drain(receive, read)
                raise too_large
        return b"".join(pieces)


class _Refused(Exception):
    """The status and the words of a refusal."""


async def _drain(receive: Receive, read: int) -> None:
    """Read the rest of a body of which `read` bytes have come, but no more than is worth it."""
    more = True
    while more and read <= _DRAINED_BYTES:
        message = await receive()
        read += len(message.get("body", b""))
        more = message.get("more_body", False)
