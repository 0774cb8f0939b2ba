"""From a request's bytes to what the engine is asked: what is read, goes on, is refused."""

import contextlib
import inspect
import json
from collections.abc import Mapping
from typing import Any

import pytest
from asgi_client import CHAT, JSON, Response, answer, ask, http, run, untouched
from meters import Kept

from app.asgi import Message, Receive, Scope, Send
from app.edge.limits import RequestLimits
from app.requests import Requests
from app.scope import Call, call_of, with_key
from app.surfaces import fields
from app.thinking.fixed import VALUES, Thinking, dumped

FIXED_OFF = Thinking(default=False, override=False)
ON, OFF = {"enable_thinking": True}, {"enable_thinking": False}
HI = [{"role": "user", "content": "Hi"}]


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
    request: Mapping[str, Any] = {},
    *,
    body: bytes | None = None,
    path: str = CHAT,
    key: str = "",
    meter: Kept | None = None,
) -> tuple[Response, Engine]:
    """Send a request, in two pieces and with its length, to a server with these values.

    What it leaves out and its API requires is added.
    """
    models = {"m": thinking} if isinstance(thinking, Thinking) else thinking
    if body is None:
        required = {"prompt": "Hi"} if path.endswith("/v1/completions") else {"messages": HI}
        body = json.dumps({**required, **request}).encode()  # type: ignore[dict-item]
    engine = Engine()
    scope = http(path=path, headers=[JSON, (b"Content-Length", b"%d" % len(body))])
    half = len(body) // 2
    app = Requests(engine, models, meter or Kept())
    return ask(app, with_key(scope, key) if key else scope, [body[:half], body[half:]]), engine


# What is read


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "required"),
        (b" ", "required"),
        (b"{", "JSON"),
        (b"[]", "object"),
        (b'"x"', "object"),
        (b"null", "object"),
        (b"1e999", "object"),
        (b"\xff\xfe", "JSON"),
        (b'{"model": "\xff"}', "UTF-8"),
        (b'{"model": "m"} x', "character 15"),
        (b'{"n": ' + b"1" * 5000 + b"}", "too large"),
        (b'{"n": 36893488147419103232}', "n: has a number that is too large"),
        (b'{"temperature": 1e999}', "temperature: has a number that is too large"),
        (b'{"temperature": NaN}', "NaN"),
        (b'{"temperature": -Infinity}', "Infinity"),
        (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"x":' + b"[" * 129 + b"]" * 129 + b"}", "nested too deeply"),
        (b'{"prompt": [' + b"1," * 250_000 + b"1]}", "250000 values"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_sound_json_object_is_refused(body: bytes, word: str) -> None:
    response, engine = post(FIXED_OFF, body=body)
    assert (response.status, engine.calls) == (400, 0)
    assert word in response.error["message"]


HALF = "\ud83e"  # of an emoji that somebody has cut in two


@pytest.mark.parametrize(
    "request_",
    [
        {"messages": [{"role": "user", "content": HALF}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": HALF}]}]},
        {"model": HALF},
        {"stop": [HALF]},
        {"tools": [{"type": "function", "function": {"name": HALF}}]},
        {"chat_template_kwargs": {HALF: 1}},
        {HALF: 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", [CHAT, "/v1/responses", "/v1/messages", "/v1/completions"])
def test_half_a_character_is_refused_however_it_is_written(request_: Any, path: str) -> None:
    as_escape = json.dumps({"messages": HI, **request_}).encode()
    text = json.dumps({"messages": HI, **request_}, ensure_ascii=False)
    for body in (as_escape, text.encode("utf-8", "surrogatepass")):
        response, engine = post(Thinking(), body=body, path=path)
        assert (response.status, engine.calls) == (400, 0)
        assert "half a character" in response.error["message"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_every_encoding_of_json_is_read(encoding: str) -> None:
    request = json.dumps({"messages": HI, "user": "ä☃"}, ensure_ascii=False)
    response, engine = post(Thinking(max_budget=9), body=request.encode(encoding))
    added = {"chat_template_kwargs": ON, "thinking_token_budget": 9}
    assert engine.got == {**json.loads(request), "model": "m", **added} | {"model": "m"}
    asked = json.dumps({"messages": HI, "thinking_token_budget": 10}).encode(encoding)
    assert post(Thinking(max_budget=9), body=asked)[0].status == 400


def test_what_goes_on_is_what_was_read_and_nothing_else() -> None:
    """A field that is there twice, one that nobody knows, numbers as text, and the old name."""
    body = b"""{"messages": [{"role": "assistant", "content": null, "reasoning_content": "Hm"}],
        "thinking_token_budget": 10, "thinking_token_budget": 5, "foo": 1, "max_tokens": "7",
        "stop": null, "request_id": "mine"}"""
    response, engine = post(Thinking(max_budget=9), body=body)
    assert response.status == 200
    assert engine.got == {
        "model": "m",
        "messages": [{"role": "assistant", "content": None, "reasoning": "Hm"}],
        "thinking_token_budget": 5,
        "max_tokens": 7,
        "stop": None,
        "chat_template_kwargs": ON,
    }


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        ({"messages": 5}, "messages"),
        ({"messages": [5]}, "messages"),
        ({"messages": [{"role": "user", "content": [None]}]}, "messages.0.content.0"),
        ({"messages": [{"role": "user", "content": ["hi"]}]}, "messages.0.content.0"),
        ({"messages": [{"role": "user", "content": [{"text": "hi"}]}]}, "messages.0.content.0"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": None}]}]},
            "messages.0.content.0",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]},
            "messages.0.content.0",
        ),
        ({"messages": [{"role": "assistant", "tool_calls": 5}]}, None),
        ({"messages": [{"role": "assistant", "tool_calls": [5]}]}, "messages"),
        ({"structured_outputs": 5}, None),
        ({"tools": [5]}, "tools.0"),
        ({"top_k": 10**12}, "top_k"),
        ({"top_k": 1e18}, "top_k"),
        ({"stop_token_ids": [2**40]}, "stop_token_ids"),
        ({"thinking_token_budget": 50.0}, "thinking_token_budget"),
        ({"thinking_token_budget": "500"}, "thinking_token_budget"),
        ({"thinking_token_budget": 50.0, "reasoning_effort": "low"}, "thinking_token_budget"),
        ({"chat_template_kwargs": {"conversation": []}}, "chat_template_kwargs.conversation"),
        ({"chat_template_kwargs": {"tokenizer": 1}}, "chat_template_kwargs.tokenizer"),
        ({"chat_template": "{{ 1 }}"}, "chat_template"),
        ({"use_beam_search": True}, "use_beam_search"),
        ({"kv_transfer_params": {"remote_host": "h"}}, "kv_transfer_params"),
        ({"add_generation_prompt": False}, "add_generation_prompt"),
        ({"add_generation_prompt": "no"}, "add_generation_prompt"),
    ],
    ids=str,
)
def test_what_the_engines_models_refuse_or_fail_over_is_refused(
    request_: Any, param: str | None
) -> None:
    response, engine = post(Thinking(budget=9), request_)
    assert (response.status, engine.calls) == (400, 0)
    assert response.error["param"] == param


def test_every_field_of_the_engines_models_is_taken_refused_or_dropped() -> None:
    """One that a new vLLM adds does not reach the engine until somebody has thought about it."""
    from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
    from vllm.entrypoints.openai.completion.protocol import CompletionRequest

    others = set(fields.REFUSED) | fields.DROPPED
    for model, taken in (
        (ChatCompletionRequest, fields.CHAT),
        (CompletionRequest, fields.COMPLETIONS),
    ):
        assert not taken & others
        assert taken <= set(model.model_fields) <= taken | others


def test_every_argument_of_the_functions_around_a_template_is_reserved() -> None:
    from transformers import PreTrainedTokenizerBase
    from vllm.renderers.hf import safe_apply_chat_template

    for function in (PreTrainedTokenizerBase.apply_chat_template, safe_apply_chat_template):
        assert set(inspect.signature(function).parameters) - {"kwargs"} <= fields.TEMPLATE_RESERVED


def test_a_stream_is_asked_for_its_usage_whatever_else_it_has() -> None:
    for spelt in (True, 1, "true", "yes"):
        for given in (None, {}, {"include_usage": False}, {"continuous_usage_stats": True}):
            options = {} if given is None else {"stream_options": given}
            _, engine = post(Thinking(), {"stream": spelt, **options})
            assert engine.got["stream_options"]["include_usage"] is True
            assert engine.call.streamed and engine.call.hides_usage
    _, engine = post(Thinking(), {"stream": True, "stream_options": {"include_usage": True}})
    assert engine.call.streamed and not engine.call.hides_usage
    for request in ({"stream": False}, {}):
        _, engine = post(Thinking(), request)
        assert "stream_options" not in engine.got
        assert not engine.call.hides_usage


def test_choices_are_counted_however_they_are_spelt() -> None:
    for spelt in (3, "3", 3.0):
        _, engine = post(Thinking(), {"n": spelt})
        assert (engine.call.choices, engine.got["n"]) == (3, 3)


# Which model, which surface, which key


@pytest.mark.parametrize(
    ("model", "status"),
    [(None, 200), ("m", 200), ("", 404), ("m:lora", 404), ("m:", 404), ("other", 404), (5, 400)],
)
@pytest.mark.parametrize("path", [CHAT, "/v1/completions", "/tokenize"])
def test_a_model_that_is_not_here_reaches_nobody(model: object, status: int, path: str) -> None:
    """Also where there is but one: to be asked by any name is to be asked undecided."""
    response, engine = post(Thinking(max_budget=9), {"model": model}, path=path)
    assert (response.status, engine.calls) == (status, int(status == 200))
    if status == 404:
        assert response.error["code"] == "model_not_found"
    elif status == 200:
        assert engine.got["model"] == "m"


@pytest.mark.parametrize(
    ("model", "expected"),
    [("a", 9), ("a:lora", 9), ("b", None), ("b:lora", 404), ("c", 404), (None, 400), ([], 400)],
)
def test_of_several_models_each_has_its_own(model: object, expected: int | None) -> None:
    a = Thinking(max_budget=9, fields="reasoning", loads_adapters=True)
    response, engine = post({"a": a, "b": Thinking()}, {"model": model})
    if expected in (400, 404):
        assert (response.status, engine.calls) == (expected, 0)
        return
    assert response.status == 200
    assert engine.got.get("thinking_token_budget") == expected
    assert engine.call.fields == ("reasoning" if expected else "both")
    assert (engine.got["model"], engine.call.model) == (model, str(model)[0])


@pytest.mark.parametrize(
    ("model", "reaches"),
    [
        ("m:sql", "m:sql"),
        ("sql", "m:sql"),
        ("sql:think", "m:sql"),
        ("m:other", None),
        ("n:sql", None),
        ("n", "n"),  # a model's name, not the adapter's
        ("m:n", "m:n"),
    ],
)
def test_an_adapter_is_asked_for_by_its_name_with_the_model_or_alone(
    model: str, reaches: str | None
) -> None:
    values = {"m": Thinking(max_budget=9, adapters=("sql", "n")), "n": Thinking()}
    response, engine = post(values, {"model": model})
    assert (response.status, engine.calls) == ((200, 1) if reaches else (404, 0))
    if reaches:
        assert engine.got["model"] == reaches
        assert engine.got.get("thinking_token_budget") == (9 if reaches[0] == "m" else None)


@pytest.mark.parametrize(
    ("model", "reaches", "thinks"),
    [
        ("m:think", "m", True),
        ("m:no-think", "m", False),
        ("m:lora:no-think", "m:lora", False),
        ("m:lora", "m:lora", None),
        ("m:nothink", "m:nothink", None),  # an adapter's name, if there is one
        ("other:think", None, None),
        ("think", None, None),
        (":think", None, None),
        ("m:", None, None),
    ],
)
@pytest.mark.parametrize("models", ["one", "two"])
def test_the_ending_of_a_name_is_a_mode(
    model: str, reaches: str | None, thinks: bool | None, models: str
) -> None:
    for default in (True, False):
        values = {"m": Thinking(default=default, loads_adapters=True)}
        values |= {"n": Thinking()} if models == "two" else {}
        response, engine = post(values, {"model": model})
        if reaches is None:
            assert (response.status, engine.calls) == (404, 0)
            continue
        assert (response.status, engine.got["model"]) == (200, reaches)
        mode = default if thinks is None else thinks
        assert engine.got["chat_template_kwargs"] == {"enable_thinking": mode}
        assert engine.call.decision.thinks is mode


@pytest.mark.parametrize("model", ["m:nothink", "m:free", "m:think:think", "m:think:no-think"])
@pytest.mark.parametrize("path", [CHAT, "/v1/responses", "/v1/messages", "/v1/completions"])
def test_a_misspelt_ending_is_no_model(model: str, path: str) -> None:
    response, engine = post(Thinking(), {"model": model}, path=path)
    assert (response.status, engine.calls) == (404, 0)
    assert (response.error["code"], response.error["param"]) == ("model_not_found", "model")


@pytest.mark.parametrize("path", [CHAT, "/v1/responses", "/v1/messages", "/v1/completions"])
@pytest.mark.parametrize("prefix", ["", "/prefix"])
def test_every_surface_is_decided_on(path: str, prefix: str) -> None:
    thinking = Thinking(max_budget=9)
    request: dict[str, Any] = {"input": "Hi", "max_tokens": 99}
    response, engine = post(thinking, {**request, "thinking_token_budget": 10}, path=prefix + path)
    assert (response.status, engine.calls) == (400, 0)
    engine = Engine()
    request |= {"prompt": "Hi"} if path == "/v1/completions" else {"messages": HI}
    body = json.dumps({"model": "m", **request}).encode()
    app = Requests(engine, {"m": thinking}, Kept())
    with contextlib.suppress(Exception):  # the answer is none that could be turned back
        ask(app, with_key(http(path=prefix + path), "alice"), [body])
    assert engine.got["thinking_token_budget"] == 9
    surface = path.removeprefix("/v1/").replace("/", "_")
    assert (engine.call.surface, engine.call.key, engine.call.model) == (surface, "alice", "m")
    behind = path if path.endswith("completions") else CHAT
    assert engine.scope["path"] == prefix + behind


FUNCTION = {"name": "f", "parameters": {"type": "object"}}
TOOLS = {
    CHAT: {"tools": [{"type": "function", "function": FUNCTION}], "tool_choice": "none"},
    "/v1/responses": {"tools": [{"type": "function", **FUNCTION}], "tool_choice": "none"},
    "/v1/messages": {
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "none"},
    },
}


@pytest.mark.parametrize("path", TOOLS)
def test_tools_that_a_request_forbids_are_not_in_its_prompt(path: str) -> None:
    engine = Engine()
    asked = {"model": "m", "max_tokens": 9, "input": "Hi", "messages": HI, **TOOLS[path]}
    with contextlib.suppress(Exception):  # the answer is none that could be turned back
        ask(
            Requests(engine, {"m": Thinking()}, Kept()),
            http(path=path),
            [json.dumps(asked).encode()],
        )
    assert engine.calls == 1
    assert not {"tools", "tool_choice"} & engine.got.keys()
    assert not engine.call.tools


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
        {"type": "websocket", "path": CHAT, "headers": []},
        {"type": "lifespan"},
    ],
)
def test_nothing_else_is_read_or_touched(scope: Scope) -> None:
    calls: list[Scope] = []
    ask(Requests(untouched(calls), {"m": FIXED_OFF}, Kept()), scope, whole=False)
    assert calls[0] is scope


def test_what_makes_no_model_write_goes_on_as_it_came() -> None:
    request = {"model": "m:think", "prompt": "Hi", "add_special_tokens": False}
    response, engine = post(FIXED_OFF, request, path="/tokenize")
    assert response.status == 200
    assert engine.got == {**request, "model": "m", "messages": HI}
    assert call_of(engine.scope) is None


def test_without_any_values_nothing_reaches_the_engine() -> None:
    response, engine = post({}, {"model": "m"})
    assert (response.status, engine.calls) == (404, 0)


# Around it


def test_what_the_client_says_after_the_body_reaches_the_application() -> None:
    """Starlette waits for the end of the connection while it streams."""
    incoming: list[Message] = [
        {"type": "http.request", "body": json.dumps({"messages": HI}).encode()},
        {"type": "http.disconnect"},
    ]
    got: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        got.extend([await receive(), await receive()])

    async def receive() -> Message:
        return incoming.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError(message)

    run(Requests(app, {"m": Thinking()}, Kept())(http(), receive, send))
    assert (got[0]["type"], got[0]["more_body"]) == ("http.request", False)
    assert json.loads(got[0]["body"])["chat_template_kwargs"] == ON
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

    run(Requests(untouched(calls), {"m": FIXED_OFF}, Kept())(http(), receive, send))
    assert (calls, incoming) == ([], [])


def test_a_body_that_is_too_large_is_refused_before_it_is_read_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HYBRID_LLM_MAX_BODY_BYTES", "10")
    engine = Engine()
    app = RequestLimits(Requests(engine, {"m": FIXED_OFF}, Kept()))
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
    ask(
        Requests(engine, meter=Kept()),
        body=[json.dumps({"messages": HI, "reasoning_effort": "low"}).encode()],
    )
    assert engine.call.fields == "reasoning"
    assert engine.got["thinking_token_budget"] == 4 and engine.got["priority"] > 0
    ask(
        Requests(engine, meter=Kept()),
        with_key(http(), "alice"),
        [json.dumps({"messages": HI, "enable_thinking": True}).encode()],
    )
    assert engine.got["thinking_token_budget"] == 3


def test_a_message_in_harmonys_form_is_refused() -> None:
    """vLLM's model has it, as an object of its own that nothing behind here reads."""
    harmonys = {"author": {"role": "user"}, "content": [{"type": "text", "text": "x"}]}
    response, engine = post(Thinking(), {"messages": [*HI, harmonys]})
    assert (response.status, engine.calls) == (400, 0)
    assert response.error["param"] == "messages.1"
