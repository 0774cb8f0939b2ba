"""ASGI plumbing that the middleware of this package shares; nothing here knows of Ray or vLLM.

Message and scope formats: https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

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


def dumped(fields: object) -> bytes:
    """Return the body of a request."""
    return json.dumps(fields, ensure_ascii=False).encode()


def with_length(of: Scope, length: int) -> Scope:
    """Return the scope of a request, or the start of a response, with a JSON body.

    Args:
        of: the scope or start as it was with another body.
        length: bytes of the body.
    """
    replaced = (b"content-length", b"transfer-encoding", b"content-type")
    headers = [(k, v) for k, v in of.get("headers", ()) if k.lower() not in replaced]
    headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % length)]
    return {**of, "headers": headers}


def retrieved(task: "asyncio.Task[None]") -> None:
    """Retrieve what a task has raised, as its callback, also where nobody waits for it."""
    if not task.cancelled():
        task.exception()


async def answer_of(app: App, scope: Scope, receive: Receive) -> tuple[int, bytes]:
    """Return the status and the body of the application's answer."""
    status, pieces = 500, []

    async def collect(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)
        pieces.append(message.get("body", b""))

    await app(scope, receive, collect)
    return status, b"".join(pieces)
