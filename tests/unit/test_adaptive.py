"""A draft that is trusted is the answer; one that isn't is cancelled, and the model thinks."""

import asyncio
import json
import math
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from asgi_client import JSON, SSE, WouldWaitForEver, ask, http, openai_error, run
from meters import Kept

from app.answers.metering import Metering
from app.answers.start import LateStart
from app.asgi import App, Message, Receive, Scope, Send, send_json, whole_body
from app.scope import Call, with_call
from app.thinking.adaptive import Adaptive
from app.thinking.decision import Decision
from app.thinking.draft import Draft, draft_of
from app.thinking.fixed import Thinking

THINKING = {"messages": [{"role": "user", "content": "Hi"}], "mode": "thinks"}
USAGE = {"prompt_tokens": 7, "total_tokens": 9, "completion_tokens": 2}
DETAILS = {**USAGE, "completion_tokens_details": {"reasoning_tokens": 1}}


def event(
    probabilities: Iterable[float] = (), finish: str | None = None, **delta: Any
) -> dict[str, Any]:
    """Return a chunk with a token of each probability, as vLLM streams it."""
    tokens = [
        {"token": "ä", "logprob": math.log(each), "bytes": [195], "top_logprobs": []}
        for each in probabilities
    ]
    choice = {
        "index": 0,
        "delta": delta,
        "logprobs": {"content": tokens} if tokens else None,
        "finish_reason": finish,
        "token_ids": [1] * len(tokens) or None,
    }
    ids = {"id": "chatcmpl-1", "created": 5, "model": "m", "object": "chat.completion.chunk"}
    return {**ids, "choices": [choice], "usage": None}


ROLE = event(role="assistant", content="")
SURE = [event([0.99], content='Pa"}\n\nr'), event([0.95], content="is.")]
END = [event([0.999], "stop"), {**ROLE, "choices": [], "usage": USAGE}]
DOUBT = [event([0.5], content="Lon"), event([0.99], content="don.")]


def encoded(chunks: Iterable[Any]) -> list[bytes]:
    lines = [json.dumps(chunk, ensure_ascii=False, separators=(",", ":")) for chunk in chunks]
    return [f"data: {line}\n\n".encode() for line in (*lines, "[DONE]")]


class Engine:
    """Writes a draft, and thinks when asked the other way; says what was asked of it."""

    def __init__(
        self, draft: list[Any], status: int = 200, then: Exception | None = None, ends: bool = False
    ) -> None:
        self.draft, self.status, self.then, self.ends = draft, status, then, ends
        self.asked: list[str] = []
        self.sent = 0  # chunks of the draft

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await whole_body(receive) or b""
        assert dict(scope["headers"])[b"content-length"] == b"%d" % len(body)
        request = json.loads(body)
        self.asked.append(request["mode"])
        if request["mode"] == "thinks":
            return await self._think(request, send)
        if self.status != 200:
            return await send_json(send, self.status, {"error": {"message": "no", "code": "x"}})
        await send({"type": "http.response.start", "status": 200, "headers": [SSE]})
        try:
            for piece in encoded(self.draft):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                self.sent += 1
                await asyncio.sleep(0)
            if self.then:
                if self.ends:  # as Starlette does it
                    await send({"type": "http.response.body", "body": b""})
                raise self.then
            await send({"type": "http.response.body", "body": b""})
        except asyncio.CancelledError:
            self.asked.append("cancelled")
            raise

    async def _think(self, request: dict[str, Any], send: Send) -> None:
        if request.get("stream"):
            await send({"type": "http.response.start", "status": 200, "headers": [SSE]})
            for piece in encoded([ROLE, {**ROLE, "choices": [], "usage": DETAILS}]):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        else:
            await send_json(send, 200, {"usage": DETAILS})


def call_of(streamed: bool, **draft: Any) -> Call:
    fields = {"mode": "draft", "stream": True}
    values = {"fields": fields, "threshold": 0.9, "most": 64, "streamed": streamed, "shows": False}
    return Call(
        Decision(True, draft={}),
        "m",
        "chat_completions",
        "",
        "both",
        0.0,
        streamed=streamed,
        draft=Draft(**{**values, **draft}),
    )


def asked(engine: App, call: Call, layer: Callable[[App], App] = Adaptive) -> Any:
    body = json.dumps({**THINKING, "stream": call.streamed}).encode()
    headers = [JSON, (b"content-length", b"%d" % len(body))]
    return ask(layer(LateStart(engine)), with_call(http(headers=headers), call), [body])


def chunks(response: Any) -> list[Any]:
    return [json.loads(line[5:]) for line in response.body.split(b"\n") if line[:7] == b"data: {"]


def test_a_draft_that_is_sure_is_streamed_without_a_trace() -> None:
    engine = Engine([ROLE, *SURE, event([0.99]), *END])
    response = asked(engine, call_of(True))
    assert engine.asked == ["draft"]
    assert response.header("adaptive-thinking") == "answered;confidence=0.950;draft-tokens=4"
    assert response.body.endswith(b"\n\ndata: [DONE]\n\n")
    bare = {"logprobs": None, "token_ids": None}
    expected = [ROLE, *SURE, END[0]]
    assert chunks(response) == [
        *({**one, "choices": [{**one["choices"][0], **bare}]} for one in expected),
        END[1],
    ]


def test_a_draft_that_is_sure_becomes_a_whole_answer() -> None:
    response = asked(Engine([ROLE, *SURE, *END]), call_of(False))
    assert response.header("content-type") == "application/json"
    answer = json.loads(response.body)
    (choice,) = answer["choices"]
    assert choice["message"]["content"] == 'Pa"}\n\nris.'
    assert (choice["finish_reason"], choice["logprobs"]) == ("stop", None)
    assert (answer["id"], answer["created"], answer["model"]) == ("chatcmpl-1", 5, "m")
    assert answer["usage"]["completion_tokens"] == 2


def test_log_probabilities_are_for_who_asked() -> None:
    for streamed in (True, False):
        response = asked(Engine([ROLE, *SURE, *END]), call_of(streamed, shows=True))
        parts = chunks(response) if streamed else [json.loads(response.body)]
        tokens = [
            token
            for part in parts
            for choice in part["choices"]
            for token in (choice["logprobs"] or {}).get("content", ())
        ]
        assert [round(math.exp(token["logprob"]), 3) for token in tokens] == [0.99, 0.95, 0.999]
        assert not any(choice.get("token_ids") for part in parts for choice in part["choices"])


@pytest.mark.parametrize("streamed", [True, False])
def test_a_draft_in_doubt_is_cancelled_and_counted(streamed: bool) -> None:
    engine = Engine([ROLE, *SURE, *DOUBT, *END])
    response = asked(engine, call_of(streamed))
    assert engine.asked == ["draft", "cancelled", "thinks"]
    assert engine.sent == 4  # not one chunk more
    assert b"Lon" not in response.body and b"Pa" not in response.body
    assert response.header("adaptive-thinking") == "thought;confidence=0.500;draft-tokens=3"
    usage = chunks(response)[-1]["usage"] if streamed else json.loads(response.body)["usage"]
    assert (usage["completion_tokens"], usage["total_tokens"]) == (2 + 3, 9 + 3)
    details = {"reasoning_tokens": 1, "rejected_prediction_tokens": 3}
    assert usage["completion_tokens_details"] == details


def test_what_is_exactly_the_threshold_is_trusted() -> None:
    draft = Draft({}, 0.5, 9, True, False)
    assert draft.trusts([math.log(0.5)]) and not draft.trusts([math.log(0.499)])


def test_a_long_draft_streams_on_and_is_not_doubted_any_more() -> None:
    engine = Engine([ROLE, *SURE, *DOUBT, *END])
    for streamed in (True, False):
        response = asked(engine, call_of(streamed, most=2))
        assert response.header("adaptive-thinking").startswith("answered;confidence=0.950")
        assert b"Lon" in response.body
    sent: list[bytes] = []

    async def send(message: Message) -> None:
        if body := message.get("body"):
            sent.append(body)
            if len(sent) == 1:
                assert engine.sent == 2  # of the draft: what is held goes out at once

    engine = Engine([ROLE, *SURE, *DOUBT, *END])
    body = json.dumps(THINKING).encode()

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    run(Adaptive(LateStart(engine))(with_call(http(), call_of(True, most=2)), receive, send))
    assert len(sent) == 1 + 2 + 2 + 1  # each chunk by itself


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("status", [400, 503])
def test_an_error_of_the_draft_is_the_answers(streamed: bool, status: int) -> None:
    engine = Engine([], status)
    response = asked(engine, call_of(streamed))
    assert (response.status, engine.asked) == (status, ["draft"])
    failed = {"error": {"message": "gone", "type": "x", "param": None, "code": status}}
    for draft in ([failed], [ROLE, *SURE, failed]):  # before anything of it, and in its midst
        response = asked(Engine(draft), call_of(streamed))
        assert response.status == status
        assert json.loads(response.body)["error"]["message"] == "gone"


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("ends", [True, False])
def test_a_draft_that_breaks_off_is_no_answer(streamed: bool, ends: bool) -> None:
    with pytest.raises(ValueError, match="broke"):
        asked(Engine([ROLE, *SURE], then=ValueError("broke"), ends=ends), call_of(streamed))
    whole = Engine([ROLE, *SURE, *END], then=ValueError("broke"), ends=ends)
    with pytest.raises(ValueError, match="broke"):
        asked(whole, call_of(False))


@pytest.mark.parametrize("streamed", [True, False])
def test_a_draft_without_an_end_is_a_failure(streamed: bool) -> None:
    for draft in ([ROLE, *SURE], [ROLE, END[0]] if not streamed else [ROLE]):
        response = asked(Engine(draft), call_of(streamed))
        assert response.status == 500


def test_a_draft_that_thinks_is_none() -> None:
    engine = Engine([ROLE, event([0.99], reasoning="Hm"), *SURE, *END])
    response = asked(engine, call_of(True))
    assert engine.asked == ["draft", "cancelled", "thinks"]
    assert response.header("adaptive-thinking") == "thought;confidence=0.990;draft-tokens=1"


def test_a_client_that_goes_takes_the_draft_along() -> None:
    engine = Engine([ROLE, *SURE * 1000])
    with pytest.raises(WouldWaitForEver):
        asked(engine, call_of(True, most=10_000))
    assert engine.asked == ["draft", "cancelled"]


def test_without_a_draft_it_thinks_at_once() -> None:
    engine = Engine([])
    response = asked(engine, call_of(True, fields=None))
    assert engine.asked == ["thinks"]
    assert response.header("adaptive-thinking") == "thought"
    assert chunks(response)[-1]["usage"] == DETAILS


def test_what_is_not_adaptive_passes() -> None:
    engine = Engine([])
    call = Call(Decision(True), "m", "chat_completions", "", "both", 0.0)
    response = asked(engine, call)
    assert response.header("adaptive-thinking") is None
    assert engine.asked == ["thinks"]


def test_calls_of_tools_are_joined() -> None:
    pieces = [
        event([0.99], tool_calls=[{"index": 0, "id": "c1", "function": {"name": "f"}}]),
        event([0.99], tool_calls=[{"index": 0, "function": {"arguments": '{"a":'}}]),
        event([0.99], tool_calls=[{"index": 0, "function": {"arguments": "1}"}}]),
        event([0.99], tool_calls=[{"index": 1, "id": "c2", "function": {"name": "g"}}]),
    ]
    end = [event([0.99], "tool_calls"), END[1]]
    answer = json.loads(asked(Engine([ROLE, *pieces, *end]), call_of(False)).body)
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == "tool_calls"
    calls = [(one["id"], one["function"]) for one in choice["message"]["tool_calls"]]
    assert calls == [
        ("c1", {"name": "f", "arguments": '{"a":1}'}),
        ("c2", {"name": "g", "arguments": ""}),
    ]


def test_what_is_counted_is_what_came_of_it() -> None:
    for draft, mode, tokens in (
        ([ROLE, *SURE, *END], "adaptive_answered", (0, 2)),
        ([ROLE, *DOUBT], "adaptive_thought", (1, 1)),
    ):
        meter = Kept()
        call = call_of(True)
        asked(Engine(draft), call, lambda app, meter=meter: Metering(Adaptive(app), meter))
        assert (call.mode, meter.ended_as) == (mode, ("ok", tokens))
    assert call_of(True).mode == "adaptive"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 2),
        ("response_format", {"type": "json_object"}),
        ("structured_outputs", {"choice": ["a"]}),
        ("tool_choice", "required"),
        ("tool_choice", {"type": "function", "function": {"name": "f"}}),
        ("prompt_logprobs", 1),
        ("prompt_logprobs", 0),
        ("logit_bias", {"5": 1}),
        ("a field of tomorrow's", 1),
    ],
)
def test_what_a_draft_could_do_wrong_is_not_drafted(field: str, value: Any) -> None:
    draft = draft_of({"messages": [], field: value}, {}, Thinking())
    assert draft.fields is None


def test_a_draft_is_asked_for_with_what_its_tokens_tell() -> None:
    told = {"chat_template_kwargs": {"enable_thinking": False}, "temperature": 0.7}
    asks = {"messages": [], "include_reasoning": False, "stop": ["x"], "n": 1, "logprobs": False}
    draft = draft_of(asks, told, Thinking(threshold=0.3, draft_tokens=5))
    assert (draft.threshold, draft.most, draft.streamed, draft.shows) == (0.3, 5, False, False)
    assert draft.fields == {
        **asks,
        **told,
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_token_ids": True,
        "logprobs": True,
        "top_logprobs": 0,
        "include_reasoning": True,
    }
    assert draft_of({"response_format": {"type": "text"}}, told, Thinking()).fields
    hidden = draft_of({"logprobs": True, "include_reasoning": False}, told, Thinking())
    assert not hidden.shows  # as vLLM has it
    # A draft whose tokens come together late could not be ended in time.
    assert "stream_interval" not in (
        draft_of({"stream_interval": 99}, told, Thinking()).fields or {}
    )
    shown = draft_of({"logprobs": True, "top_logprobs": 3}, told, Thinking()).fields or {}
    assert shown["top_logprobs"] == 3


def test_an_error_keeps_openais_shape() -> None:
    failed = {"error": {"message": "gone", "type": "x", "param": None, "code": "y"}}
    assert openai_error(json.loads(asked(Engine([failed]), call_of(True)).body))
