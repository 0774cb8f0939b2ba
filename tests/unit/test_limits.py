"""What a request body must be: JSON, not too large, and here in time."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asgi_client import (
    CHAT,
    JSON,
    Message,
    Receive,
    Response,
    Scope,
    Send,
    answer,
    ask,
    hello,
    http,
    run,
    untouched,
)

from app.edge.fixed import Edge
from app.edge.limits import DEFAULT_MAX_BODY_BYTES, RequestLimits

LIMIT = 100


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRID_LLM_MAX_BODY_BYTES", str(LIMIT))


def post(
    body: list[bytes], media_type: str | None = "application/json", length: str | None = None
) -> Response:
    """Send a body; `length` is what its content-length claims."""
    headers = [(b"Content-Type", media_type.encode())] if media_type is not None else []
    headers += [(b"Content-Length", length.encode())] if length is not None else []
    return ask(RequestLimits(hello), http(headers=headers), body)


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON",
        "application/json ; charset=utf-8",
        "application/vnd.api+json",
    ],
)
def test_json_passes(media_type: str) -> None:
    assert post([b"{}"], media_type).body == b'{"read":2}'


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "text/x+json",
        "image/+json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonl",
        "application/json, text/plain",
        "json",
        "application/",
        "text/plain; x=application/json",
        "application/json\xff",
    ],
)
def test_other_media_types_are_refused(media_type: str | None) -> None:
    response = post([b"{}"], media_type)
    assert response.status == 415
    assert response.error["code"] == "unsupported_media_type"
    assert response.error["type"] == "invalid_request_error"
    assert "application/json" in response.error["message"]


def test_the_refusal_names_what_was_sent() -> None:
    assert "text/plain" in post([b""], "text/plain; charset=x").error["message"]
    assert "none" in post([b""], None).error["message"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_requests_without_a_body_pass(method: str) -> None:
    calls: list[Scope] = []
    ask(RequestLimits(untouched(calls)), http(method, "/v1/models", []), whole=False)
    assert len(calls) == 1


def test_sound_passes_at_any_size() -> None:
    headers = [(b"content-type", b"multipart/form-data; boundary=x"), (b"content-length", b"999")]
    app = RequestLimits(hello)
    scope = http(path="/v1/audio/transcriptions", headers=headers)
    assert ask(app, scope, [b"x" * 999]).body == b'{"read":999}'


def test_json_for_the_audio_api_is_limited_as_any_other() -> None:
    scope = http(path="/v1/audio/speech")
    assert ask(RequestLimits(hello), scope, [b"x" * (LIMIT + 1)]).status == 413


PIECES: list[Callable[[int], list[bytes]]] = [
    lambda size: [b"x" * size],
    lambda size: [b"x"] * size,
    lambda size: [b"x" * (size - 1), b"x"],
    lambda size: [b"", b"x" * size, b""],
]


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
@pytest.mark.parametrize("pieces", PIECES, ids=["whole", "bytes", "last byte", "empty pieces"])
def test_the_limit_is_exact(pieces: Callable[[int], list[bytes]], declared: bool) -> None:
    for size in (1, LIMIT - 1, LIMIT):
        length = str(size) if declared else None
        assert post(pieces(size), length=length).body == b'{"read":%d}' % size
    for size in (LIMIT + 1, LIMIT * 9):
        response = post(pieces(size), length=str(size) if declared else None)
        assert response.status == 413
        assert response.error["code"] == "request_too_large"
        assert str(LIMIT) in response.error["message"]


def test_the_limit_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYBRID_LLM_MAX_BODY_BYTES")
    size = DEFAULT_MAX_BODY_BYTES
    assert post([b"x" * size], length=str(size)).status == 200
    assert post([b"x" * size, b"x"]).status == 413


@pytest.mark.parametrize("length", ["", "-1", "1e9", "ten", "0x10", "+5", "\xb2", "0" * 30, "5 "])
def test_a_length_that_is_no_number_says_nothing(length: str) -> None:
    assert post([b"{}"], length=length).status == 200
    assert post([b"x" * (LIMIT + 1)], length=length).status == 413


def test_a_length_of_thousands_of_digits_is_too_large() -> None:
    assert post([b"{}"], length="9" * 5000).status == 413


def test_a_length_that_lies_does_not_help() -> None:
    assert post([b"x" * (LIMIT + 1)], length="5").status == 413


class Wire:
    """A client that counts how much of its body is read before it gets an answer."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces, self.response = pieces, Response()
        self.left_at_answer: int | None = None

    async def receive(self) -> Message:
        if not self.pieces:
            return {"type": "http.disconnect"}
        piece = self.pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(self.pieces)}

    async def send(self, message: Message) -> None:
        if self.left_at_answer is None:
            self.left_at_answer = len(self.pieces)
        self.response.accept(message)

    def post(self, app: Any, *headers: tuple[bytes, bytes]) -> None:
        run(RequestLimits(app)(http(headers=[*headers, JSON]), self.receive, self.send))


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
def test_a_client_is_heard_out_before_it_is_refused(declared: bool) -> None:
    """Most clients read no answer while they write, and report a broken connection instead."""
    wire = Wire([b"x" * 60] * 50)
    wire.post(hello, *[(b"content-length", b"3000")] * declared)
    assert (wire.response.status, wire.left_at_answer) == (413, 0)
    wire = Wire([b"x" * 60] * 50)
    wire.post(hello, (b"content-type", b"text/plain"))
    assert (wire.response.status, wire.left_at_answer) == (415, 0)


@pytest.mark.parametrize("declared", [b"9" * 9, b"70000000", None], ids=["huge", "some", "none"])
def test_nobody_is_heard_out_for_ever(declared: bytes | None) -> None:
    mebibyte = b"x" * 2**20
    wire = Wire([mebibyte] * 500)
    wire.post(hello, *([(b"content-length", declared)] if declared else []))
    assert wire.response.status == 413
    assert wire.left_at_answer is not None
    assert wire.left_at_answer == 500 if declared else 400 < wire.left_at_answer < 500


def test_a_client_that_leaves_ends_the_request() -> None:
    wire = Wire([])
    wire.post(hello, (b"content-length", b"3000"))
    assert wire.response.status == 413
    wire = Wire([])
    calls: list[Scope] = []
    wire.post(untouched(calls))
    assert (wire.response.status, calls) == (0, [])


def test_only_the_refusal_reaches_the_client() -> None:
    calls: list[Scope] = []
    response = ask(RequestLimits(untouched(calls)), body=[b"x" * 60, b"x" * 60, b"x" * 60])
    assert (response.status, calls) == (413, [])
    assert response.error["code"] == "request_too_large"


async def listens_on(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads a body, and waits for the end of the connection as Starlette does while it streams."""
    assert await receive() == {"type": "http.request", "body": b"{}", "more_body": False}
    assert (await receive())["type"] == "http.disconnect"
    await answer(200)(scope, receive, send)


def test_the_application_hears_of_a_client_that_leaves() -> None:
    wire = Wire([b"{", b"}"])
    wire.post(listens_on)
    assert wire.response.status == 200


# A client that takes its time


def slowly(
    pieces: list[bytes], seconds: float, media_type: bytes = JSON[1], *, limit: float = 0.2
) -> Response:
    """Send a body in pieces with `seconds` between them, to a limit in seconds."""
    response = Response()
    left = list(pieces)

    async def receive() -> Message:
        await asyncio.sleep(seconds)
        piece = left.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(left)}

    async def send(message: Message) -> None:
        response.accept(message)

    app = RequestLimits(hello, Edge(request_seconds=limit))
    asyncio.run(app(http(headers=[(b"content-type", media_type)]), receive, send))
    return response


@pytest.mark.parametrize(
    ("pieces", "seconds", "media_type"),
    [
        ([b"{", b"}"], 30, b"application/json"),
        ([b"{"] * 99, 0.05, b"application/json"),
        ([b"{"] * 99, 0.05, b"text/plain"),
        ([b"x" * (LIMIT + 1)] * 99, 0.05, b"application/json"),
    ],
    ids=["nothing comes", "byte by byte", "to be dropped", "too large besides"],
)
def test_a_body_that_does_not_arrive_in_time_is_refused(
    pieces: list[bytes], seconds: float, media_type: bytes
) -> None:
    response = slowly(pieces, seconds, media_type)
    assert response.status == 408
    assert response.error["code"] == "request_timeout"
    assert "within 0.2 seconds" in response.error["message"]
    assert response.header("connection") == "close"  # or the rest would be waited for


def test_a_body_in_time_passes() -> None:
    assert slowly([b"{"] * 5, 0.01, limit=30).body == b'{"read":5}'


def test_the_answer_may_take_longer_than_the_request() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.1)
        await hello(scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"{}"}

    response = Response()

    async def send(message: Message) -> None:
        response.accept(message)

    asyncio.run(RequestLimits(slow, Edge(request_seconds=0.05))(http(), receive, send))
    assert response.status == 200


def test_a_websocket_passes() -> None:
    calls: list[Scope] = []
    ask(RequestLimits(untouched(calls)), {"type": "websocket", "path": CHAT}, whole=False)
    assert len(calls) == 1
