"""What a request must be before anything parses it: JSON, and not too large."""

import os
import re

from app.asgi import App, Message, Receive, Scope, Send, header, send_json
from app.edge.errors import error

# A prompt of 32,768 tokens is about 150 KB of English; 4 MiB has room for any script and escaping.
DEFAULT_MAX_BODY_BYTES = 4 * 2**20
_JSON = re.compile(rb"application/(?:[\w.+-]+\+)?json")  # what FastAPI, too, takes for JSON
# A client sees the refusal only once it has sent its body, so that much of it is read and dropped.
_DRAINED_BYTES = 64 * 2**20


class RequestLimits:
    """Refuses bodies that are not JSON (415; Ray answers 500) or too large (413).

    The limit in bytes is $HYBRID_LLM_MAX_BODY_BYTES. Uploads of sound (multipart forms) are let
    through at any size.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._limit = int(os.environ.get("HYBRID_LLM_MAX_BODY_BYTES", DEFAULT_MAX_BODY_BYTES))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request, or answer it with an error."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        media_type = header(scope["headers"], b"content-type").split(b";")[0].strip().lower()
        if media_type == b"multipart/form-data" and "/audio/" in scope["path"]:
            return await self.app(scope, receive, send)
        if not _JSON.fullmatch(media_type):
            given = media_type.decode("latin-1") or "none"
            message = f"Content-Type must be application/json, not {given}."
            await _drain(receive, 0)
            return await send_json(send, 415, error(415, message))
        declared = header(scope["headers"], b"content-length")
        # Python refuses to parse thousands of digits; 20 are too large as well
        length = int(declared[:20]) if declared.isdigit() else 0
        if length > self._limit:
            if length <= _DRAINED_BYTES:
                await _drain(receive, 0)
            return await self._refuse(send)

        read = 0
        refused = started = False

        async def limited() -> Message:
            nonlocal read, refused
            if refused:
                return {"type": "http.disconnect"}
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                refused = read > self._limit and not started
                if refused and message.get("more_body", False):
                    await _drain(receive, read)
            return {"type": "http.disconnect"} if refused else message

        async def watched(message: Message) -> None:
            nonlocal started
            if not refused:  # else it is what the application makes of a body that breaks off
                started = True
                await send(message)

        try:
            await self.app(scope, limited, watched)
        except Exception:
            if not refused:
                raise
        if refused:
            await self._refuse(send)

    async def _refuse(self, send: Send) -> None:
        message = f"The request body is larger than {self._limit} bytes."
        await send_json(send, 413, error(413, message))


async def _drain(receive: Receive, read: int) -> None:
    """Read the rest of a body of which `read` bytes have come, but no more than is worth it."""
    more = True
    while more and read <= _DRAINED_BYTES:
        message = await receive()
        read += len(message.get("body", b""))
        more = message.get("more_body", False)
