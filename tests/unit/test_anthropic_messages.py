"""The Messages API: what is asked of the chat completions behind it, and what comes back."""

import json
from pathlib import Path
from typing import Any

import pytest
from asgi_client import JSON, SSE, Response, answer, ask, http, stream, untouched
from meters import Kept

from app.asgi import App, Message, Receive, Scope, Send
from app.requests import Requests
from app.thinking.fixed import Thinking

PATH = "/v1/messages"
HI = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 7,
    "total_tokens": 17,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
DONE = b"data: [DONE]\n\n"
RECORDED = Path(__file__).parent / "recorded"


def requests(app: App) -> Requests:
    """Return the layer with this application behind it, for the model `m`."""
    return Requests(app, {"m": Thinking()}, Kept())


class Chat:
    """The application behind: keeps the request, whose body must be as long as it says."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.scope: Scope = {}
        self.body: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        assert not message["more_body"]
        lengths = [v for k, v in scope["headers"] if k.lower() == b"content-length"]
        assert lengths == [b"%d" % len(message["body"])]
        self.scope, self.body = scope, json.loads(message["body"])
        await self._app(scope, receive, send)


def send(app: App, **body: Any) -> Response:
    """Send a request to the layer with this application behind it."""
    data = json.dumps({**HI, **body}).encode()
    given = [JSON, (b"content-length", b"%d" % len(data)), (b"x-api-key", b"k")]
    return ask(requests(app), http(path=PATH, headers=given), [data[:5], data[5:]])


def asked(**body: Any) -> dict[str, Any]:
    """Return the chat completion that a request becomes."""
    chat = Chat(answer(200, completion(content="x")))
    send(chat, **body)
    assert isinstance(chat.body, dict)
    return chat.body


def completion(finish_reason: str = "stop", stop: Any = None, **message: Any) -> bytes:
    """Return a chat completion as vLLM sends it."""
    message = {"role": "assistant", "content": None, "tool_calls": [], **message}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason, "stop_reason": stop}
    whole = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m"}
    return json.dumps({**whole, "choices": [choice], "usage": USAGE}).encode()


def chunk(finish_reason: str | None = None, stop: Any = None, **delta: Any) -> bytes:
    """Return an event of a streamed chat completion, with the usage so far, as vLLM sends it."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    if finish_reason:
        choice["stop_reason"] = stop
    return event([choice], {"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 10})


def event(choices: list[Any], usage: dict[str, Any]) -> bytes:
    whole = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    data = json.dumps({**whole, "choices": choices, "usage": usage}, separators=(",", ":"))
    return f"data: {data}\n\n".encode()


def call(**function: str) -> dict[str, Any]:
    first = {"id": "call_1", "type": "function"} if "name" in function else {}
    return {"tool_calls": [{"index": 0, **first, "function": function}]}


FIRST = chunk(role="assistant", content="")
LAST = event([], USAGE)
THINKING = [
    FIRST,
    chunk(reasoning="Hm", reasoning_content="Hm"),
    chunk(reasoning_content=", 2", reasoning=", 2"),
    chunk(content="Four"),
    chunk(content="."),
    chunk("stop"),
    LAST,
    DONE,
]


def events(body: bytes) -> list[dict[str, Any]]:
    """Return the events of a stream, each of which must be named after its type."""
    found = []
    for part in body.decode().split("\n\n")[:-1]:
        name, data = part.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def types(body: bytes) -> list[str]:
    """Return the types of the events of a stream, of deltas their own."""
    return [
        event["delta"]["type"] if event["type"] == "content_block_delta" else event["type"]
        for event in events(body)
    ]


# The request


def test_a_request_becomes_a_chat_completion() -> None:
    chat = Chat(answer(200, completion(content="x")))
    assert send(chat).status == 200
    assert chat.scope["path"] == "/v1/chat/completions"
    assert chat.scope["raw_path"] == b"/v1/chat/completions"
    assert (b"x-api-key", b"k") in chat.scope["headers"]
    assert chat.body["messages"] == HI["messages"]
    assert (chat.body["model"], chat.body["max_completion_tokens"]) == ("m", 9)
    assert "stream" not in chat.body


def test_a_prefix_of_the_path_is_kept() -> None:
    chat = Chat(answer(200, completion(content="x")))
    ask(requests(chat), http(path="/llm/v1/messages"), [json.dumps(HI).encode()])
    assert chat.scope["path"] == "/llm/v1/chat/completions"


def test_a_stream_is_asked_for_with_its_usage() -> None:
    chat = Chat(stream(THINKING))
    send(chat, stream=True)
    assert chat.body["stream"] is True
    assert chat.body["stream_options"] == {"include_usage": True, "continuous_usage_stats": True}


def test_what_a_chat_completion_takes_too_goes_on_as_it_is() -> None:
    carried = {
        "cache_salt": "s",
        "chat_template_kwargs": {"enable_thinking": False, "x": None},
        "ignore_eos": True,
        "include_reasoning": False,
        "min_p": 0.1,
        "priority": 5,
        "repetition_penalty": 1.1,
        "seed": 7,
        "temperature": 0.5,
        "thinking_token_budget": 100,
        "top_k": 20,
        "top_p": 0.9,
        "vllm_xargs": {"a": 1},
    }
    body = asked(**carried)
    assert {name: body[name] for name in carried} == carried


def test_the_controls_of_the_thinking_become_those_of_a_chat_completion() -> None:
    form = {"type": "json_schema", "schema": {"type": "object"}}
    body = asked(
        thinking={"type": "enabled", "budget_tokens": 1024},
        output_config={"effort": "low", "format": form},
    )
    assert not {"thinking", "output_config"} & set(body)
    assert body["chat_template_kwargs"] == {"enable_thinking": True}
    assert body["thinking_token_budget"] == 1024
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_a_history_with_thinking_and_tools() -> None:
    body = asked(
        system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm", "signature": "s"},
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "id": "c1", "name": "f", "input": {"city": None}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c1", "content": "rain"},
                    {"type": "text", "text": "And?"},
                ],
            },
        ],
        tools=[{"name": "f", "description": "d", "input_schema": {"properties": {"city": {}}}}],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        stop_sequences=["X"],
    )
    call = {"name": "f", "arguments": '{"city": null}'}
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": "Let me see.",
            "reasoning": "Hm",
            "tool_calls": [{"id": "c1", "type": "function", "function": call}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        {"role": "user", "content": "And?"},
    ]
    parameters = {"type": "object", "properties": {"city": {}}}
    function = {"name": "f", "description": "d", "parameters": parameters}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", False)
    assert body["stop"] == ["X"]


TEXT = [{"type": "text", "text": "Once"}]


@pytest.mark.parametrize("content", ["Once", TEXT, TEXT * 2])
def test_an_answer_that_the_client_has_begun_is_continued(content: Any) -> None:
    body = asked(messages=[*HI["messages"], {"role": "assistant", "content": content}])
    assert (body["add_generation_prompt"], body["continue_final_message"]) == (False, True)


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "thinking", "thinking": "Hm", "signature": "s"}],
        [*TEXT, {"type": "tool_use", "id": "c1", "name": "f", "input": {}}],
    ],
    ids=["no text", "a call"],
)
def test_a_turn_without_a_text_to_continue_is_not(content: Any) -> None:
    body = asked(messages=[*HI["messages"], {"role": "assistant", "content": content}])
    assert not {"add_generation_prompt", "continue_final_message"} & set(body)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": "secret"}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": "secret"}, "messages"),
        ({"messages": [{"role": "secret", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages.0.content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "secret"}]}]},
            "messages.0.content.0.type",
        ),
        ({"tools": [{"name": "f"}]}, "tools.0.input_schema"),
        ({"tools": [{"name": "f", "type": "web_search_20250305"}]}, "tools.0.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice"),
    ],
)
def test_a_bad_request_is_refused(body: dict[str, Any], param: str) -> None:
    response = send(untouched([]), **body)
    assert response.status == 400
    assert response.error["param"] == param
    assert response.error["message"].startswith(f"{param}: ")
    assert "secret" not in response.body.decode()


def test_a_field_may_be_missing_and_the_message_says_which() -> None:
    response = ask(requests(untouched([])), http(path=PATH), [b"{}"])
    assert response.error["message"].endswith(": Field required")


def test_a_body_that_is_nested_too_deeply_is_refused() -> None:
    response = ask(requests(untouched([])), http(path=PATH), [b"[" * 200_000])
    assert "nested" in response.error["message"]


def test_tokens_are_counted_of_the_prompt_that_the_message_becomes() -> None:
    request = {key: value for key, value in HI.items() if key != "max_tokens"}
    tools = [{"name": "f", "input_schema": {"type": "object"}}]
    body = json.dumps({**request, "system": "Be brief.", "tools": tools}).encode()
    for tokenizes, reply in ((True, b'{"count": 21}'), (False, completion(content="x"))):
        chat = Chat(answer(200, reply))
        app = Requests(chat, {"m": Thinking()}, Kept(), tokenizes)
        response = ask(app, http(path=f"{PATH}/count_tokens"), [body])
        expected = 21 if tokenizes else USAGE["prompt_tokens"]
        assert json.loads(response.body) == {"input_tokens": expected}
        assert chat.scope["path"] == ("/tokenize" if tokenizes else "/v1/chat/completions")
        assert [message["role"] for message in chat.body["messages"]] == ["system", "user"]
        assert chat.body["tools"][0]["function"]["name"] == "f"
        assert chat.body.get("max_completion_tokens") == (None if tokenizes else 1)
    response = ask(requests(untouched([])), http(path=f"{PATH}/count_tokens"), [b'{"model": "m"}'])
    assert (response.status, response.error["param"]) == (400, "messages")


def disconnected(incoming: list[Message]) -> list[str]:
    """Return the types of what the application receives of a client that goes away."""
    received: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(2):
            received.append((await receive())["type"])

    async def receive() -> Message:
        return incoming.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError(f"sent: {message}")

    with pytest.raises(StopIteration):
        requests(app)(http(path=PATH), receive, send).send(None)
    return received


def test_a_disconnect_reaches_the_application() -> None:
    whole = {"type": "http.request", "body": json.dumps(HI).encode()}
    gone = {"type": "http.disconnect"}
    assert disconnected([whole, gone]) == ["http.request", "http.disconnect"]


def test_a_request_that_breaks_off_is_not_run() -> None:
    part = {"type": "http.request", "body": b'{"mod', "more_body": True}
    assert disconnected([part, {"type": "http.disconnect"}]) == []


# The whole answer


@pytest.mark.parametrize("names", [["reasoning"], ["reasoning_content"]] * 2)
def test_a_whole_answer(names: list[str]) -> None:
    function = {"name": "f", "arguments": '{"a": 1}'}
    calls = [{"id": "call_1", "type": "function", "function": function}]
    body = completion("tool_calls", content="Hi", tool_calls=calls, **dict.fromkeys(names, "Hm"))
    response = send(answer(200, [body[:9], body[9:]], [JSON, (b"content-length", b"1")]))
    assert response.header("content-length") == str(len(response.body))
    message = json.loads(response.body)
    signature = message["content"][0].pop("signature")
    assert signature
    assert message == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [
            {"type": "thinking", "thinking": "Hm"},
            {"type": "text", "text": "Hi"},
            {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 6,
            "cache_read_input_tokens": 4,
            "output_tokens": 7,
            "output_tokens_details": {"thinking_tokens": 3},
        },
    }


REASONS = [
    ("stop", None, "end_turn", None),
    ("stop", 151645, "end_turn", None),
    ("stop", "X", "stop_sequence", "X"),
    ("length", None, "max_tokens", None),
    ("tool_calls", None, "tool_use", None),
]


@pytest.mark.parametrize(("finish_reason", "stop", "reason", "sequence"), REASONS)
def test_why_an_answer_ended(finish_reason: str, stop: Any, reason: str, sequence: Any) -> None:
    message = json.loads(send(answer(200, completion(finish_reason, stop, content="x"))).body)
    assert (message["stop_reason"], message["stop_sequence"]) == (reason, sequence)
    pieces = [FIRST, chunk(content="x"), chunk(finish_reason, stop), LAST, DONE]
    *_, delta, _ = events(send(stream(pieces), stream=True).body)
    assert delta["delta"] == {"stop_reason": reason, "stop_sequence": sequence}


NAMED = [
    (None, "{}", "tool_use", None),  # OpenAI's reason is `stop`
    (151645, "{}", "tool_use", None),
    ("X", '{"a', "stop_sequence", "X"),
]


@pytest.mark.parametrize(("stop", "arguments", "reason", "sequence"), NAMED)
def test_a_call_that_was_named_is_a_call(
    stop: Any, arguments: str, reason: str, sequence: Any
) -> None:
    function = {"name": "f", "arguments": arguments}
    calls = [{"id": "c", "type": "function", "function": function}]
    message = json.loads(send(answer(200, completion("stop", stop, tool_calls=calls))).body)
    assert (message["stop_reason"], message["stop_sequence"]) == (reason, sequence)
    assert [block["type"] for block in message["content"]] == ["tool_use"]
    last = event([{"index": 0, "delta": {}, "finish_reason": "stop", "stop_reason": stop}], USAGE)
    for pieces in ([chunk(**call(**function)), last], [chunk("stop", stop, **call(**function))]):
        found = events(send(stream([FIRST, *pieces, LAST, DONE]), stream=True).body)
        assert found[-2]["delta"] == {"stop_reason": reason, "stop_sequence": sequence}
        starts = [e["content_block"]["type"] for e in found if e["type"] == "content_block_start"]
        assert starts == ["tool_use"]


@pytest.mark.parametrize("arguments", ['{"a": ', "[1]", ""])
def test_a_call_that_breaks_off_has_no_input(arguments: str) -> None:
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}]
    message = json.loads(send(answer(200, completion("length", tool_calls=calls))).body)
    assert message["content"] == [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]


def test_an_answer_that_was_aborted_is_a_failure() -> None:
    with pytest.raises(RuntimeError):
        send(answer(200, completion("abort", content="x")))


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
@pytest.mark.parametrize("streamed", [True, False])
def test_an_error_response_passes_as_it_is(status: int, streamed: bool) -> None:
    body, headers = b'{"error": {"message": "no"}}', [JSON, (b"retry-after", b"1")]
    response = send(answer(status, [body[:4], body[4:]], headers), stream=streamed)
    assert (response.status, response.body, response.headers) == (status, body, headers)


# Streams


def test_a_stream_with_thinking() -> None:
    response = send(stream(THINKING), stream=True)
    assert response.header("content-type") == SSE[1].decode()
    start, thinking, hm, two, signed, *_ = found = events(response.body)
    assert types(response.body) == [
        "message_start",
        "content_block_start",
        "thinking_delta",
        "thinking_delta",
        "signature_delta",
        "content_block_stop",
        "content_block_start",
        "text_delta",
        "text_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    usage = {"input_tokens": 10, "output_tokens": 0}
    assert start["message"] == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "m",
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    assert thinking["content_block"] == {"type": "thinking", "thinking": "", "signature": ""}
    assert hm["delta"]["thinking"] + two["delta"]["thinking"] == "Hm, 2"
    assert signed["delta"]["signature"]
    assert [event["index"] for event in found if "index" in event] == [0] * 5 + [1] * 4
    assert found[-2]["usage"] == {
        "input_tokens": 6,
        "cache_read_input_tokens": 4,
        "output_tokens": 7,
        "output_tokens_details": {"thinking_tokens": 3},
    }


def test_a_stream_with_a_call() -> None:
    arguments = ('{"a"', ": 1}")
    calls = [
        chunk(**call(name="f", arguments="")),
        *(chunk(**call(arguments=a)) for a in arguments),
    ]
    body = send(stream([FIRST, *calls, chunk("tool_calls"), LAST, DONE]), stream=True).body
    _, start, *deltas = events(body)
    assert start["content_block"] == {"type": "tool_use", "id": "call_1", "name": "f", "input": {}}
    assert [event["delta"]["partial_json"] for event in deltas[:2]] == list(arguments)
    assert types(body)[4:] == ["content_block_stop", "message_delta", "message_stop"]


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_the_thinking_may_have_either_name(name: str) -> None:
    pieces = [FIRST, chunk(**{name: 'Hm "reasoning":'}), chunk("stop"), LAST, DONE]
    deltas = [e["delta"] for e in events(send(stream(pieces), stream=True).body) if "delta" in e]
    assert deltas[0] == {"type": "thinking_delta", "thinking": 'Hm "reasoning":'}


def test_each_event_is_passed_on_at_once() -> None:
    sent = [types(chunk) for chunk in send(stream(THINKING), stream=True).chunks]
    assert sent == [
        ["message_start"],
        ["content_block_start", "thinking_delta"],
        ["thinking_delta"],
        ["signature_delta", "content_block_stop", "content_block_start", "text_delta"],
        ["text_delta"],
        ["content_block_stop", "message_delta"],
        ["message_stop"],
    ]


def test_a_split_at_any_byte_changes_nothing() -> None:
    whole = b"".join(THINKING).replace(b"\n", b"\r\n")
    expected = types(send(stream(THINKING), stream=True).body)
    for at in range(1, len(whole), 7):
        assert types(send(stream([whole[:at], whole[at:]]), stream=True).body) == expected


def test_a_comment_keeps_a_connection_alive() -> None:
    chunks = send(stream([b": ping\n\n", *THINKING]), stream=True).chunks
    assert chunks[0] == b": ping\n\n"


@pytest.mark.parametrize("name", ["thinking", "thinking_disabled", "keys_in_text", "spaced"])
def test_recorded_streams_keep_their_text(name: str) -> None:
    recorded = (RECORDED / f"{name}.sse").read_bytes()
    expected = {"thinking": "", "text": ""}
    for line in recorded.decode().split("\n"):
        if line.startswith("data: {"):
            for choice in json.loads(line[6:])["choices"]:
                expected["thinking"] += choice["delta"].get("reasoning") or ""
                expected["text"] += choice["delta"].get("content") or ""
    received = {"thinking": "", "text": ""}
    for piece in events(send(stream([recorded]), stream=True).body):
        for field in received:
            received[field] += (piece.get("delta") or {}).get(field, "")
    assert received == expected


def failed(body: bytes) -> dict[str, Any]:
    """Return the error that ends a stream."""
    *_, last = events(body)
    assert list(last) == ["type", "error"]
    assert types(body).count("error") == 1
    error: dict[str, Any] = last["error"]
    return error


@pytest.mark.parametrize(
    ("code", "kind"),
    [(400, "invalid_request_error"), (429, "rate_limit_error"), (500, "api_error")]
    + [(503, "overloaded_error"), (None, "api_error")],
)
def test_an_error_event_ends_the_stream(code: Any, kind: str) -> None:
    inner = {"message": "No ray.serve here", "type": "x", "param": None, "code": code}
    event = b"data: %s\n\n" % json.dumps({"error": inner}).encode()
    response = send(stream([*THINKING[:4], event, DONE]), stream=True)
    assert failed(response.body)["type"] == kind
    assert "ray.serve" not in response.body.decode()


@pytest.mark.parametrize(
    "pieces",
    [
        THINKING[:-1],
        THINKING[:4],
        [*THINKING[:4], DONE],
        [*THINKING[:6], DONE],
        [*THINKING[:5], chunk("abort"), LAST, DONE],
        [b""],
    ],
    ids=["no [DONE]", "cut off", "no finish reason", "no usage", "aborted", "nothing at all"],
)
def test_a_stream_without_its_end_is_a_failure(pieces: list[bytes]) -> None:
    for cut in (pieces, [*pieces, b""]):
        response = send(stream(cut), stream=True)
        assert failed(response.body)["type"] == "api_error"
        assert "message_stop" not in types(response.body)


def test_an_exception_is_left_to_the_outer_layers() -> None:
    sent: list[Message] = []

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        async def watched(message: Message) -> None:
            sent.append(message)

        body = json.dumps({**HI, "stream": True}).encode()

        async def given() -> Message:
            return {"type": "http.request", "body": body}

        app = requests(stream([*THINKING[:4], b""], then=OSError("broken")))
        with pytest.raises(OSError, match="broken"):
            await app(scope, given, watched)
        await answer(200)(scope, receive, send)

    ask(outer, http(path=PATH))
    assert all(message.get("more_body", True) for message in sent)
    assert b"event: error" not in b"".join(message.get("body", b"") for message in sent)


def test_a_chunk_that_cannot_be_read_is_an_exception() -> None:
    with pytest.raises(RuntimeError):
        send(stream([FIRST, b'data: {"secret": 1}\n\n', DONE]), stream=True)
