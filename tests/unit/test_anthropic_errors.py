"""Errors of the Messages API have Anthropic's shape, whatever layer they come from."""

import json
from typing import Any

import anthropic
import httpx2
import pytest
from asgi_client import CHAT, JSON, Message, Response, answer, ask, http, stream

from app.asgi import App
from app.edge.anthropic import AnthropicErrors
from app.edge.errors import OpenAIErrors, error

MESSAGES = "/v1/messages"
ID = (b"X-Request-Id", b"7f-3")


def asked(app: App, path: str = MESSAGES, *headers: tuple[bytes, bytes]) -> Response:
    return ask(AnthropicErrors(app), http(path=path, headers=[JSON, *(headers or (ID,))]))


def of(payload: Any) -> dict[str, Any]:
    """Return the error object of a body or event, which must have exactly Anthropic's shape."""
    assert list(payload) == ["type", "error", "request_id"]
    assert (payload["type"], payload["request_id"]) == ("error", "7f-3")
    assert list(payload["error"]) == ["type", "message"]
    found: dict[str, Any] = payload["error"]
    return found


STATUSES = [
    (400, "invalid_request_error", anthropic.BadRequestError),
    (401, "authentication_error", anthropic.AuthenticationError),
    (403, "permission_error", anthropic.PermissionDeniedError),
    (404, "not_found_error", anthropic.NotFoundError),
    (405, "invalid_request_error", anthropic.APIStatusError),
    (408, "timeout_error", anthropic.APIStatusError),
    (413, "request_too_large", anthropic.APIStatusError),
    (415, "invalid_request_error", anthropic.APIStatusError),
    (422, "invalid_request_error", anthropic.UnprocessableEntityError),
    (429, "rate_limit_error", anthropic.RateLimitError),
    (500, "api_error", anthropic.InternalServerError),
    (503, "overloaded_error", anthropic.InternalServerError),
    (504, "timeout_error", anthropic.InternalServerError),
]


@pytest.mark.parametrize("path", [MESSAGES, "/v1/messages/count_tokens", "/llm/v1/messages"])
@pytest.mark.parametrize(("status", "kind", "_"), STATUSES)
def test_each_status_has_anthropics_type(status: int, kind: str, _: type, path: str) -> None:
    body = json.dumps(error(status, "Bad.", param="x")).encode()
    response = asked(answer(status, body, [JSON, (b"retry-after", b"7")]), path)
    assert response.status == status
    assert of(json.loads(response.body)) == {"type": kind, "message": "Bad."}
    assert response.header("retry-after") == "7"
    assert response.header("request-id") == "7f-3"


@pytest.mark.parametrize(("status", "kind", "raised"), STATUSES)
def test_anthropics_client_knows_them(status: int, kind: str, raised: type[Exception]) -> None:
    response = asked(answer(status, json.dumps(error(status, "Bad.")).encode()))

    def transport(request: httpx2.Request) -> httpx2.Response:
        headers = [(k.decode(), v.decode()) for k, v in response.headers]
        return httpx2.Response(response.status, headers=headers, content=response.body)

    client = anthropic.Anthropic(
        api_key="k",
        max_retries=0,
        http_client=httpx2.Client(transport=httpx2.MockTransport(transport)),
    )
    with pytest.raises(raised) as failure:
        client.messages.create(model="m", max_tokens=1, messages=[])
    assert failure.value.request_id == "7f-3"
    assert failure.value.body["error"]["type"] == kind


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"Bad gateway", b'{"error": "x"}'])
def test_any_error_becomes_one(body: bytes) -> None:
    assert of(json.loads(asked(answer(502, body)).body))["type"] == "api_error"


def test_a_success_has_its_id_alone() -> None:
    body = b'{"type":"message","error":{"message":"in a text"}}'
    response = asked(answer(200, [body[:9], body[9:]]))
    assert response.chunks == [body[:9], body[9:]]
    assert response.header("request-id") == "7f-3"


@pytest.mark.parametrize("path", [CHAT, "/v1/responses", "/v1/messagesx", "/v1/models"])
def test_other_surfaces_keep_openais(path: str) -> None:
    body = json.dumps(error(404, "Bad.")).encode()
    response = asked(answer(404, body), path)
    assert (response.body, response.header("request-id")) == (body, None)


@pytest.mark.parametrize("given", [[], [(b"x-request-id", b"<script>\xff")]], ids=["none", "odd"])
def test_a_request_without_an_id_gets_one(given: list[tuple[bytes, bytes]]) -> None:
    seen: list[bytes] = []

    async def app(scope, receive, send) -> None:
        seen.extend(v for k, v in scope["headers"] if k.lower() == b"x-request-id")
        await answer(500, json.dumps(error(500, "Bad.")).encode())(scope, receive, send)

    responses = [asked(app, MESSAGES, JSON, *given) for _ in range(2)]
    ids = [response.header("request-id") for response in responses]
    assert [value.decode() for value in seen] == ids
    assert len(set(ids)) == 2
    assert all(found and found.startswith("req_") for found in ids)
    assert [json.loads(response.body)["request_id"] for response in responses] == ids


# In streams

BEGUN = b'event: message_start\ndata: {"type":"message_start"}\n\n'


def failed(events: bytes) -> tuple[list[bytes], dict[str, Any]]:
    """Return the lines of a stream's last event before its data, and its error object."""
    *before, data = events.removeprefix(BEGUN).strip().split(b"\n")
    return [line for line in before if line], of(json.loads(data.removeprefix(b"data: ")))


def test_an_exception_in_a_stream_is_an_event_with_a_name() -> None:
    app = OpenAIErrors(stream([BEGUN], then=RuntimeError("secret")))
    names, inner = failed(asked(app).body)
    assert names == [b"event: error"]  # without it Anthropic's clients skip the event
    assert inner["type"] == "api_error" and "secret" not in inner["message"]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (error(400, "x"), "invalid_request_error"),
        (error(429, "x"), "rate_limit_error"),
        (error(404, "x", code="model_not_found"), "not_found_error"),
        (error(500, "x"), "api_error"),
        (error(503, "x"), "overloaded_error"),
        (error(400, "x", code="context_length_exceeded"), "invalid_request_error"),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_an_error_event_has_the_type_of_its_code(given: Any, kind: str, end: bytes) -> None:
    event = b"data: " + json.dumps(given).encode() + end + end
    for at in range(1, len(event), 7):
        body = asked(stream([BEGUN, event[:at], event[at:]])).body
        names, inner = failed(body.replace(b"\r\n", b"\n"))
        assert (names, inner) == ([b"event: error"], {"type": kind, "message": "x"})


def test_the_surfaces_own_event_keeps_its_type() -> None:
    event = b'event: error\ndata: {"type":"error","error":{"type":"not_found_error","message":"x"}}'
    names, inner = failed(asked(stream([BEGUN, event + b"\n\n"])).body)
    assert (names, inner) == ([b"event: error"], {"type": "not_found_error", "message": "x"})


@pytest.mark.parametrize(
    "line",
    [
        b'data: {"type":"content_block_delta","delta":{"text":"an \\"error\\": {}"}}',
        b'data: {"type":"x","error":null}',
        b'data: {"error',
        b': a comment of an "error"',
    ],
)
def test_events_that_are_no_errors_are_left_alone(line: bytes) -> None:
    assert asked(stream([line + b"\n\n"])).body == line + b"\n\n"


def test_other_scopes_pass() -> None:
    seen: list[Message] = []

    async def app(scope, receive, send) -> None:
        seen.append(scope)

    ask(AnthropicErrors(app), {"type": "lifespan"}, whole=False)
    assert seen == [{"type": "lifespan"}]
