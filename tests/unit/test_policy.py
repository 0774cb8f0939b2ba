"""What an operator has fixed of a model's thinking: what reaches the engine, what is refused."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from asgi_client import CHAT, JSON, Response, answer, ask, http, run, untouched
from hypothesis import given, settings
from hypothesis import strategies as st

from app.asgi import Message, Receive, Scope, Send
from app.limits import RequestLimits
from app.policy import VALUES, Thinking, ThinkingPolicy, dumped, fields

FIXED_ON = Thinking(override=False)
FIXED_OFF = Thinking(default=False, override=False)
MESSAGES = [{"role": "user", "content": "2 + 2? /no_think"}]


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


def post(
    thinking: Thinking | Mapping[str, Thinking],
    request: object = None,
    *,
    body: bytes | None = None,
    **more: Any,
) -> tuple[Response, Engine]:
    """Send a chat request, in two pieces and with its length, to a server with these values."""
    models = {"m": thinking} if isinstance(thinking, Thinking) else thinking
    if body is None:
        request = {"model": "m", "messages": MESSAGES, **more} if request is None else request
        body = json.dumps(request).encode()
    engine = Engine()
    headers = [JSON, (b"Content-Length", b"%d" % len(body))]
    half = len(body) // 2
    app = ThinkingPolicy(engine, models)
    return ask(app, http(headers=headers), [body[:half], body[half:]]), engine


def reaches(thinking: Thinking, **request: Any) -> dict[str, Any]:
    """Return what the engine gets beside model and messages, which must be as they were."""
    response, engine = post(thinking, **request)
    assert response.status == 200, response.body
    got: dict[str, Any] = json.loads(engine.body)
    assert (got.pop("model"), got.pop("messages")) == ("m", MESSAGES)
    return got


def refused(thinking: Thinking, **request: Any) -> dict[str, Any]:
    """Return the error of a request that must not reach the engine."""
    response, engine = post(thinking, **request)
    assert (response.status, engine.calls) == (400, 0)
    error = response.error
    assert error["type"] == "invalid_request_error"
    assert error["param"] in error["message"] and "operator" in error["message"]
    return error


# Who may choose


@pytest.mark.parametrize(
    ("thinking", "request_says"),
    [
        (FIXED_ON, {}),
        (FIXED_ON, {"chat_template_kwargs": None}),
        (FIXED_ON, {"chat_template_kwargs": {}}),
        (FIXED_ON, {"chat_template_kwargs": {"enable_thinking": True}}),
        (FIXED_ON, {"chat_template_kwargs": {"enable_thinking": None}}),
        (FIXED_ON, {"reasoning_effort": "low"}),
        (FIXED_ON, {"reasoning_effort": "bogus"}),  # which the engine refuses
        (FIXED_ON, {"reasoning_effort": None}),
        (FIXED_OFF, {}),
        (FIXED_OFF, {"chat_template_kwargs": {"enable_thinking": False}}),
        (FIXED_OFF, {"chat_template_kwargs": {"x": [1]}}),
        (FIXED_OFF, {"reasoning_effort": "none"}),
        (FIXED_OFF, {"enable_thinking": True}),  # which vLLM ignores
    ],
)
def test_what_is_fixed_is_said_to_the_engine(
    thinking: Thinking, request_says: dict[str, Any]
) -> None:
    kwargs = request_says.get("chat_template_kwargs") or {}
    expected = {
        **request_says,
        "chat_template_kwargs": {**kwargs, "enable_thinking": thinking.default},
    }
    assert reaches(thinking, **request_says) == expected


@pytest.mark.parametrize("value", [True, 1, "true", "false", [], {}])
def test_asking_for_thinking_that_is_fixed_off_is_refused(value: Any) -> None:
    error = refused(FIXED_OFF, chat_template_kwargs={"enable_thinking": value})
    assert error["param"] == "chat_template_kwargs.enable_thinking"
    assert "off" in error["message"] and "set it to false" in error["message"]


@pytest.mark.parametrize("value", [False, 0, "false"])
def test_asking_for_no_thinking_that_is_fixed_on_is_refused(value: Any) -> None:
    error = refused(FIXED_ON, chat_template_kwargs={"enable_thinking": value})
    assert error["param"] == "chat_template_kwargs.enable_thinking"
    assert "on for this model" in error["message"] and "set it to true" in error["message"]


@pytest.mark.parametrize(
    ("thinking", "effort"),
    [(FIXED_ON, "none"), *((FIXED_OFF, e) for e in ("minimal", "low", "high", "bogus", 5))],
)
def test_the_effort_is_a_choice_too(thinking: Thinking, effort: Any) -> None:
    error = refused(thinking, reasoning_effort=effort)
    assert error["param"] == "reasoning_effort"
    # also where vLLM would let the other control win
    agreeing = {"enable_thinking": thinking.default}
    assert refused(thinking, reasoning_effort=effort, chat_template_kwargs=agreeing) == error


@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize(
    "request_says",
    [
        {"chat_template_kwargs": {"enable_thinking": True}},
        {"chat_template_kwargs": {"enable_thinking": False}},
        {"reasoning_effort": "none"},
        {},
    ],
)
def test_without_a_lock_a_request_chooses(default: bool, request_says: dict[str, Any]) -> None:
    """Also where its body is read, for the budget's sake."""
    thinking = Thinking(default=default, max_budget=9)
    assert reaches(thinking, **request_says) == {**request_says, "thinking_token_budget": 9}


@pytest.mark.parametrize("kwargs", ["enable_thinking", [["enable_thinking", True]], 1, True])
def test_template_arguments_of_a_wrong_type_are_left_to_the_engine(kwargs: Any) -> None:
    assert reaches(FIXED_OFF, chat_template_kwargs=kwargs) == {"chat_template_kwargs": kwargs}


# Budgets


@pytest.mark.parametrize(
    ("budget", "limit", "asked", "expected"),
    [
        (5, None, None, 5),
        (0, None, None, 0),
        (5, 9, None, 5),
        (None, 9, None, 9),
        (None, 0, None, 0),
        (5, None, 100, 100),
        (5, None, -1, -1),
        (5, 9, 7, 7),
        (5, 9, 9, 9),
        (5, 9, 0, 0),
        (None, 9, 9, 9),
    ],
)
def test_budgets(budget: int | None, limit: int | None, asked: int | None, expected: int) -> None:
    thinking = Thinking(budget=budget, max_budget=limit)
    if asked is None:
        assert reaches(thinking) == {"thinking_token_budget": expected}
    assert reaches(thinking, thinking_token_budget=asked) == {"thinking_token_budget": expected}


@pytest.mark.parametrize("asked", [10, 10**4000, -1])
def test_more_than_the_limit_is_refused(asked: int) -> None:
    error = refused(Thinking(budget=5, max_budget=9), thinking_token_budget=asked)
    assert error["param"] == "thinking_token_budget"
    assert str(asked)[:20] in error["message"] and "9 tokens" in error["message"]
    assert len(error["message"]) < 200


@pytest.mark.parametrize("asked", ["10", 10.0, 10.5, True, [], {}, -2])
def test_a_budget_of_a_wrong_type_is_left_to_the_engine(asked: Any) -> None:
    """vLLM refuses each of them itself."""
    thinking = Thinking(budget=0, max_budget=0)
    assert reaches(thinking, thinking_token_budget=asked) == {"thinking_token_budget": asked}


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
    assert engine.body == body.rstrip()[:-1] + b', "thinking_token_budget": 5}'


def test_an_empty_object_gets_its_fields_too() -> None:
    _, engine = post(Thinking(default=False, override=False, budget=5), body=b"{ }")
    assert json.loads(engine.body) == {
        "chat_template_kwargs": {"enable_thinking": False},
        "thinking_token_budget": 5,
    }


def test_a_field_that_is_there_twice_counts_as_it_does_for_the_engine() -> None:
    twice = b'{"thinking_token_budget": 1, "thinking_token_budget": 10}'
    assert post(Thinking(max_budget=9), body=twice)[0].status == 400
    twice = b'{"thinking_token_budget": 10, "thinking_token_budget": null}'
    response, engine = post(Thinking(max_budget=9), body=twice)
    assert json.loads(engine.body) == {"thinking_token_budget": 9}
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
    assert json.loads(engine.body) == {**json.loads(request), "thinking_token_budget": 9}
    asked = json.dumps({"thinking_token_budget": 10}).encode(encoding)
    assert post(Thinking(max_budget=9), body=asked)[0].status == 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
requests = st.dictionaries(
    st.sampled_from(
        ["model", "chat_template_kwargs", "reasoning_effort", "thinking_token_budget", "}", "x"]
    ),
    json_values | st.just({"enable_thinking": True}) | st.sampled_from(["m", "none", 3, 99]),
)
thinkings = st.builds(
    Thinking,
    default=st.booleans(),
    override=st.booleans(),
    budget=st.none() | st.integers(0, 9),
    max_budget=st.none() | st.integers(9, 20),
)


@given(request=requests, thinking=thinkings, ascii=st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_request_is_refused_or_within_what_is_fixed(
    request: dict[str, Any], thinking: Thinking, ascii: bool
) -> None:
    body = json.dumps(request, ensure_ascii=ascii).encode("utf-8", "surrogatepass")
    response, engine = post(thinking, body=body)
    if response.status == 400:
        assert response.error["param"]
        return
    got = json.loads(engine.body)
    budget, kwargs = got.get("thinking_token_budget"), got.get("chat_template_kwargs")
    if thinking.max_budget is not None and type(budget) is int:
        assert budget <= thinking.max_budget and budget != -1
    assert budget is not None or (thinking.budget, thinking.max_budget) == (None, None)
    if not thinking.override and isinstance(kwargs, dict):
        assert kwargs["enable_thinking"] is thinking.default
    for name in request.keys() - {"thinking_token_budget", "chat_template_kwargs"}:
        assert got[name] == request[name]


# Which model, which request


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
    assert json.loads(engine.body).get("thinking_token_budget") == expected
    assert fields(engine.scope) == ("reasoning" if expected else "both")


@pytest.mark.parametrize("name", ["both", "reasoning", "reasoning_content"])
def test_the_names_of_the_only_model_need_no_body(name: str) -> None:
    calls: list[Scope] = []
    ask(ThinkingPolicy(untouched(calls), {"m": Thinking(fields=name)}), whole=False)
    assert fields(calls[0]) == name


@pytest.mark.parametrize(
    "scope",
    [
        http("GET"),
        http(path="/v1/responses"),
        http(path="/v1/completions"),
        http(path="/v1/messages"),
        http(path="/v1/chat/completions/batch"),
        {"type": "websocket", "path": CHAT, "headers": []},
        {"type": "lifespan"},
    ],
)
def test_nothing_else_is_read_or_touched(scope: Scope) -> None:
    calls: list[Scope] = []
    ask(ThinkingPolicy(untouched(calls), {"m": FIXED_OFF}), scope, whole=False)
    assert calls[0] is scope


@pytest.mark.parametrize(
    "models",
    [{}, {"m": Thinking()}, {"m": Thinking(default=False)}, {"a": Thinking(), "b": Thinking()}],
)
def test_without_a_policy_no_body_is_read(models: dict[str, Thinking]) -> None:
    """vLLM itself has a default, so that alone is no policy."""
    calls: list[Scope] = []
    scope = http()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        calls.append(scope)
        assert await receive() == {"type": "http.request", "body": b"{", "more_body": True}

    ask(ThinkingPolicy(app, models), scope, [b"{", b"}"], whole=False)
    assert calls[0] is scope


def test_a_path_below_a_prefix_is_a_chat_too() -> None:
    app = ThinkingPolicy(Engine(), {"m": Thinking(max_budget=9)})
    body = [b'{"thinking_token_budget": 10}']
    assert ask(app, http(path="/prefix/v1/chat/completions"), body).status == 400


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

    run(ThinkingPolicy(app, {"m": Thinking(budget=5)})(http(), receive, send))
    body = b'{"thinking_token_budget": 5}'
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

    run(ThinkingPolicy(untouched(calls), {"m": FIXED_OFF})(http(), receive, send))
    assert (calls, incoming) == ([], [])


def test_a_body_that_is_too_large_is_refused_before_it_is_read_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HYBRID_LLM_MAX_BODY_BYTES", "10")
    engine = Engine()
    app = RequestLimits(ThinkingPolicy(engine, {"m": FIXED_OFF}))
    assert ask(app, body=[b'{"a": "', b"b" * 100, b'"}']).status == 413
    assert engine.calls == 0


def test_the_environment_hands_the_values_to_vllms_middleware(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = {"m": Thinking("reasoning", False, False, 5, 9)}
    monkeypatch.setenv(VALUES, dumped(models))
    assert VALUES == "HYBRID_LLM_REASONING"
    engine = Engine()
    ask(ThinkingPolicy(engine))
    assert fields(engine.scope) == "reasoning"
    assert json.loads(engine.body) == {
        "chat_template_kwargs": {"enable_thinking": False},
        "thinking_token_budget": 5,
    }
