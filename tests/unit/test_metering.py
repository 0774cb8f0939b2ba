"""What is counted of a request: its outcome, its tokens, and when its thinking and answer began."""

import asyncio
import json
from typing import Any

import pytest
from asgi_client import JSON, SSE, answer, ask, http, run, stream
from meters import Kept

from app.answers.metering import Metering
from app.asgi import App, Message, Receive, Scope, Send
from app.scope import Call, with_call
from app.thinking.decision import Decision

USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 30,
    "completion_tokens_details": {"reasoning_tokens": 20},
}


def event(delta: Any = None, **more: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta}]
    data = {"object": "chat.completion.chunk", "choices": choices, **more}
    return b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


STREAM = [
    event({"role": "assistant", "content": ""}),
    event({"reasoning": "Hm", "reasoning_content": "Hm"}),
    event({"content": ""}),
    event({"content": "4"}),
    event({}),
    event(usage=USAGE),
    b"data: [DONE]\n\n",
]
DONE = b"data: [DONE]\n\n"


def counted(app: App, *, whole: bool = True, **call: Any) -> tuple[Kept, bytes]:
    """Return what is counted of a request, and what its client gets."""
    meter = Kept()
    known = {"decision": Decision(True, None), "streamed": True, **call}
    full = Call(
        model="m", surface="chat_completions", key="alice", fields="both", started=0, **known
    )
    response = ask(Metering(app, meter), with_call(http(), full), whole=whole)
    return meter, response.body


def test_a_stream() -> None:
    meter, body = counted(stream(STREAM))
    assert meter.ended_as == ("ok", (20, 10))
    assert [what for what, _ in meter.firsts] == ["thinking", "answer"]
    assert all(seconds > 0 for _, seconds in meter.firsts)
    assert body == b"".join(STREAM)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_events_may_come_several_at_a_time(size: int) -> None:
    pieces = [b"".join(STREAM[at : at + size]) for at in range(0, 7, size)]
    meter, body = counted(stream(pieces))
    assert meter.ended_as == ("ok", (20, 10))
    assert [what for what, _ in meter.firsts][-1] == "answer"
    assert body == b"".join(STREAM)


def test_an_answer_without_thinking_has_no_first_thinking() -> None:
    pieces = [event({"reasoning": None, "content": "4"}), DONE]
    meter, _ = counted(stream(pieces), decision=Decision(False))
    assert [what for what, _ in meter.firsts] == ["answer"]
    assert meter.ended_as == ("ok", None)


@pytest.mark.parametrize(
    "delta", [{"tool_calls": [{"index": 0}]}, {"content": "x", "tool_calls": []}]
)
def test_a_call_of_a_tool_is_an_answer(delta: Any) -> None:
    assert [what for what, _ in counted(stream([event(delta), DONE]))[0].firsts] == ["answer"]


def test_what_looks_like_a_key_inside_a_text_is_none() -> None:
    text = '"content":"x" "usage":{"completion_tokens":99} "choices":[]'
    meter, body = counted(stream([event({"reasoning": text}), DONE]))
    assert [what for what, _ in meter.firsts] == ["thinking"]
    assert meter.ended_as == ("ok", None) and body == event({"reasoning": text}) + DONE


def test_a_whole_answer() -> None:
    text = 'x "usage":{"completion_tokens":99} "reasoning_tokens":99'
    message = {"content": text, "reasoning": text}
    body = json.dumps({"choices": [{"message": message}], "usage": USAGE}).encode()
    meter, received = counted(answer(200, [body[:9], body[9:]]), streamed=False)
    assert meter.ended_as == ("ok", (20, 10)) and received == body
    assert meter.firsts == []


@pytest.mark.parametrize(
    ("status", "outcome"), [(400, "invalid"), (404, "invalid"), (500, "error"), (503, "error")]
)
@pytest.mark.parametrize("streamed", [True, False])
def test_an_error_is_an_outcome(status: int, outcome: str, streamed: bool) -> None:
    meter, _ = counted(answer(status, b'{"error": {}}'), streamed=streamed)
    assert meter.ended_as == (outcome, None)


def test_an_error_within_a_stream_is_an_error() -> None:
    meter, _ = counted(stream([STREAM[1], b'data: {"error":{"code":500}}\n\n', DONE]))
    assert meter.ended_as == ("error", None)


@pytest.mark.parametrize(
    ("raised", "outcome"),
    [(RuntimeError("x"), "error"), (asyncio.CancelledError(), "cancelled")],
)
def test_a_request_that_breaks_off_is_counted_too(raised: BaseException, outcome: str) -> None:
    meter = Kept()
    full = Call(Decision(True), "m", "chat_completions", "", "both", 0, True)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [SSE]})
        raise raised

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        """Be a client."""

    with pytest.raises(type(raised)):
        run(Metering(app, meter)(with_call(http(), full), receive, send))
    assert meter.ended_as == (outcome, None)


def test_a_stream_that_the_client_has_left_is_cancelled() -> None:
    assert counted(stream(STREAM[:2], cut=True), whole=False)[0].ended_as == ("cancelled", None)


def test_what_nobody_has_decided_on_is_not_counted() -> None:
    meter = Kept()
    ask(Metering(answer(200, b"{}", [JSON]), meter), http("GET", "/v1/models"))
    assert not meter.ends
