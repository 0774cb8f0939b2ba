"""What chat completions have of OpenAI's shape where vLLM gives them another."""

import json
from typing import Any

import pytest
from asgi_client import JSON, Response, answer, ask, http, stream

from app.answers.chat import ChatCompletions
from app.asgi import App
from app.scope import Call, with_call
from app.thinking.decision import Decision

USAGE = {"prompt_tokens": 9, "completion_tokens": 30, "total_tokens": 39}
DONE = b"data: [DONE]\n\n"


def sent(app: App, path: str = "/v1/chat/completions", **call: Any) -> Response:
    """Return what a client receives of an answer."""
    known: dict[str, Any] = {"decision": Decision(True), "streamed": True, "hides_usage": True}
    known |= {"surface": "chat_completions", **call}
    scope = with_call(http(path=path), Call(model="m", key="", fields="both", started=0, **known))
    return ask(ChatCompletions(app), scope)


def event(delta: Any = None, finish: str | None = None, index: int = 0, **more: Any) -> bytes:
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
    if finish:
        choice["stop_reason"] = more.pop("stop", None)
    choices = [] if delta is None else [{**choice, "token_ids": None}]
    data = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": choices, **more}
    return b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


def call(arguments: str, index: int = 0, **more: Any) -> bytes:
    return event({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}, **more)


TEXT = [event({"role": "assistant", "content": ""}, prompt_text=None), event({"content": "4}\n\n"})]
LAST = event(usage=USAGE, system_fingerprint="vllm-0.29.0")
PLAIN = [*TEXT, event({}, "stop"), LAST, DONE]


def parsed(body: bytes) -> list[dict[str, Any]]:
    lines = body.decode().split("\n\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


# Usage


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("tools", [True, False])
def test_usage_that_is_not_asked_for_is_not_there(size: int, tools: bool) -> None:
    pieces = [b"".join(PLAIN[at : at + size]) for at in range(0, 5, size)]
    assert sent(stream(pieces), tools=tools).body == b"".join([*PLAIN[:3], DONE])


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_usage_that_is_asked_for_is_null_until_the_end(size: int) -> None:
    pieces = [b"".join(PLAIN[at : at + size]) for at in range(0, 5, size)]
    body = sent(stream(pieces), hides_usage=False).body
    assert body.endswith(DONE)
    expected = [{**chunk, "usage": None} for chunk in parsed(b"".join(PLAIN[:3]))]
    assert parsed(body) == [*expected, *parsed(event(usage=USAGE))]


def test_usage_with_each_event_stays() -> None:
    both = event({"content": "x"}, usage=USAGE)
    for hides in (True, False):
        body = sent(stream([both, both, DONE]), hides_usage=hides).body
        assert body == both + both + DONE


def test_an_error_has_no_usage() -> None:
    error = b'data: {"error":{"code":500}}\n\n'
    assert sent(stream([error, DONE]), hides_usage=False).body == error + DONE


@pytest.mark.parametrize("surface", ["messages", "responses", "completions"])
def test_other_surfaces_have_no_null(surface: str) -> None:
    body = sent(stream(PLAIN), surface=surface, hides_usage=False).body
    assert [chunk.get("usage", 0) for chunk in parsed(body)] == [0, 0, 0, USAGE]


def test_a_request_that_is_not_for_a_model_is_untouched() -> None:
    body = ask(ChatCompletions(stream(PLAIN)), http(path="/v1/other")).body
    assert body == b"".join(PLAIN)


# Why a stream has ended

WHOLE = [call('{"a"'), call(": 1}")]


@pytest.mark.parametrize(
    ("pieces", "stop", "expected"),
    [
        (WHOLE, None, "tool_calls"),
        (WHOLE[:1], None, "length"),
        (WHOLE[:1], "X", "stop"),
        (WHOLE, "X", "tool_calls"),
        ([call("")], None, "tool_calls"),
        ([*WHOLE, call("{}", 1)], None, "tool_calls"),
        ([*WHOLE, call('{"b', 1)], None, "length"),
        ([call('{"a":"}"')], None, "length"),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_a_call_that_breaks_off_was_cut_off(
    pieces: list[bytes], stop: Any, expected: str, together: bool
) -> None:
    pieces = [*TEXT, *pieces, event({}, "tool_calls", stop=stop), LAST, DONE]
    body = sent(stream([b"".join(pieces)] if together else pieces)).body
    chunks = parsed(body)
    assert chunks[-1]["choices"][0]["finish_reason"] == expected
    assert chunks[:-1] == parsed(b"".join(pieces))[: len(chunks) - 1]


def test_the_rest_of_a_call_may_come_with_its_end() -> None:
    end = {"tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}]}
    body = sent(stream([WHOLE[0], event(end, "tool_calls"), DONE])).body
    assert parsed(body)[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_each_choice_has_its_own_end() -> None:
    second = event({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}, index=1)
    pieces = [WHOLE[0], second, event({}, "tool_calls", index=1), event({}, "tool_calls"), DONE]
    *_, one, zero = parsed(sent(stream(pieces), choices=2).body)
    assert [c["choices"][0]["finish_reason"] for c in (zero, one)] == ["length", "tool_calls"]


# Whole answers


def completion(finish: str, content: Any, arguments: list[str], **more: Any) -> bytes:
    calls = [{"id": "c", "type": "function", "function": {"arguments": a}} for a in arguments]
    message = {"role": "assistant", "content": content, "tool_calls": calls, "reasoning": "Hm"}
    choice = {"index": 0, "message": {**message, **more}, "finish_reason": finish}
    return json.dumps({"id": "é", "choices": [choice]}, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("body", "finish", "content"),
    [
        (completion("stop", "", ["{}"]), "stop", None),
        (completion("tool_calls", "", ["{}"]), "tool_calls", None),
        (completion("tool_calls", "Let me see.", ["{}"]), "tool_calls", "Let me see."),
        (completion("tool_calls", "", []), "stop", None),
        (completion("tool_calls", None, ['{"a']), "length", None),
        (completion("length", "", []), "length", None),
        (completion("stop", "", [], reasoning=None), "stop", ""),
    ],
)
def test_a_whole_answer(body: bytes, finish: str, content: Any) -> None:
    length = (b"content-length", b"%d" % len(body))
    response = sent(answer(200, [body[:9], body[9:]], [JSON, length]), streamed=False)
    assert response.header("content-length") == str(len(response.body))
    given, (choice,) = json.loads(body), json.loads(response.body)["choices"]
    assert (choice["finish_reason"], choice["message"]["content"]) == (finish, content)
    before = given["choices"][0]
    assert {**choice, "finish_reason": 0, "message": {**choice["message"], "content": 0}} == {
        **before,
        "finish_reason": 0,
        "message": {**before["message"], "content": 0},
    }


def test_most_whole_answers_stay_byte_for_byte() -> None:
    body = json.dumps({"choices": [{"message": {"content": '"content":""'}}]}).encode()
    assert sent(answer(200, body), streamed=False).body == body


@pytest.mark.parametrize("status", [400, 500])
def test_an_error_response_stays(status: int) -> None:
    body = b'{"error":{"content":"","finish_reason":"tool_calls"}}'
    for streamed in (True, False):
        assert sent(answer(status, body), streamed=streamed).body == body
