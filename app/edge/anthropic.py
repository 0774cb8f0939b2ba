"""Anthropic's shape for the errors of its API: https://platform.claude.com/docs/en/api/errors"""

import json
import re
import uuid
from typing import Any

from app.asgi import Headers, Receive, Scope, Send, header
from app.edge.errors import status_of
from app.rewriting import ResponseRewriter, Rewrite, each_line

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_ID = re.compile(r"[\w.-]{1,100}")


class AnthropicErrors(ResponseRewriter):
    """Gives what is answered under */v1/messages Anthropic's errors and its header `request-id`.

    All layers behind it, those that refuse a request included, know OpenAI's errors alone.
    """

    def rewrite(self, scope: Scope, status: int, streamed: bool) -> Rewrite | None:
        """Take error responses, and streams, in which an error can still occur."""
        if status < 400 and not streamed:
            return None
        return _Reshaped(status, _request_id(scope))

    def headers(self, scope: Scope) -> Headers:
        """Return the header that Anthropic's clients take the request's ID from."""
        return [(b"request-id", _request_id(scope).encode())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request; one of another surface passes untouched."""
        if scope["type"] != "http" or not _is_messages(scope):
            return await self.app(scope, receive, send)
        if not _request_id(scope):
            made = f"req_{uuid.uuid4().hex}".encode()
            others = [(k, v) for k, v in scope["headers"] if k.lower() != b"x-request-id"]
            scope = {**scope, "headers": [*others, (b"x-request-id", made)]}
        await super().__call__(scope, receive, send)


class _Reshaped:
    """Reshapes a body that is an error, or the error events of a stream."""

    marker = b'"error"'

    def __init__(self, status: int, request_id: str) -> None:
        self._status, self._request_id = status, request_id

    def body(self, body: bytes) -> bytes:
        """Return the error in Anthropic's shape."""
        return self._error(self._status, _error_of(body) or {})

    def lines(self, lines: bytes) -> bytes:
        """Return lines of a stream; an error gets the event's name, else clients skip it."""
        return each_line(self._line, lines)

    def _line(self, line: bytes) -> bytes:
        if not line.startswith(b"data:") or not (error := _error_of(line[5:])):
            return line
        end = b"\r" if line.endswith(b"\r") else b""
        data = b"data: " + self._error(status_of(error), error) + end
        return data if "code" not in error else b"event: error" + end + b"\n" + data

    def _error(self, status: int, error: dict[str, Any]) -> bytes:
        kind = _TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
        if "code" not in error:  # the surface's own event, which has Anthropic's type already
            kind = error.get("type", kind)
        inner = {"type": kind, "message": error.get("message") or "The request failed."}
        whole = {"type": "error", "error": inner, "request_id": self._request_id}
        return json.dumps(whole).encode()


def _error_of(data: bytes) -> dict[str, Any] | None:
    """Return the error object of a body or an event, None for what is no error."""
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        return None
    error = payload.get("error") if isinstance(payload, dict) else None
    return error if isinstance(error, dict) else None


def _is_messages(scope: Scope) -> bool:
    path = f"{scope['path']}/"
    return "/v1/messages/" in path


def _request_id(scope: Scope) -> str:
    """Return the request's ID, in the header that Ray's proxy sets or passes on; "" without one."""
    given = header(scope["headers"], b"x-request-id").decode("latin-1")
    return given if _ID.fullmatch(given) else ""
