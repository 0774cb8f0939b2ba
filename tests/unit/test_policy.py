"""The middleware that decides on thinking: what it reads, what goes on, what it closes."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from asgi_client import CHAT, JSON, Response, answer, ask, http, run, untouched
from meters import Kept

from app.asgi import Message, Receive, Scope, Send
from app.edge.limits import RequestLimits
from app.scope import Call, call_of, with_key
from app.thinking.decision import Decision
from app.thinking.fixed import VALUES, Thinking, dumped
from app.thinking.policy import SURFACES, ThinkingPolicy

FIXED_OFF = Thinking(default=False, override=False)
ON, OFF = {"enable_thinking": True}, {"enable_thinking": False}


class Engine:
    """The application behind; keeps what reaches it."""

    def __init__(self) -> None:
        self.calls = 0
        self.body = b""
        self.scope: Scope = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.calls += 1
        self.scope, self.body = scope, b""
        more = True
        while more:
            message = await receive()
            assert message["type"] == "http.request"
            self.body += message.get("body", b"")
            more = message.get("more_body", False)
        lengths = [int(v) for k, v in scope["headers"] if k.lower() == b"content-length"]
        assert lengths in ([], [len(self.body)])
        await answer(200, b"{}")(scope, receive, send)

    @property
    def got(self) -> Any:
        return json.loads(self.body)

    @property
    def call(self) -> Call:
        call = call_of(self.scope)
        assert call
        return call


def post(
    thinking: Thinking | Mapping[str, Thinking],
    request: object = None,
    *,
    body: bytes | None = None,
    path: str = CHAT,
    key: str = "",
    meter: Kept | None = None,
) -> tuple[Response, Engine]:
    """Send a request, in two pieces and with its length, to a server with these values."""
    models = {"m": thinking} if isinstance(thinking, Thinking) else thinking
    if body is None:
        body = json.dumps(request).encode()
    engine = Engine()
    scope = http(path=path, headers=[JSON, (b"Content-Length", b"%d" % len(body))])
    half = len(body) // 2
    app = ThinkingPolicy(engine, models, meter or Kept())
    return ask(app, with_key(scope, key) if key else scope, [body[:half], body[half:]]), engine


# What goes on as it came


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"null",
        b"1e999",
        b"\xff\xfe",
        b'{"model": "\xff"}',
        b'{"model": "m"} x',
        b'{"n": ' + b"1" * 5000 + b"}",
    ],
)
def test_what_is_no_json_object_is_left_to_the_engine(body: bytes) -> None:
    response, engine = post(FIXED_OFF, body=body)
    assert (response.status, engine.body) == (200, body)


@pytest.mark.parametrize(
    "nested", [b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b"[" * 100_000]
)
def test_what_this_parser_finds_too_deep_is_refused(nested: bytes) -> None:
    response, engine = post(FIXED_OFF, body=nested)
    assert (response.status, engine.calls) == (400, 0)
    assert "too deeply" in response.error["message"]


def test_what_is_added_leaves_every_other_byte_alone() -> None:
    """Numbers, escapes, spaces, unknown fields, and fields that are there twice."""
    body = (
        b' {"x": 1.50, "x":1e2,\n"y":"\\u00e4\\ud83e", "n": 12345678901234567890 , "z":NaN } \r\n'
    )
    response, engine = post(Thinking(budget=5), body=body)
    assert response.status == 200
    added = b', "chat_template_kwargs": {"enable_thinking": true}, "thinking_token_budget": 5}'
    assert engine.body == body.rstrip()[:-1] + added


def test_an_empty_object_gets_its_fields_too() -> None:
    _, engine = post(Thinking(budget=5), body=b"{ }")
    assert engine.got == {"chat_template_kwargs": ON, "thinking_token_budget": 5}


def test_a_field_that_is_there_twice_counts_as_it_does_for_the_engine() -> None:
    twice = b'{"thinking_token_budget": 1, "thinking_token_budget": 10}'
    assert post(Thinking(max_budget=9), body=twice)[0].status == 400
    twice = b'{"thinking_token_budget": 10, "thinking_token_budget": null}'
    response, engine = post(Thinking(max_budget=9), body=twice)
    assert engine.got["thinking_token_budget"] == 9
    first = b'{"chat_template_kwargs": {"enable_thinking": true}, '
    twice = first + b'"chat_template_kwargs": {"x": "\\ud83e"}}'
    response, engine = post(FIXED_OFF, body=twice)
    assert json.loads(engine.body) == {
        "chat_template_kwargs": {"x": "\ud83e", "enable_thinking": False}
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_every_encoding_that_the_engine_reads_is_read(encoding: str) -> None:
    request = json.dumps({"model": "m", "user": "ä☃"}, ensure_ascii=False)
    response, engine = post(Thinking(max_budget=9), body=request.encode(encoding))
    added = {"chat_template_kwargs": ON, "thinking_token_budget": 9}
    assert engine.got == {**json.loads(request), **added}
    asked = json.dumps({"thinking_token_budget": 10}).encode(encoding)
    assert post(Thinking(max_budget=9), body=asked)[0].status == 400


def test_a_stream_is_asked_for_its_usage_whatever_else_it_has() -> None:
    for given in (None, {}, {"include_usage": False}, {"continuous_usage_stats": False}):
        _, engine = post(Thinking(), {"stream": True, "stream_options": given})
        assert engine.got["stream_options"] == {**(given or {}), "include_usage": True}
        assert engine.call.streamed and engine.call.hides_usage
    _, engine = post(Thinking(), {"stream": True, "stream_options": {"include_usage": True}})
    assert engine.call.streamed and not engine.call.hides_usage
    for request in ({"stream": False}, {}, {"stream": True, "stream_options": "x"}):
        _, engine = post(Thinking(), request)
        assert engine.got.get("stream_options") == request.get("stream_options")
        assert not engine.call.hides_usage


# Which model, which surface, which key


@pytest.mark.parametrize("model", [None, "", "m", "m:lora", "other", 5])
def test_the_only_model_has_every_request(model: object) -> None:
    request = {"model": model, "thinking_token_budget": 10}
    assert post(Thinking(max_budget=9), request)[0].status == 400
    assert post(Thinking(max_budget=9), {"thinking_token_budget": 10})[0].status == 400


@pytest.mark.parametrize(
    ("model", "expected"),
    [("a", 9), ("a:lora", 9), ("b", None), ("c", None), (None, None), (5, None), ([], None)],
)
def test_of_several_models_each_has_its_own(model: object, expected: int | None) -> None:
    """Ray refuses a request that names none of them."""
    models = {"a": Thinking(max_budget=9, fields="reasoning"), "b": Thinking()}
    response, engine = post(models, {"model": model})
    assert response.status == 200
    assert engine.got.get("thinking_token_budget") == expected
    assert engine.call.fields == ("reasoning" if expected else "both")
    known = str(model).split(":")[0]
    assert engine.call.model == (known if known in models else "unknown")


@pytest.mark.parametrize(
    ("model", "reaches", "thinks"),
    [
        ("m:think", "m", True),
        ("m:no-think", "m", False),
        ("m:lora:no-think", "m:lora", False),
        ("m:lora", "m:lora", None),
        ("other:think", "other:think", None),  # which the engine doesn't know
        ("think", "think", None),
        (":think", ":think", None),
    ],
)
@pytest.mark.parametrize("models", ["one", "two"])
def test_the_ending_of_a_name_is_a_mode(
    model: str, reaches: str, thinks: bool | None, models: str
) -> None:
    for default in (True, False):
        values = {"m": Thinking(default=default)} | ({"n": Thinking()} if models == "two" else {})
        response, engine = post(values, {"model": model})
        assert (response.status, engine.got["model"]) == (200, reaches)
        if thinks is not None:
            assert engine.got["chat_template_kwargs"] == {"enable_thinking": thinks}
            assert engine.call.decision.thinks is thinks


@pytest.mark.parametrize(("end", "surface"), SURFACES.items())
@pytest.mark.parametrize("prefix", ["", "/prefix"])
def test_every_surface_is_decided_on(end: str, surface: str, prefix: str) -> None:
    thinking = Thinking(max_budget=9)
    response, engine = post(thinking, {"thinking_token_budget": 10}, path=prefix + end)
    assert (response.status, engine.calls) == (400, 0)
    response, engine = post(thinking, {"model": "m"}, path=prefix + end, key="alice")
    assert engine.got["thinking_token_budget"] == 9
    assert (engine.call.surface, engine.call.key, engine.call.model) == (surface, "alice", "m")


def test_a_key_has_its_own_policy() -> None:
    thinking = Thinking(keys={"batch": {"default": False, "override": False}})
    request = {"enable_thinking": True}
    meter = Kept()
    assert post(thinking, request, key="alice")[0].status == 200
    assert post(thinking, request)[0].status == 200
    response, engine = post(thinking, request, key="batch", meter=meter)
    assert (response.status, engine.calls) == (403, 0)
    assert response.error["type"] == "permission_error"
    ((call, reason),) = meter.refusals
    assert (call.key, call.model, reason) == ("batch", "m", "unsupported_value")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions/batch",
        "/v1/chat/completions/render",
        "/inference/v1/generate",
        "/v1/responses/resp_1/cancel",
        "/v1/load_lora_adapter",
        "/sleep",
        "/",
        "/v1/chat/completions/",
    ],
)
def test_a_path_that_leads_around_the_policy_is_closed(path: str) -> None:
    response, engine = post(Thinking(), {"model": "m"}, path=path)
    assert (response.status, engine.calls) == (404, 0)
    assert response.error["code"] == "not_found"


@pytest.mark.parametrize(
    "scope",
    [
        http("GET"),
        http(path="/tokenize"),
        http(path="/v1/embeddings"),
        http(path="/v1/messages/count_tokens"),
        {"type": "websocket", "path": CHAT, "headers": []},
        {"type": "lifespan"},
    ],
)
def test_nothing_else_is_read_or_touched(scope: Scope) -> None:
    calls: list[Scope] = []
    ask(ThinkingPolicy(untouched(calls), {"m": FIXED_OFF}, Kept()), scope, whole=False)
    assert calls[0] is scope


def test_without_any_values_a_request_goes_on_as_it_came() -> None:
    body = b'{"model": "m", "stream": true}'
    response, engine = post({}, body=body)
    assert (response.status, engine.body) == (200, body)
    assert engine.call.decision == Decision(True) and engine.call.model == "unknown"


# Around it


def test_what_the_client_says_after_the_body_reaches_the_application() -> None:
    """Starlette waits for the end of the connection while it streams."""
    incoming: list[Message] = [
        {"type": "http.request", "body": b"{}"},
        {"type": "http.disconnect"},
    ]
    got: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        got.extend([await receive(), await receive()])

    async def receive() -> Message:
        return incoming.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError(message)

    run(ThinkingPolicy(app, {"m": Thinking()}, Kept())(http(), receive, send))
    body = b'{"chat_template_kwargs": {"enable_thinking": true}}'
    assert got[0] == {"type": "http.request", "body": body, "more_body": False}
    assert got[1] == {"type": "http.disconnect"}


def test_a_body_that_breaks_off_reaches_nobody() -> None:
    incoming: list[Message] = [
        {"type": "http.request", "body": b'{"model":', "more_body": True},
        {"type": "http.disconnect"},
    ]
    calls: list[Scope] = []

    async def receive() -> Message:
        return incoming.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError(message)

    run(ThinkingPolicy(untouched(calls), {"m": FIXED_OFF}, Kept())(http(), receive, send))
    assert (calls, incoming) == ([], [])


def test_a_body_that_is_too_large_is_refused_before_it_is_read_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HYBRID_LLM_MAX_BODY_BYTES", "10")
    engine = Engine()
    app = RequestLimits(ThinkingPolicy(engine, {"m": FIXED_OFF}, Kept()))
    assert ask(app, body=[b'{"a": "', b"b" * 100, b'"}']).status == 413
    assert engine.calls == 0


def test_the_environment_hands_the_values_to_vllms_middleware(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = {"budget": 3, "efforts": {"low": 2}}
    efforts = {"low": 4, "high": None}
    values = Thinking("reasoning", False, True, 5, 9, efforts, 2.5, {}, True, {"alice": key})
    models = {"m": values}
    monkeypatch.setenv(VALUES, dumped(models))
    assert VALUES == "HYBRID_LLM_REASONING"
    engine = Engine()
    ask(ThinkingPolicy(engine, meter=Kept()), body=[b'{"reasoning_effort": "low"}'])
    assert engine.call.fields == "reasoning"
    assert engine.got["thinking_token_budget"] == 4 and engine.got["priority"] > 0
    ask(
        ThinkingPolicy(engine, meter=Kept()),
        with_key(http(), "alice"),
        [b'{"enable_thinking":true}'],
    )
    assert engine.got["thinking_token_budget"] == 3
