"""One shape for every error: OpenAI's, with no internals of Ray or vLLM in it.

The shape and its types: https://platform.openai.com/docs/guides/error-codes
"""

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from app.asgi import (
    Message,
    Receive,
    Scope,
    Send,
    header,
    is_event_stream,
    send_json,
)
from app.edge.wording import plain
from app.rewriting import ResponseRewriter, Rewrite, each_line
from app.streams import Edit, SendWrapper

log = logging.getLogger("hybrid_llm.errors")

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_CODES = {
    401: "invalid_api_key",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "request_too_large",
    415: "unsupported_media_type",
    429: "rate_limit_exceeded",
    503: "overloaded",
}
# What a client may know of a failure on our side; the log has the rest.
_SERVER_MESSAGES = {
    503: "The model is starting, draining or overloaded. Try again shortly.",
    504: "The model did not answer in time.",
}
_SERVER_MESSAGE = "The server failed while it processed the request."
# With what a stream has come to its end, {surface: events}; elsewhere it is [DONE]
_ENDS = {
    "messages": (b"\nevent: message_stop\n", b"\nevent: error\n"),
    "responses": (
        b"\nevent: response.completed\n",
        b"\nevent: response.incomplete\n",
        b"\nevent: response.failed\n",
        b"\nevent: error\n",
    ),
}
_FIELD = re.compile(r"[\w.\[\]-]{1,100}")
_CODE = re.compile(r"[a-z_]{1,100}")


def error(
    status: int, message: str, *, code: str | None = None, param: str | None = None
) -> dict[str, Any]:
    """Return OpenAI's error object.

    Args:
        status: the HTTP status it goes with, which decides its `type` and its usual `code`.
        message: what happened and what to do, for people.
        code: a word for programs; by default the status's own.
        param: the request field at fault.
    """
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    code = code or _CODES.get(status)
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def status_of(error: Mapping[str, Any]) -> int:
    """Return the HTTP status that goes with the object inside OpenAI's error object."""
    code, kind = error.get("code"), error.get("type")
    if code == "model_not_found":
        return 404
    found = next((status for status, name in _CODES.items() if name == code), None)
    found = found or next((status for status, name in _TYPES.items() if name == kind), None)
    return found or (500 if kind == "server_error" else 400)


class Refusal(Exception):
    """A request that can't be done as it is asked; `error` is the answer's body."""

    def __init__(
        self, param: str | None, message: str, code: str | None = None, status: int = 400
    ) -> None:
        """Take the words of the answer.

        Args:
            param: the request's field at fault.
            message: what is wrong with it and what to do.
            code: a word for programs.
            status: 400, or 403 for what this key may not.
        """
        super().__init__(message)
        self.status, self.code = status, code or "invalid_value"
        self.error = error(status, message, code=code, param=param)


def reshape(status: int, payload: object, request_id: str = "") -> dict[str, Any]:
    """Return OpenAI's error object for whatever the layers below answered.

    Args:
        status: the HTTP status of the answer.
        payload: its body: the parsed JSON (OpenAI's, vLLM's, FastAPI's or Ray's shape) or text.
        request_id: named in the message of a failure on our side, so that it can be found in a log.
    """
    if status >= 500:
        message = _SERVER_MESSAGES.get(status, _SERVER_MESSAGE)
        if request_id:
            message += f" Request ID: {request_id}"
        return error(status, message)
    message, code, param = _read(payload)
    message, field = plain(message)
    if field is not None:  # then Ray's own param is not a field's name but what the client sent
        param = field
    if status == 404 and "model" in message.lower():
        code, param = "model_not_found", "model"
    # a name from outside can be anything, and Ray's is megabytes at times
    param = param if param and _FIELD.fullmatch(param) else None
    return error(status, message or "The request failed.", code=code, param=param)


def _read(payload: object) -> tuple[str, str | None, str | None]:
    """Return the message, code and param of an error in any of the shapes that occur."""
    inner = payload
    if isinstance(inner, dict):
        inner = inner.get("error") or inner.get("detail") or inner
    if isinstance(inner, list) and inner and isinstance(inner[0], dict):  # FastAPI: one a field
        message, place = inner[0].get("msg"), inner[0].get("loc")
        if place and isinstance(place, list):  # now in Ray's wording
            place = tuple(part for part in place if isinstance(part, (str, int)))
            message = f"Invalid request format: {message or 'Invalid value'} at {place}"
        inner = {"message": message}
    if not isinstance(inner, dict):
        inner = {"message": inner}
    message, code, param = (inner.get(key) for key in ("message", "code", "param"))
    return (
        message if isinstance(message, str) else "",
        code if isinstance(code, str) and _CODE.fullmatch(code) else None,
        param if isinstance(param, str) else None,
    )


def failure(line: bytes) -> tuple[int, dict[str, Any]] | None:
    """Return the HTTP status and the payload of a line of an event stream that is an error."""
    if not line.startswith(b"data:") or b'"error"' not in line:
        return None
    try:
        payload = json.loads(line[5:])
    except (ValueError, RecursionError):
        return None
    if not isinstance(payload, dict) or payload.get("type") == "error":
        return None  # the latter is the Messages API's own
    inner = payload if payload.get("object") == "error" else payload.get("error")
    if not inner:
        return None
    code = inner.get("code") if isinstance(inner, dict) else None
    return code if isinstance(code, int) and 400 <= code <= 599 else 500, payload


class _Reshaped:
    """Reshapes a body that is an error, or the error events of a stream."""

    marker = b'"error"'

    def __init__(self, status: int, request_id: str) -> None:
        self._status, self._request_id = status, request_id

    def body(self, body: bytes) -> bytes:
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError):
            payload = body.decode(errors="replace")
        return json.dumps(reshape(self._status, payload, self._request_id)).encode()

    def lines(self, lines: bytes) -> bytes:
        return each_line(self._line, lines)

    def _line(self, line: bytes) -> bytes:
        failed = failure(line)
        if failed is None:
            return line
        data = json.dumps(reshape(*failed, self._request_id)).encode()
        return b"data: " + data + (b"\r" if line.endswith(b"\r") else b"")


class OpenAIErrors(ResponseRewriter):
    """Gives every error OpenAI's shape: error responses, error events in streams, exceptions."""

    def rewrite(self, scope: Scope, status: int, streamed: bool) -> Rewrite | None:
        """Take error responses, and streams, in which an error can still occur."""
        if status < 400 and not streamed:
            return None
        return _Reshaped(status, _request_id(scope))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request; an exception becomes a 500, or an error event in a running stream."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        response = _Watched(scope, send)
        try:
            await super().__call__(scope, receive, response)
        except Exception:
            log.exception("request %s failed", _request_id(scope) or "without an ID")
            failure = reshape(500, "", _request_id(scope))
            if not response.started:
                body = scope["method"] != "HEAD"
                return await send_json(send, 500, failure, body=body)
            if not response.streamed or response.done:
                await response.finish()
                raise
            # A new event in any case, also where the one before broke off.
            await response.finish(b"\ndata: %b\n\n" % json.dumps(failure).encode())
        else:
            await response.finish()


class _Watched(SendWrapper):
    """The `send` of one response, which keeps the end of a stream until it is known to be one.

    Starlette ends a stream and only then raises what broke it off.
    """

    def __init__(self, scope: Scope, send: Send) -> None:
        super().__init__(send)
        self._path = scope["path"]
        self.started = self.streamed = False
        self._seen = b""  # the last that was sent
        self._last: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started, self.streamed = True, is_event_stream(message)
        elif self.streamed:
            self._see(message.get("body", b""))
            if not message.get("more_body", False):
                self._last = message
                return
        await self.send(message)

    def edit(self) -> Edit | None:
        return self._see if self.streamed else None

    @property
    def done(self) -> bool:
        """Whether the stream has come to its own end."""
        ends = _ENDS.get(self._path.rpartition("/")[2], (b"\ndata: [DONE]",))
        return any(end in b"\n" + self._seen for end in ends)

    async def finish(self, event: bytes = b"") -> None:
        """Send what was kept, with a last event behind it."""
        if self._last is not None:
            await self.send({**self._last, "body": self._last.get("body", b"") + event})
        elif event:
            await self.send({"type": "http.response.body", "body": event})

    def _see(self, body: bytes) -> bytes:
        if body:
            self._seen = body
        return body


def _request_id(scope: Scope) -> str:
    """Return the request's ID, in the header that Ray's proxy sets or passes on."""
    given = header(scope["headers"], b"x-request-id").decode("latin-1")
    return given if _FIELD.fullmatch(given) else ""
