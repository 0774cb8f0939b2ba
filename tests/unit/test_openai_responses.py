"""The Responses API: what is asked of the chat completions behind it, and what a client reads.

The answers are read by OpenAI's own client, which insists on the order of the events.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import httpx2
import pytest
from asgi_client import JSON, SSE, Response, answer, ask, http, stream, untouched
from meters import Kept
from openai import AsyncOpenAI, BadRequestError
from pydantic import BaseModel

from app.asgi import App, Receive, Scope, Send
from app.edge.errors import OpenAIErrors
from app.requests import Requests
from app.thinking.fixed import Thinking

PATH = "/v1/responses"
USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 7,
    "total_tokens": 17,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
DONE = b"data: [DONE]\n\n"


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
        lengths = [v for k, v in scope["headers"] if k.lower() == b"content-length"]
        assert lengths == [b"%d" % len(message["body"])]
        self.scope, self.body = scope, json.loads(message["body"])
        await self._app(scope, receive, send)


def send(app: App, **body: Any) -> Response:
    """Send a request to the layer with this application behind it."""
    data = json.dumps({"model": "m", "input": "Hi", **body}).encode()
    return ask(requests(app), http(path=PATH), [data[:5], data[5:]])


def asked(**body: Any) -> dict[str, Any]:
    """Return the chat completion that a request becomes."""
    chat = Chat(answer(200, completion(content="x")))
    assert send(chat, **body).status == 200
    assert isinstance(chat.body, dict)
    return chat.body


def completion(finish_reason: str = "stop", **message: Any) -> bytes:
    """Return a chat completion as vLLM sends it."""
    message = {"role": "assistant", "content": None, "tool_calls": [], **message}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    whole = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "served"}
    return json.dumps({**whole, "choices": [choice], "usage": USAGE}).encode()


def chunk(finish_reason: str | None = None, **delta: Any) -> bytes:
    """Return an event of a streamed chat completion as vLLM sends it."""
    return event([{"index": 0, "delta": delta, "finish_reason": finish_reason}])


def event(choices: list[Any], **more: Any) -> bytes:
    whole = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "served"}
    return f"data: {json.dumps({**whole, 'choices': choices, **more})}\n\n".encode()


def call(index: int, **function: str) -> bytes:
    first = {"id": f"call_{index}", "type": "function"} if "name" in function else {}
    return chunk(tool_calls=[{"index": index, **first, "function": function}])


FIRST = chunk(role="assistant", content="")
LAST = event([], usage=USAGE)
END = [LAST, DONE]
THINKING = [
    FIRST,
    chunk(reasoning="Hm", reasoning_content="Hm"),
    chunk(reasoning_content=", 2", reasoning=", 2"),
    chunk(content="Four", reasoning=None),
    chunk(content="."),
    chunk("stop"),
    *END,
]
CALLS = [
    FIRST,
    chunk(reasoning="Hm"),
    call(0, name="f", arguments=""),
    call(0, arguments='{"a"'),
    call(0, arguments=": 1}"),
    call(1, name="g", arguments="{}"),
    chunk("tool_calls"),
    *END,
]
FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}


def events(body: bytes) -> list[dict[str, Any]]:
    """Return the events of a stream, each of which must have its type's name and its number."""
    found = []
    for number, part in enumerate(body.decode().split("\n\n")[:-1]):
        name, data = part.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
        assert found[-1]["sequence_number"] == number
    return found


def types(body: bytes) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events(body)]


def client(app: App, use: Callable[[AsyncOpenAI], Coroutine[Any, Any, Any]]) -> Any:
    """Return what comes of the use of OpenAI's client with this application behind the layer."""

    async def main() -> Any:
        transport = httpx2.ASGITransport(OpenAIErrors(requests(app)))
        async with httpx2.AsyncClient(transport=transport) as http_client:
            options: dict[str, Any] = {"http_client": http_client, "max_retries": 0}
            return await use(AsyncOpenAI(api_key="k", base_url="http://test/v1", **options))

    return asyncio.run(main())


def streamed(app: App, **body: Any) -> tuple[list[Any], Any]:
    """Return the events of a stream, as OpenAI's client gives them, and the final response."""

    async def use(openai: AsyncOpenAI) -> Any:
        async with openai.responses.stream(model="m", input="Hi", **body) as opened:
            found = [event async for event in opened]
            return found, await opened.get_final_response()

    found, response = client(app, use)
    return found, response


# The request


def test_a_request_becomes_a_chat_completion() -> None:
    chat = Chat(answer(200, completion(content="x")))
    assert send(chat, instructions="Be brief.", max_output_tokens=9).status == 200
    assert chat.scope["path"] == "/v1/chat/completions"
    assert chat.body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
        ],
        "max_completion_tokens": 9,
        "chat_template_kwargs": {"enable_thinking": True},
    }


def test_a_stream_is_asked_for_with_its_usage() -> None:
    chat = Chat(stream(THINKING))
    send(chat, stream=True, stream_options={"include_obfuscation": False})
    assert chat.body["stream"] is True
    assert chat.body["stream_options"]["include_usage"] is True


def test_what_a_chat_completion_takes_too_goes_on_as_it_is() -> None:
    carried = {
        "cache_salt": "s",
        "chat_template_kwargs": {"enable_thinking": False, "x": None},
        "frequency_penalty": 0.1,
        "ignore_eos": True,
        "include_reasoning": False,
        "presence_penalty": 0.1,
        "priority": 5,
        "repetition_penalty": 1.1,
        "seed": 7,
        "stop": ["X"],
        "temperature": 0.5,
        "thinking_token_budget": 100,
        "top_k": 20,
        "top_p": 0.9,
        "vllm_xargs": {"a": 1},
    }
    body = asked(**carried)
    assert {name: body[name] for name in carried} == carried


def test_the_controls_of_the_thinking_are_those_of_a_chat_completion_and_repeated() -> None:
    chat = Chat(answer(200, completion(content="x")))
    response = json.loads(send(chat, reasoning={"effort": "none", "summary": "auto"}).body)
    assert set(chat.body) == {"model", "messages", "chat_template_kwargs"}
    assert chat.body["chat_template_kwargs"] == {"enable_thinking": False}
    assert response["reasoning"]["effort"] == "none"


ITEMS: list[Any] = [
    {"role": "developer", "content": "Be brief."},
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
    {
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "Hm"}],
    },
    {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c1", "output": "rain"},
    {"role": "assistant", "content": [{"type": "output_text", "text": "Rain."}]},
    {
        "role": "user",
        "content": [
            {"type": "input_text", "text": "And this?"},
        ],
    },
]


def test_a_history_with_thinking_and_tools() -> None:
    called = {"name": "f", "arguments": "{}"}
    assert asked(input=ITEMS, instructions="In verse.")["messages"] == [
        {"role": "system", "content": "In verse.\n\nBe brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
        {
            "role": "assistant",
            "reasoning": "Hm",
            "tool_calls": [{"id": "c1", "type": "function", "function": called}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        {"role": "assistant", "content": "Rain."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "And this?"}],
        },
    ]


def test_an_image_is_refused_for_the_models_here_read_text_alone() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,", "detail": "auto"}
    response = send(untouched([]), input=[{"role": "user", "content": [image]}])
    assert (response.status, response.error["code"]) == (400, "unsupported_parameter")
    assert "multimodal" in response.error["message"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({}, "auto"),
        ({"tool_choice": "required"}, "required"),
        (
            {"tool_choice": {"type": "function", "name": "f"}},
            {"type": "function", "function": {"name": "f"}},
        ),
    ],
)
def test_tools(choice: dict[str, Any], expected: Any) -> None:
    body = asked(tools=[{**FUNCTION, "description": "d"}], parallel_tool_calls=False, **choice)
    function = {key: value for key, value in FUNCTION.items() if key != "type"}
    assert body["tools"] == [{"type": "function", "function": {**function, "description": "d"}}]
    assert (body["tool_choice"], body["parallel_tool_calls"]) == (expected, False)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, {"type": "json_object"}),
        (
            {"type": "json_schema", "name": "n", "schema": {"default": None}, "strict": True},
            {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": {"default": None}, "strict": True},
            },
        ),
    ],
)
def test_the_form_of_the_text(form: Any, expected: Any) -> None:
    got = asked(text={"format": form}).get("response_format")
    assert without_nulls(got) == expected


def without_nulls(form: Any) -> Any:
    """Return a form without what it leaves open; of a schema a null is a part."""
    if not isinstance(form, dict):
        return form
    return {k: v if k == "schema" else without_nulls(v) for k, v in form.items() if v is not None}


def test_an_answer_that_is_incomplete_is_continued() -> None:
    content = [{"type": "output_text", "text": "Once"}]
    begun = {"type": "message", "role": "assistant", "status": "incomplete", "content": content}
    body = asked(input=[{"role": "user", "content": "Hi"}, begun])
    assert (body["add_generation_prompt"], body["continue_final_message"]) == (False, True)
    body = asked(input=[{"role": "user", "content": "Hi"}, {**begun, "status": "completed"}])
    assert "continue_final_message" not in body


REFUSAL = {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "x"}]}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"previous_response_id": "resp_secret"}, "previous_response_id"),
        ({"conversation": "secret"}, "conversation"),
        ({"prompt": {"id": "secret"}}, "prompt"),
        ({"background": True}, "background"),
        ({"include": ["message.output_text.logprobs"]}, "include"),
        ({"include": ["secret"]}, "include.0"),
        ({"tools": "secret"}, "tools"),
        ({"tools": [FUNCTION, {"type": "web_search"}]}, "tools.1.type"),
        ({"tools": [{"type": "function"}]}, "tools.0"),
        ({"tools": [FUNCTION], "tool_choice": {"type": "allowed_tools"}}, "tool_choice"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"input": None}, "input"),
        ({"input": 5}, "input"),
        ({"input": [{"role": "user", "content": [{"type": "secret"}]}]}, "input.0"),
        ({"input": [{"role": "user", "content": "Hi"}, {"type": "secret"}]}, "input.1"),
        ({"input": [{"type": "item_reference", "id": "secret"}]}, "input"),
        ({"input": [REFUSAL]}, "input"),
        ({"temperature": "secret"}, "temperature"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format"),
    ],
)
def test_a_bad_request_is_refused(body: dict[str, Any], param: str) -> None:
    response = send(untouched([]), **body)
    assert response.status == 400
    assert response.error["param"] == param
    assert response.error["message"]
    assert "secret" not in response.body.decode()


def test_what_is_not_stored_is_to_be_sent() -> None:
    message = send(untouched([]), previous_response_id="resp_1").error["message"]
    assert "not stored" in message and "`input`" in message


def test_the_type_of_a_tool_is_named() -> None:
    assert "'web_search'" in send(untouched([]), tools=[{"type": "web_search"}]).error["message"]


@pytest.mark.parametrize("scope", [http("GET", PATH), http("GET", f"{PATH}/resp_1")], ids=str)
def test_what_is_no_post_is_untouched(scope: Scope) -> None:
    calls: list[Scope] = []
    ask(requests(untouched(calls)), scope, whole=False)
    assert len(calls) == 1 and calls[0] is scope


# The whole answer


def test_a_whole_answer() -> None:
    calls = [
        {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    ]
    body = completion("tool_calls", content="Hi", reasoning_content="Hm", tool_calls=calls)

    async def use(openai: AsyncOpenAI) -> Any:
        tools: Any = [FUNCTION]
        return await openai.responses.create(
            model="m", input="Hi", instructions="Be brief.", tools=tools, metadata={"a": "b"}
        )

    response = client(answer(200, [body[:9], body[9:]]), use)
    assert response.id.startswith("resp_")
    assert (response.status, response.model, response.object) == ("completed", "served", "response")
    assert (response.instructions, response.metadata) == ("Be brief.", {"a": "b"})
    assert (response.store, response.background, response.error) == (False, False, None)
    assert response.incomplete_details is None
    assert response.tools[0].name == "f"
    thinking, message, called = response.output
    assert thinking.content[0].text == "Hm"
    assert response.output_text == message.content[0].text == "Hi"
    assert (called.call_id, called.name, called.arguments) == ("call_1", "f", '{"a": 1}')
    usage = response.usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (10, 7, 17)
    assert usage.input_tokens_details.cached_tokens == 4
    assert usage.output_tokens_details.reasoning_tokens == 3


def test_a_response_repeats_what_it_was_asked_with() -> None:
    response = json.loads(send(answer(200, completion(content="x"))).body)
    assert response["metadata"] == {}
    assert response["text"] == {"format": {"type": "text"}, "verbosity": "medium"}
    assert response["reasoning"] == {"effort": None, "summary": None}
    assert (response["tool_choice"], response["tools"]) == ("auto", [])
    named = {"type": "function", "name": "f"}
    form = {"format": {"type": "json_object"}}
    body = send(
        answer(200, completion(content="x")), tools=[FUNCTION], tool_choice=named, text=form
    ).body
    response = json.loads(body)
    assert response["tool_choice"] == named
    assert response["text"] == {**form, "verbosity": "medium"}
    assert response["tools"] == [{**FUNCTION, "description": None}]


@pytest.mark.parametrize("given", ["chatcmpl-tool-1", "call_1", "functions.f:0"])
@pytest.mark.parametrize("streamed", [True, False])
def test_ids_say_of_what_they_are(given: str, streamed: bool) -> None:
    function = {"name": "f", "arguments": "{}"}
    calls = [{"index": 0, "id": given, "type": "function", "function": function}]
    if streamed:
        pieces = [FIRST, *THINKING[1:5], chunk(tool_calls=calls), chunk("tool_calls"), *END]
        found = events(send(stream(pieces), stream=True).body)
        response = found[-1]["response"]
        items = [item["id"] for item in response["output"]]
        assert {event["item_id"] for event in found if "item_id" in event} == set(items)
        whole = [event["item"] for event in found if event["type"] == "response.output_item.done"]
        assert whole == response["output"]
    else:
        body = completion("tool_calls", content="Hi", reasoning="Hm", tool_calls=calls)
        response = json.loads(send(answer(200, body)).body)
    thinking, message, called = response["output"]
    assert thinking["id"].startswith("rs_")
    assert message["id"].startswith("msg_") and "summary" not in message
    assert called["id"].startswith("fc_")
    assert called["call_id"] == given.replace("chatcmpl-tool-", "call_")


def test_a_whole_answer_has_its_true_length() -> None:
    headers = [JSON, (b"content-length", b"1"), (b"x-request-id", b"r")]
    response = send(answer(200, completion(content="é"), headers))
    assert response.header("content-length") == str(len(response.body))
    assert response.header("x-request-id") == "r"


def test_a_whole_answer_that_the_limit_cuts_off() -> None:
    body = json.loads(send(answer(200, completion("length", content="On"))).body)
    assert body["status"] == body["output"][-1]["status"] == "incomplete"
    assert body["incomplete_details"] == {"reason": "max_output_tokens"}


def test_an_answer_that_was_aborted_is_a_failure() -> None:
    with pytest.raises(RuntimeError):
        send(answer(200, completion("abort", content="x")))


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
@pytest.mark.parametrize("asked_streamed", [True, False])
def test_an_error_response_passes_as_it_is(status: int, asked_streamed: bool) -> None:
    body, headers = b'{"error": {"message": "no"}}', [JSON, (b"retry-after", b"1")]
    response = send(answer(status, [body[:4], body[4:]], headers), stream=asked_streamed)
    assert (response.status, response.body, response.headers) == (status, body, headers)


def test_a_client_reads_a_refusal() -> None:
    async def use(openai: AsyncOpenAI) -> Any:
        with pytest.raises(BadRequestError) as raised:
            await openai.responses.create(model="m", input="Hi", previous_response_id="resp_1")
        return raised.value

    assert client(untouched([]), use).param == "previous_response_id"


# Streams


def test_a_stream_with_thinking() -> None:
    response = send(stream(THINKING), stream=True)
    assert response.header("content-type") == SSE[1].decode()
    assert types(response.body) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.delta",
        "reasoning_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]


def test_a_client_reads_a_stream_with_thinking() -> None:
    found, response = streamed(stream(THINKING), instructions="Be brief.")
    deltas = [event.delta for event in found if event.type == "response.reasoning_text.delta"]
    assert deltas == ["Hm", ", 2"]
    assert found[0].response.status == found[1].response.status == "in_progress"
    assert found[0].response.id == response.id
    assert (response.status, response.model, response.instructions) == (
        "completed",
        "served",
        "Be brief.",
    )
    thinking, message = response.output
    assert thinking.content[0].text == "Hm, 2"
    assert response.output_text == message.content[0].text == "Four."
    assert response.usage.input_tokens_details.cached_tokens == 4
    assert response.usage.output_tokens_details.reasoning_tokens == 3


def test_a_client_reads_a_stream_with_calls() -> None:
    _, response = streamed(stream(CALLS), tools=[FUNCTION])
    _, first, second = response.output
    assert (first.name, first.arguments) == ("f", '{"a": 1}')
    assert (second.name, second.arguments) == ("g", "{}")
    assert first.call_id != second.call_id


class Sum(BaseModel):
    a: int


def test_a_client_parses_a_stream() -> None:
    chat = Chat(stream([FIRST, chunk(content='{"a": 1}'), chunk("stop"), *END]))
    _, response = streamed(chat, text_format=Sum)
    assert response.output_parsed == Sum(a=1)
    assert chat.body["response_format"]["json_schema"]["name"] == "Sum"


@pytest.mark.parametrize("pieces", [THINKING, CALLS], ids=["text", "calls"])
def test_what_a_client_has_read_can_be_its_history(pieces: list[bytes]) -> None:
    _, response = streamed(stream(pieces))
    chat = Chat(answer(200, completion(content="x")))

    async def use(openai: AsyncOpenAI) -> Any:
        history = [{"role": "user", "content": "Hi"}, *response.output]
        given: Any = [*history, {"role": "user", "content": "So?"}]
        return await openai.responses.create(model="m", input=given)

    client(chat, use)
    _, turn, _ = chat.body["messages"]
    assert turn["reasoning"].startswith("Hm")
    assert turn.get("content") == (response.output_text or None)
    names = [call["function"]["name"] for call in turn.get("tool_calls", ())]
    assert names == [item.name for item in response.output if item.type == "function_call"]


def test_a_stream_that_the_limit_cuts_off() -> None:
    body = send(stream([*THINKING[:4], chunk("length"), *END]), stream=True).body
    *_, done, last = events(body)
    assert last["type"] == "response.incomplete"
    assert last["response"]["status"] == done["item"]["status"] == "incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert last["response"]["output"][-1] == done["item"]


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_the_thinking_may_have_either_name(name: str) -> None:
    pieces = [FIRST, chunk(**{name: ""}), chunk(**{name: 'Hm "reasoning":'}), chunk("stop"), *END]
    *_, last = events(send(stream(pieces), stream=True).body)
    (item,) = last["response"]["output"]
    assert item["content"][0]["text"] == 'Hm "reasoning":'


def test_each_event_is_passed_on_at_once() -> None:
    sent = [chunk.count(b"event: ") for chunk in send(stream(THINKING), stream=True).chunks]
    assert sent == [2, 3, 1, 6, 1, 4]


def test_a_split_at_any_byte_changes_nothing() -> None:
    whole = b"".join(THINKING)
    expected = types(send(stream(THINKING), stream=True).body)
    for at in range(1, len(whole), 7):
        assert types(send(stream([whole[:at], whole[at:]]), stream=True).body) == expected


@pytest.mark.parametrize(
    ("code", "expected", "known"),
    [
        (400, "server_error", "invalid_prompt"),
        (429, "rate_limit_exceeded", "rate_limit_exceeded"),
        (500, "server_error", "server_error"),
        (503, "overloaded", "server_error"),
    ],
)
def test_an_error_event_ends_the_stream(code: int, expected: str, known: str) -> None:
    inner = {"message": "No ray.serve here", "type": "x", "param": None, "code": code}
    event = b"data: %s\n\n" % json.dumps({"error": inner}).encode()
    app = stream([*THINKING[:4], event, DONE])
    body = json.dumps({"model": "m", "input": "Hi", "stream": True}).encode()
    response = ask(OpenAIErrors(requests(app)), http(path=PATH), [body])
    *_, error, failed = events(response.body)
    assert list(error) == ["type", "sequence_number", "code", "message", "param"]
    assert (error["type"], error["code"]) == ("error", expected)
    assert (failed["type"], failed["response"]["status"]) == ("response.failed", "failed")
    assert failed["response"]["error"] == {"code": known, "message": error["message"]}
    assert [item["type"] for item in failed["response"]["output"]] == ["reasoning"]
    assert "ray.serve" not in response.body.decode()


@pytest.mark.parametrize(
    "pieces",
    [
        THINKING[:-1],
        THINKING[:4],
        [*THINKING[:4], DONE],
        [*THINKING[:5], chunk("abort"), LAST, DONE],
    ],
    ids=["no [DONE]", "cut off", "no finish reason", "aborted"],
)
def test_a_stream_without_its_end_is_a_failure(pieces: list[bytes]) -> None:
    for cut in (pieces, [*pieces, b""]):
        assert types(send(stream(cut), stream=True).body)[-2:] == ["error", "failed"]


def test_a_stream_with_nothing_in_it_is_an_error() -> None:
    assert types(send(stream([b""]), stream=True).body) == ["error"]


def test_a_client_reads_a_failure() -> None:
    async def use(openai: AsyncOpenAI) -> Any:
        opened = await openai.responses.create(model="m", input="Hi", stream=True)
        return [event async for event in opened]

    *_, error, failed = client(stream(THINKING[:4]), use)
    assert (error.type, error.code) == ("error", "server_error")
    assert failed.response.error.code == "server_error"


def test_an_exception_is_left_to_the_outer_layers() -> None:
    async def use(openai: AsyncOpenAI) -> Any:
        opened = await openai.responses.create(model="m", input="Hi", stream=True)
        return [event async for event in opened]

    with pytest.raises(Exception, match="The server failed"):
        client(stream([*THINKING[:4], b""], then=OSError("broken")), use)


def test_a_chunk_that_cannot_be_read_is_an_exception() -> None:
    with pytest.raises(ValueError):
        send(stream([FIRST, b'data: {"secret": 1}\n\n', DONE]), stream=True)
