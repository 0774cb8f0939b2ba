"""Every error has OpenAI's shape, and nothing of what runs inside."""

import asyncio
import json
import logging
import time
from typing import Any

import pytest
from asgi_client import (
    JSON,
    SSE,
    Message,
    Receive,
    Response,
    Scope,
    Send,
    answer,
    ask,
    http,
    openai_error,
    run,
    stream,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from app.answers.names import ReasoningNames
from app.edge.errors import OpenAIErrors, reshape
from app.edge.limits import RequestLimits

ECHO = "echoed-input"
TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/opt/site-packages/vllm/v1/engine/core.py", line 3, in step\n'
    "    raise ValueError\n"
    f"vllm.exceptions.EngineDeadError: {ECHO}"
)
TASK_ERROR = (
    "\x1b[36mray::ServeReplica:default:LLMServer.handle()\x1b[39m (pid=12, ip=10.0.0.1, "
    "actor_id=aabb01, repr=<ray.serve._private.replica.ServeReplica object at 0x7f1>)\n"
    '  File "/home/ray/server.py", line 17, in chat\nvllm.exceptions.VLLMValidationError: '
)
PYDANTIC = (
    "1 validation error for ChatCompletionRequest\nmax_tokens\n  Input should be a valid integer "
    f"[type=int_parsing, input_value='{ECHO}', input_type=str]\n"
    "    For further information visit https://errors.pydantic.dev/2.14/v/int_parsing"
)


def ray(message: str) -> dict[str, Any]:
    """Return an error as Ray's ingress writes it around a message."""
    message += " (Request ID: 7a7e-01)"
    original = f"{TASK_ERROR}{message}"
    text = f"Message: {message}, Internal exception: {message}, original exception: {original}"
    kind = "RayTaskError(VLLMValidationError)"
    return {"error": {"message": text, "type": kind, "param": None, "code": 400}}


def vllm(message: str, param: str | None = None, code: int = 400) -> dict[str, Any]:
    """Return an error as vLLM writes it."""
    return {"error": {"message": message, "type": "BadRequestError", "param": param, "code": code}}


def invalid(place: str, message: str, given: object) -> dict[str, Any]:
    """Return a validation error as Ray's ingress writes it, with the input as `param`."""
    text = f"Invalid request format: {message} at {place}"
    code = "invalid_parameter"
    return {"error": {"message": text, "type": "list_type", "param": given, "code": code}}


def fastapi(*place: object, message: str = "Field required") -> dict[str, Any]:
    detail = {"type": "missing", "loc": place, "msg": message, "input": {"secret": ECHO}}
    return {"detail": [detail, {**detail, "msg": "a second one"}]}


def invalid_in_vllm(place: tuple[object, ...], message: str) -> dict[str, Any]:
    """Return a validation error as vLLM's own server writes it."""
    given = {"type": "x", "loc": place, "msg": message, "input": ECHO, "ctx": {"error": "E()"}}
    return vllm(f"1 validation error:\n  {given}", "body.messages")


def error_of(status: int, body: object, request: Scope | None = None) -> dict[str, Any]:
    """Return the error object that a client gets for an answer of the layers behind."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = ask(OpenAIErrors(answer(status, data, [JSON])), request)
    assert response.status == status
    return response.error


# What clients read


@pytest.mark.parametrize(
    ("status", "body", "message", "param", "code"),
    [
        pytest.param(
            400,
            {"error": {"message": "Too hot.", "type": "x", "param": "temperature", "code": "hot"}},
            "Too hot.",
            "temperature",
            "hot",
            id="OpenAI",
        ),
        pytest.param(
            400,
            vllm("max_tokens is too large", "max_tokens"),
            "max_tokens is too large",
            "max_tokens",
            None,
            id="vLLM",
        ),
        pytest.param(
            400,
            {
                "object": "error",
                "message": "Bad",
                "type": "BadRequestError",
                "param": None,
                "code": 4,
            },
            "Bad",
            None,
            None,
            id="vLLM, flat",
        ),
        pytest.param(
            400,
            vllm("Bad (parameter=max_tokens, value=-1)"),
            "Bad",
            "max_tokens",
            None,
            id="vLLM, with its parameter in the message",
        ),
        pytest.param(
            400,
            invalid_in_vllm(("body", "messages", 0, "role"), "Field required"),
            "messages.0.role: Field required",
            "messages.0.role",
            None,
            id="vLLM, validation",
        ),
        pytest.param(
            400,
            invalid_in_vllm(("body",), "it's not for me"),
            "it's not for me",
            None,
            None,
            id="vLLM, validation of the whole body",
        ),
        pytest.param(
            404,
            vllm("The model `gpt-5` does not exist.", code=404),
            "The model `gpt-5` does not exist.",
            "model",
            "model_not_found",
            id="vLLM, model",
        ),
        pytest.param(
            404,
            {"detail": "Could not find model with id gpt-5"},
            "Could not find model with id gpt-5",
            "model",
            "model_not_found",
            id="Ray, model",
        ),
        pytest.param(404, {"detail": "Not Found"}, "Not Found", None, "not_found", id="route"),
        pytest.param(
            405,
            {"detail": "Method Not Allowed"},
            "Method Not Allowed",
            None,
            "method_not_allowed",
            id="method",
        ),
        pytest.param(
            422,
            fastapi("body", "messages"),
            "messages: Field required",
            "messages",
            None,
            id="FastAPI, field",
        ),
        pytest.param(
            422,
            fastapi("body", "messages", 0, "content"),
            "messages.0.content: Field required",
            "messages.0.content",
            None,
            id="FastAPI, nested field",
        ),
        pytest.param(
            422,
            fastapi("body", 17, message="JSON decode error"),
            "JSON decode error at character 17",
            None,
            None,
            id="FastAPI, not JSON",
        ),
        pytest.param(
            422,
            fastapi("query", "limit"),
            "limit: Field required",
            "limit",
            None,
            id="FastAPI, query",
        ),
        pytest.param(422, fastapi(), "Field required", None, None, id="FastAPI, no place"),
        pytest.param(
            400,
            invalid("('body', 'messages')", "Input should be a valid list", ECHO),
            "messages: Input should be a valid list",
            "messages",
            "invalid_parameter",
            id="Ray, input as param",
        ),
        pytest.param(
            400,
            invalid("('body', 'messages')", "Bad", [ECHO]),
            "messages: Bad",
            "messages",
            "invalid_parameter",
            id="Ray, list as param",
        ),
        pytest.param(
            400,
            invalid("('body',)", "Field required", ECHO),
            "Field required",
            None,
            "invalid_parameter",
            id="Ray, whole body",
        ),
        pytest.param(
            400, invalid("body", "Bad", ECHO), "Bad", None, "invalid_parameter", id="Ray, no place"
        ),
        pytest.param(
            400,
            invalid("('query', 'limit')", "Bad", ECHO),
            "limit: Bad",
            "limit",
            "invalid_parameter",
            id="Ray, query",
        ),
        pytest.param(
            400,
            invalid("('body', 12)", "JSON decode error", {}),
            "JSON decode error at character 12",
            None,
            "invalid_parameter",
            id="Ray, not JSON",
        ),
        pytest.param(
            400,
            ray(f"vllm.exceptions.VLLMValidationError: too long (parameter=prompt, value={ECHO})"),
            "too long",
            "prompt",
            None,
            id="Ray, wrapped",
        ),
        pytest.param(
            400,
            ray("`stream_options` need `stream`. (parameter=stream_options)"),
            "`stream_options` need `stream`.",
            "stream_options",
            None,
            id="Ray, parameter without a value",
        ),
        pytest.param(
            400,
            ray(PYDANTIC),
            "max_tokens: Input should be a valid integer",
            "max_tokens",
            None,
            id="Ray, pydantic",
        ),
        pytest.param(
            400,
            {"error": {"message": "tools: Input should be a valid dictionary or instance of X"}},
            "tools: Input should be a valid dictionary",
            None,
            None,
            id="an instance",
        ),
        pytest.param(
            400,
            invalid_in_vllm(("body", "tools", 0, "X", "function"), "Field required"),
            "tools.0.function: Field required",
            "tools.0.function",
            None,
            id="a field whose name validators have too",
        ),
        pytest.param(
            400,
            vllm("'utf-8' codec can't encode character '\\ud800' in position 32: not allowed"),
            "The request has half of a surrogate pair in a text, which is no character.",
            None,
            None,
            id="half a surrogate pair",
        ),
        pytest.param(
            400,
            invalid("('body', 'stop', 'str')", "Input should be a valid string", 5),
            "stop: Input has none of the forms that are allowed here.",
            "stop",
            "invalid_parameter",
            id="one of a union's types",
        ),
        pytest.param(
            400,
            invalid(
                "('body', 'messages', 0, 'ChatCompletionDeveloperMessageParam', 'role')",
                "Field required",
                None,
            ),
            "messages.0.role: Field required",
            "messages.0.role",
            "invalid_parameter",
            id="one of a union's classes",
        ),
        pytest.param(
            400,
            invalid(
                "('body', 'messages', 1, 'OpenAIToolMessage', 'content', 'list[union[A,B]]', 0)",
                "Input should be 'tool'",
                None,
            ),
            "messages.1.content.0: Input has none of the forms that are allowed here.",
            "messages.1.content.0",
            "invalid_parameter",
            id="a union in a union",
        ),
        pytest.param(
            400,
            invalid(
                "('body', 'response_format', 'function-wrap[__log_extra_fields__()]', 'type')",
                "Input should be 'text' or 'json_object'",
                None,
            ),
            "response_format.type: Input should be 'text' or 'json_object'",
            "response_format.type",
            "invalid_parameter",
            id="a validator",
        ),
        pytest.param(
            400,
            invalid(
                "('body',)",
                "Input should be a valid dictionary or object to extract fields from",
                None,
            ),
            "Input should be a valid dictionary",
            None,
            "invalid_parameter",
            id="what is only for Python",
        ),
        pytest.param(
            401, {"error": "Unauthorized"}, "Unauthorized", None, "invalid_api_key", id="str"
        ),
        pytest.param(
            408, b"Request timed out", "Request timed out", None, "request_timeout", id="text"
        ),
    ],
)
def test_a_clients_mistake_is_named(
    status: int, body: object, message: str, param: str | None, code: str | None
) -> None:
    error = error_of(status, body)
    assert (error["message"], error["param"], error["code"]) == (message, param, code)
    kind = "authentication_error" if status == 401 else "invalid_request_error"
    assert error["type"] == kind


BODIES = {
    "OpenAI": {
        "error": {"message": TRACE, "type": "x", "param": ECHO * 99, "code": "ray.exceptions.X"}
    },
    "vLLM": vllm(TRACE, "vllm/v1/engine.py: a path"),
    "vLLM, flat": {"object": "error", "message": TRACE, "type": "ray.exceptions.X", "code": 400},
    "vLLM, validation": invalid_in_vllm(("body", "messages"), "Bad"),
    "vLLM, validation in other words": vllm(f"2 validation errors:\n  {{'input': '{ECHO}'}}"),
    "vLLM, one file": vllm("No such file: /home/me/.cache/hub/x/config.json in vllm/model/load.py"),
    "Ray": ray(f"Bad value (parameter=prompt, value={ECHO})"),
    "Ray, long": ray("Bad " * 2000),
    "Ray, pydantic": ray(PYDANTIC),
    "Ray, pydantic, long": ray("\n".join([PYDANTIC] * 99)),
    "Ray, pydantic, cut": ray(f"Bad [type=list_type, input_value={'{'}{ECHO * 999}"),
    "Ray, task error": {"error": {"message": TASK_ERROR + ECHO, "code": 400}},
    "Ray, dead": {"detail": "The actor died unexpectedly.\n\tclass_name: X\n\tactor_id: ab"},
    "Ray, input as param": invalid("('body', 'messages')", "Bad", ECHO),
    "Ray, large input as param": invalid("('body', 'messages')", "Bad", ECHO * 9999),
    "Ray, unexpected place": invalid(f"('body', '{ECHO * 99}')", "Bad", None),
    "FastAPI": fastapi("body", "messages"),
    "FastAPI, odd place": {"detail": [{"loc": ["body", [ECHO], {"x": ECHO}], "msg": "Bad"}]},
    "FastAPI, nothing known": {"detail": [{}]},
    "FastAPI, text": {"detail": TRACE},
    "trace": TRACE.encode(),
    "address": b"<ray.serve.handle.Handle object at 0x7f3b2c>",
    "empty": b"",
    "empty object": {},
    "empty error": {"error": {}},
    "null": None,
    "nulls": {"error": {"message": None, "type": None, "param": None, "code": None}},
    "number": 7,
    "list": [1, "two"],
    "objects": {"error": {"message": {"secret": ECHO}, "code": [ECHO], "param": {}}},
    "invalid UTF-8": b"\xff\xfe{\x80",
    "invalid UTF-8 in JSON": b'{"error":{"message":"\xff"}}',
    "lone surrogate": b'{"detail":"\\ud800"}',
    "deeply nested": b'{"error":' + b"[" * 100_000,
    "deeply nested JSON": b'{"error":' + b"[" * 500 + b"]" * 500 + b"}",
    "huge number": b"1" * 10_000,
}
INTERNALS = (
    "Traceback",
    "File ",
    "actor",
    "Internal exception",
    "original exception",
    "Request ID: 7a7e",
    "ray.",
    "ray::",
    "vllm.",
    "vllm/",
    ".py",
    "/home/",
    "/opt/",
    "0x7f",
    "pydantic.dev",
    "input_value",
    "'input'",
    "RayTaskError",
    "10.0.0.1",
    ECHO,
)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504])
def test_no_error_shows_what_runs_inside(status: int, body: object) -> None:
    text = json.dumps(error_of(status, body))
    if body == BODIES["Ray, unexpected place"] and status < 500:
        text = text.replace(ECHO, "")  # the client's own name of a field, which is its mistake
    assert [word for word in INTERNALS if word in text] == []
    assert len(text) < 2500


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_our_own_failures_say_nothing_of_their_cause(body: object) -> None:
    assert error_of(500, body) == error_of(500, b"")
    assert error_of(503, body) == error_of(503, b"")


def test_our_own_failures_name_the_request() -> None:
    request = http(headers=[JSON, (b"X-Request-Id", b"7f-3")])
    assert error_of(500, b"", request)["message"].endswith("Request ID: 7f-3")
    request = http(headers=[JSON, (b"x-request-id", b"<script>\xff")])
    assert "script" not in error_of(500, b"", request)["message"]


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, "invalid_request_error", None),
        (401, "authentication_error", "invalid_api_key"),
        (403, "permission_error", None),
        (404, "invalid_request_error", "not_found"),
        (413, "invalid_request_error", "request_too_large"),
        (415, "invalid_request_error", "unsupported_media_type"),
        (429, "rate_limit_error", "rate_limit_exceeded"),
        (500, "server_error", None),
        (501, "server_error", None),
        (503, "server_error", "overloaded"),
    ],
)
def test_the_type_and_code_of_a_status(status: int, kind: str, code: str | None) -> None:
    error = error_of(status, {"error": {"message": "Bad", "code": status, "type": "BadError"}})
    assert (error["type"], error["code"]) == (kind, code)


@pytest.mark.parametrize(
    "message",
    [
        "Use /v1/completions with this model, as https://docs.vllm.ai/en/latest/models.html says.",
        "Could not parse 7/11/2026 as a date.",
        "The model `Qwen/Qwen3-32B` does not exist.",
        "The model `vllm` of `ray` does not exist.",
        "temperature must be in [0, 2] (not 5).",
    ],
)
def test_ordinary_words_are_left_alone(message: str) -> None:
    assert error_of(400, vllm(message))["message"] == message


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(" " * 4_000_000, id="spaces"),
        pytest.param(" (Request ID: " * 300_000, id="request IDs"),
        pytest.param("(parameter=a, value=" * 200_000, id="parameters"),
        pytest.param("[type=a, input_value=" * 200_000, id="inputs"),
        pytest.param("/" * 4_000_000, id="slashes"),
        pytest.param("/a" * 2_000_000, id="path"),
        pytest.param("a" * 4_000_000, id="letters"),
        pytest.param("a." * 2_000_000, id="modules"),
        pytest.param("Message: " * 400_000, id="messages"),
        pytest.param("Invalid request format: " + " at 'body'" * 400_000, id="places"),
        pytest.param("1 validation error:" + "'loc': ('body', " * 200_000, id="validation"),
    ],
)
def test_a_huge_message_does_not_stop_the_server(text: str) -> None:
    """An error can repeat the name of the model that the client asked for, which can be megabytes;
    all other requests wait while the patterns search it."""
    begin = time.process_time()
    error = reshape(404, {"detail": f"{text}. No such model: {text}"})["error"]
    assert time.process_time() - begin < 2
    assert len(error["message"]) < 2100


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "detail", "message", "param", "code", "loc", "msg", "object", "choices"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
bodies = json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40)


@given(status=st.integers(400, 599), body=bodies)
@settings(max_examples=300, deadline=None)
def test_any_body_becomes_an_error_of_that_status(status: int, body: bytes) -> None:
    response = ask(OpenAIErrors(answer(status, body)))
    assert response.status == status
    assert response.error


@given(value=json_values)
@settings(max_examples=200, deadline=None)
def test_any_event_stays_an_event(value: Any) -> None:
    sent = f"data: {json.dumps(value)}\n\n".encode()
    received = ask(OpenAIErrors(stream([sent]))).body
    if received != sent:
        assert value.get("error") or value["object"] == "error"
        openai_error(json.loads(received.removeprefix(b"data: ")))


def test_the_other_headers_are_kept() -> None:
    given = [
        (b"Content-Type", b"text/plain"),
        (b"Content-Length", b"4"),
        (b"WWW-Authenticate", b"Bearer"),
        (b"retry-after", b"7"),
        (b"x-request-id", b"r"),
    ]
    response = ask(OpenAIErrors(answer(429, [b"sl", b"ow"], given)))
    assert response.error["message"] == "slow"
    assert response.header("www-authenticate") == "Bearer"
    assert response.header("retry-after") == "7"
    assert response.header("x-request-id") == "r"
    assert response.header("content-length") == str(len(response.body))


@pytest.mark.parametrize("body", [b"", b'{"detail":"Method Not Allowed"}'], ids=["empty", "body"])
def test_head_gets_the_headers_of_an_error_and_no_body(body: bytes) -> None:
    response = ask(OpenAIErrors(answer(405, body)), http("HEAD"))
    assert response.status == 405
    assert int(response.header("content-length") or 0) > 0


def test_success_is_left_alone() -> None:
    body = b'{"error":{"message":"in a text"}}'
    response = ask(OpenAIErrors(answer(200, [body[:9], body[9:]])))
    assert response.chunks == [body[:9], body[9:]]


# Errors in a stream that has begun with 200


def events(*pieces: bytes) -> list[bytes]:
    return ask(OpenAIErrors(stream(list(pieces)))).body.split(b"\n")


def test_an_error_in_a_stream_is_reshaped() -> None:
    broken = vllm("EngineCore encountered an issue. See stack trace.", code=500)
    body = b'data: {"choices":[]}\n\ndata: %s\n\ndata: [DONE]\n\n' % json.dumps(broken).encode()
    for at in range(1, len(body)):
        before, _, event, *after = events(body[:at], body[at:])
        assert (before, after) == (b'data: {"choices":[]}', [b"", b"data: [DONE]", b"", b""])
        error = openai_error(json.loads(event.removeprefix(b"data: ")))
        assert error["type"] == "server_error"
        assert "EngineCore" not in error["message"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize(
    ("payload", "kind", "message"),
    [
        (vllm("Bad prompt"), "invalid_request_error", "Bad prompt"),
        (vllm("Slow down", code=429), "rate_limit_error", "Slow down"),
        ({"object": "error", "message": "Bad", "code": 400}, "invalid_request_error", "Bad"),
        ({"error": {"message": TRACE, "code": "400"}}, "server_error", None),
        ({"error": {"message": TRACE, "code": 200}}, "server_error", None),
        ({"error": TRACE}, "server_error", None),
        ({"choices": [], "error": {"message": TRACE, "code": 502}}, "server_error", None),
    ],
    ids=["vLLM", "429", "flat", "code as text", "code of success", "text", "with choices"],
)
def test_the_code_of_an_error_event_counts(
    payload: object, kind: str, message: str | None, end: bytes
) -> None:
    line, *rest = events(b"data: %s%s%s" % (json.dumps(payload).encode(), end, end))
    assert line.endswith(b"\r") == (end == b"\r\n")
    assert rest == end.split(b"\n")
    error = openai_error(json.loads(line.removeprefix(b"data: ")))
    assert error["type"] == kind
    assert error["message"] == (message or error_of(500, b"")["message"])


@pytest.mark.parametrize(
    "line",
    [
        b'data: {"choices":[{"delta":{"content":"an \\"error\\": {}"}}]}',
        b'data: {"choices":[{"delta":{"content":"x"}}],"error":null}',
        b'data: {"type":"response.created","response":{"error":null}}',
        b'data: {"type":"x","error":null}',
        b'data: "error"',
        b'data: ["error"]',
        b'data: {"error',
        b"data: " + b'{"error":' * 100_000,
        b": a comment of an " + b'"error"',
        b"event: error",
    ],
    ids=range(10),
)
def test_lines_that_are_no_error_are_left_alone(line: bytes) -> None:
    assert events(line + b"\n\n") == [line, b"", b""]


# Exceptions


def behind(layers: list[Any], app: Any) -> Any:
    """Put layers around an application, the innermost first."""
    for layer in layers:
        app = layer(app)
    return app


def error_500(response: Response) -> dict[str, Any]:
    assert response.status == 500
    return response.error


LAYERS = pytest.mark.parametrize(
    "layers",
    [[OpenAIErrors], [ReasoningNames, OpenAIErrors, RequestLimits]],
    ids=["alone", "with its neighbours"],
)


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError(ECHO)


@LAYERS
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_exception_becomes_a_500(
    method: str, layers: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    error = error_500(ask(behind(layers, broken), http(method)))
    assert error["type"] == "server_error"
    assert ECHO not in json.dumps(error)
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info and ECHO in str(record.exc_info[1])  # the log tells


def test_an_exception_in_answer_to_head_has_no_body() -> None:
    assert ask(behind([OpenAIErrors], broken), http("HEAD")).status == 500


@pytest.mark.parametrize("status", [200, 400])
def test_an_exception_in_a_body_that_is_held_back_becomes_a_500(status: int) -> None:
    """ReasoningNames and OpenAIErrors keep a start until they have the body: none is sent twice."""
    app = answer(status, b'{"half":', cut=True, then=RuntimeError(ECHO))
    error = error_500(ask(behind([ReasoningNames, OpenAIErrors, RequestLimits], app)))
    assert ECHO not in json.dumps(error)


def test_an_exception_in_a_body_that_has_begun_breaks_the_connection() -> None:
    """The server then closes it, so the client sees that the body is not whole."""
    app = OpenAIErrors(answer(200, b'{"half":', cut=True, then=RuntimeError(ECHO)))
    with pytest.raises(RuntimeError):
        ask(app, http("GET", "/v1/models"))


@LAYERS
@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([], id="before the first event"),
        pytest.param([b'data: {"choices":[]}\n\n'], id="after an event"),
        pytest.param([b'data: {"choices":[]}\n'], id="before the event's empty line"),
        pytest.param([b'data: {"choices":[]}\n\ndata: {"choi'], id="within an event"),
    ],
)
def test_an_exception_in_a_stream_becomes_its_last_event(
    pieces: list[bytes], layers: list[Any]
) -> None:
    app = stream(pieces, cut=True, then=RuntimeError(ECHO))
    response = ask(behind(layers, app))
    assert response.status == 200
    *before, event = [event for event in response.body.split(b"\n\n") if event.strip()]
    assert [event.strip() for event in before] == [b'data: {"choices":[]}'] * bool(pieces)
    assert openai_error(json.loads(event.strip().removeprefix(b"data: ")))["type"] == "server_error"
    assert b"[DONE]" not in response.body
    assert ECHO.encode() not in response.body


@LAYERS
def test_a_stream_that_ends_early_ends_with_an_error_event(layers: list[Any]) -> None:
    """As Starlette does when a replica dies: it ends the stream, and raises only then."""
    app = stream([b'data: {"choices":[]}\n\n'], then=RuntimeError(ECHO))
    response = ask(behind(layers, app))
    *_, event = [event for event in response.body.split(b"\n\n") if event.strip()]
    assert openai_error(json.loads(event.strip().removeprefix(b"data: ")))["type"] == "server_error"
    assert response.ended


def whole_request() -> Receive:
    """Return what a client sends that is gone after its request."""
    messages: list[Message] = [{"type": "http.request", "body": b"{}"}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


@LAYERS
@pytest.mark.parametrize("headers", [[SSE], [JSON]], ids=["stream", "body"])
def test_an_exception_after_the_end_adds_nothing(layers: list[Any], headers: list[Any]) -> None:
    """As from a background task of Starlette: the client has its whole answer."""
    app = behind(layers, answer(200, b"data: [DONE]\n\n", headers, then=RuntimeError(ECHO)))
    response = Response()

    async def send(message: Message) -> None:
        response.accept(message)

    with pytest.raises(RuntimeError):
        run(app(http(), whole_request(), send))
    assert response.body == b"data: [DONE]\n\n"


def test_the_messages_apis_own_error_event_is_left_alone() -> None:
    event = b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"x"}}\n\n'
    messages = http(path="/v1/messages")
    assert ask(OpenAIErrors(stream([event])), messages).body == event


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/messages", "message_stop"),
        ("/v1/messages", "error"),
        ("/v1/responses", "response.completed"),
        ("/v1/responses", "response.incomplete"),
        ("/v1/responses", "response.failed"),
    ],
)
def test_an_exception_after_the_end_of_another_surface_adds_nothing(path: str, name: str) -> None:
    end = f"event: {name}\ndata: {{}}\n\n".encode()
    received: list[bytes] = []

    async def send(message: Message) -> None:
        received.append(message.get("body", b""))

    app = OpenAIErrors(stream([end], then=RuntimeError(ECHO)))
    with pytest.raises(RuntimeError):
        run(app(http(path=path), whole_request(), send))
    assert b"".join(received) == end


@pytest.mark.parametrize(
    "app",
    [
        answer(200, [], then=asyncio.CancelledError()),
        answer(500, [], then=asyncio.CancelledError()),
        stream([b"data: {}\n\n"], cut=True, then=asyncio.CancelledError()),
    ],
    ids=["body", "error", "stream"],
)
def test_a_cancelled_request_stays_cancelled(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(asyncio.CancelledError):
        ask(behind([ReasoningNames, OpenAIErrors, RequestLimits], app))
    assert caplog.records == []
