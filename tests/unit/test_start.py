"""A stream begins with its first event, and not if that is an error."""

import json
from typing import Any

import pytest
from asgi_client import JSON, SSE, answer, ask, http, openai_error, run, stream

from app.answers.start import LateStart
from app.asgi import Message, Receive, Scope, Send
from app.edge.errors import OpenAIErrors

EVENT = b'data: {"choices":[]}\n\n'
DONE = b"data: [DONE]\n\n"


def error(code: Any) -> bytes:
    payload = {"error": {"message": "Bad prompt", "type": "x", "param": None, "code": code}}
    return b"data: %s\n\n" % json.dumps(payload).encode()


def sent_before(event: bytes) -> list[str]:
    """Return the types of the messages that the server has when the first event is on its way."""
    sent: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [SSE]})
        before.extend(sent)
        await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Message) -> None:
        sent.append(message["type"])

    async def receive() -> Message:
        return {"type": "http.request", "body": b"{}"}

    before: list[str] = []
    run(LateStart(app)(http(), receive, send))
    assert sent[:2] == ["http.response.start", "http.response.body"]
    return before


def test_a_client_has_nothing_before_the_first_event() -> None:
    assert sent_before(EVENT) == []


def test_a_stream_is_passed_on_as_it_is() -> None:
    pieces = [EVENT, EVENT, DONE]
    response = ask(LateStart(stream(pieces)))
    assert response.status == 200
    assert response.header("content-type") == SSE[1].decode()
    assert [chunk for chunk in response.chunks if chunk] == pieces


def test_an_empty_piece_is_no_event() -> None:
    assert ask(LateStart(stream([b"", error(503), DONE]))).status == 503


def test_a_stream_with_no_event_at_all_still_begins_and_ends() -> None:
    response = ask(LateStart(stream([b""])))
    assert (response.status, response.body) == (200, b"")


@pytest.mark.parametrize(
    ("code", "status"), [(400, 400), (429, 429), (500, 500), (None, 500), (200, 500)]
)
def test_a_first_event_that_is_an_error_is_the_response(code: Any, status: int) -> None:
    response = ask(OpenAIErrors(LateStart(stream([error(code), DONE]))))
    assert response.status == status
    assert response.header("content-type") == "application/json"
    assert openai_error(json.loads(response.body))


def test_a_later_error_stays_an_event() -> None:
    response = ask(LateStart(stream([EVENT, error(500), DONE])))
    assert response.status == 200
    assert response.body == EVENT + error(500) + DONE


def test_an_exception_before_the_first_event_is_a_500() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [SSE]})
        raise RuntimeError("the engine is dead")

    assert ask(OpenAIErrors(LateStart(app))).status == 500


def test_what_is_no_stream_is_left_alone() -> None:
    response = ask(LateStart(answer(200, [b"{", b"}"])))
    assert (response.chunks, response.header("content-type")) == ([b"{", b"}"], JSON[1].decode())
