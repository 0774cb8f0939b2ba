"""Tokens that share a chunk: when they do, and that an answer is the same however they are put."""

import asyncio
import json
from typing import Any

import pytest
from asgi_client import CHAT, JSON, SSE, Response, ask, http, stream
from hypothesis import given, settings
from hypothesis import strategies as st
from meters import Kept

from app.answers.joining import BUSY, FREE, MOST_BY_STREAMS, STREAMS, Joining, Share
from app.asgi import Message, Receive, Scope, Send
from app.edge.auth import BearerAuth
from app.edge.fixed import Edge
from app.middleware import STACK, WITH_VALUES
from app.requests import Requests
from app.thinking.fixed import Thinking

HI = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


class Busy:
    """The application behind: keeps each stream open until it is told."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.end = asyncio.Event()
        self.fails = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(json.loads((await receive())["body"]))
        await self.end.wait()
        if self.fails:
            raise RuntimeError
        await send({"type": "http.response.start", "status": 200, "headers": [SSE]})
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


async def open_stream(app: Requests, path: str = CHAT, **fields: Any) -> "asyncio.Task[None]":
    """Send a request that stays open, and return it."""
    body = json.dumps({**HI, **fields}).encode()

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        pass

    task = asyncio.ensure_future(app(http(path=path), receive, send))
    await asyncio.sleep(0)
    return task


def intervals(busy: Busy) -> list[int]:
    """Return the tokens a chunk that each stream was asked with."""
    return [body.get("stream_interval", 1) for body in busy.asked]


@pytest.mark.parametrize("most", [1, 2, 8])
def test_a_chunk_carries_one_token_more_for_each_16_streams_up_to_4(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Share, "due", lambda *_: False)  # however busy the machine is

    async def check() -> None:
        busy = Busy()
        app = Requests(busy, {"m": Thinking()}, Kept(), edge=Edge(max_stream_interval=most))
        tasks = [await open_stream(app) for _ in range(6 * STREAMS)]
        bound = min(most, MOST_BY_STREAMS)
        assert intervals(busy) == [min(bound, 1 + n // STREAMS) for n in range(6 * STREAMS)]
        busy.end.set()
        await asyncio.gather(*tasks)
        await asyncio.gather(await open_stream(app))
        assert intervals(busy)[-1] == 1  # they have all been closed

    asyncio.run(check())


def test_a_stream_with_several_answers_counts_as_that_many() -> None:
    async def check() -> None:
        busy = Busy()
        app = Requests(busy, {"m": Thinking()}, Kept(), edge=Edge())
        tasks = [await open_stream(app, n=8) for _ in range(STREAMS // 8 + 1)]
        assert intervals(busy) == [1] * (STREAMS // 8) + [2]
        busy.end.set()
        await asyncio.gather(*tasks)

    asyncio.run(check())


@pytest.mark.parametrize("end", ["fails", "cancelled"])
def test_a_stream_that_breaks_off_is_closed_too(end: str) -> None:
    async def check() -> None:
        busy = Busy()
        app = Requests(busy, {"m": Thinking()}, Kept(), edge=Edge())
        tasks = [await open_stream(app) for _ in range(STREAMS)]
        if end == "fails":
            busy.fails = True
            busy.end.set()
        else:
            for task in tasks:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        tasks = [await open_stream(app)]
        assert intervals(busy)[-1] == 1
        await asyncio.gather(*tasks, return_exceptions=True) if end == "fails" else tasks[
            0
        ].cancel()

    asyncio.run(check())


def loaded(shares: list[float], most: int = 8, every: float = 0.5) -> list[int]:
    """Return the tokens a chunk of streams that come one by one, given the load before each."""
    now = taken = 0.0
    joining = Joining(most, lambda: now, lambda: taken)
    found = []
    for share in [0.0, *shares]:
        now += every
        taken += share * every
        with joining.stream(1) as interval:
            found.append(interval)
    return found[1:]


def test_a_busy_process_puts_more_tokens_into_a_chunk_and_a_free_one_fewer() -> None:
    assert loaded([0.1, 0.5, 0.9, 0.5, 0.9, 0.9, 1.0]) == [1, 1, 2, 2, 4, 8, 8]
    assert loaded([1.0] * 3 + [0.5, 0.2, 0.2, 0.2, 0.2]) == [2, 4, 8, 8, 4, 2, 1, 1]
    assert loaded([1.0] * 5, most=4) == [2, 4, 4, 4, 4]
    assert loaded([1.0] * 5, most=1) == [1] * 5
    assert FREE * 2 <= BUSY  # or what doubles the tokens would let them be halved at once


def test_a_burst_is_met_at_once_and_only_as_long_as_it_lasts() -> None:
    assert loaded([1.0] * 2 + [0.3] * 4, every=0.125) == [2, 4, 1, 1, 1, 1]
    assert loaded([1.0] * 4 + [0.5] * 6, every=0.125) == [2, 4, 8, 8, 2, 2, 2, 2, 2, 2]
    assert loaded([1.0] * 6, every=0.0625) == [1, 2, 2, 4, 4, 8]  # 0.1 s at least


def test_a_burst_is_joined_further_than_its_number_says() -> None:
    now = taken = 0.0
    joining = Joining(8, lambda: now, lambda: taken)
    joining.tokens()
    with joining.stream(8 * STREAMS) as tokens:
        assert tokens == MOST_BY_STREAMS
        now, taken = now + 0.125, taken + 0.125
        assert joining.tokens() == 2 * MOST_BY_STREAMS


def test_what_a_client_asks_for_holds_where_it_is_more() -> None:
    async def check() -> None:
        busy = Busy()
        app = Requests(busy, {"m": Thinking()}, Kept(), edge=Edge())
        tasks = [await open_stream(app, stream_interval=3) for _ in range(4 * STREAMS)]
        assert intervals(busy) == [3] * 3 * STREAMS + [4] * STREAMS
        busy.end.set()
        await asyncio.gather(*tasks)

    asyncio.run(check())


def test_an_answer_that_is_no_stream_is_none_of_them() -> None:
    async def check() -> None:
        busy = Busy()
        app = Requests(busy, {"m": Thinking()}, Kept(), edge=Edge())
        tasks = [await open_stream(app, stream=False) for _ in range(2 * STREAMS)]
        assert all("stream_interval" not in body for body in busy.asked)
        tasks.append(await open_stream(app))
        assert intervals(busy)[-1] == 1
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(check())


# The same answer, however its tokens are put into chunks and these into messages. vLLM joins the
# pieces of a delta as `merged` does.

PIECES = st.lists(
    st.sampled_from(
        [
            "Hm",
            " ",
            "\n\n",
            '"',
            "\\",
            "}",
            '"}',
            '"},',
            "</think>",
            '"reasoning":"',
            "]}",
            "é",
            "𝄞",
        ]
    ),
    max_size=6,
)
CALLS = st.lists(st.lists(st.sampled_from(["a", '\\"', "{", "}", ","]), max_size=4), max_size=2)


def deltas(thinking: list[str], content: list[str], calls: list[list[str]]) -> list[dict[str, Any]]:
    """Return the deltas of an answer, a token each."""
    found = [{"reasoning": piece} for piece in thinking] + [{"content": piece} for piece in content]
    for index, pieces in enumerate(calls):
        name = {"id": f"call_{index}", "type": "function", "index": index}
        found.append({"tool_calls": [{**name, "function": {"name": "f", "arguments": ""}}]})
        for piece in ['{"x":"', *pieces, '"}']:
            found.append({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    return found


def merged(pieces: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one delta out of several, as vLLM's parsers give one for several tokens."""
    joined: dict[str, Any] = {}
    for piece in json.loads(json.dumps(pieces)):
        for field in ("reasoning", "content"):
            if field in piece:
                joined[field] = joined.get(field, "") + piece[field]
        for call in piece.get("tool_calls", ()):
            known = joined.setdefault("tool_calls", [])
            same = next((k for k in known if k["index"] == call["index"]), None)
            if same:
                same["function"]["arguments"] += call["function"]["arguments"]
            else:
                known.append(call)
    return joined


def sse(choices: list[Any], **more: Any) -> bytes:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    data = json.dumps({**chunk, "choices": choices, **more}, separators=(",", ":"))
    return b"data: %s\n\n" % data.encode()


def choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 7,
    "total_tokens": 17,
    "completion_tokens_details": {"reasoning_tokens": 3},
}


def cut(pieces: list[Any], cuts: list[int]) -> list[list[Any]]:
    """Return groups of pieces, cut before these."""
    inner = sorted({cut % len(pieces) for cut in cuts} - {0}) if pieces else []
    return [pieces[a:b] for a, b in zip([0, *inner], [*inner, len(pieces)], strict=True) if a < b]


def through(body: dict[str, Any], path: str, messages: list[bytes]) -> Response:
    """Return what a client gets of a stream that the engine sends in these messages."""
    app: Any = stream(messages)
    for layer in STACK:
        if layer is BearerAuth:
            app = layer(app, required=False)
        elif layer in WITH_VALUES:
            app = layer(app, {"m": Thinking()})
        else:
            app = layer(app)
    tool = {"name": "f", "parameters": {"type": "object"}}
    if path == "/v1/messages":
        body = {**body, "max_tokens": 99, "tools": [{"name": "f", "input_schema": {}}]}
        body["tools"][0]["input_schema"] = {"type": "object"}
    elif path == "/v1/responses":
        body = {
            "model": "m",
            "stream": True,
            "input": "Hi",
            "tools": [{"type": "function", **tool}],
        }
    else:
        body = {**body, "tools": [{"type": "function", "function": tool}]}
    return ask(app, http(path=path, headers=[JSON]), [json.dumps(body).encode()])


def read(path: str, response: Response) -> Any:
    """Return all that an answer says, without how it was cut."""
    assert response.status == 200, response.body
    lines = response.body.decode().split("\n")
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    if path == "/v1/responses":
        whole = events[-1]["response"]
        for name in ("id", "created_at", "completed_at"):
            whole.pop(name)
        for item in whole["output"]:
            item.pop("id"), item.pop("call_id", None)
        return whole
    if path == "/v1/messages":
        blocks: dict[int, Any] = {}
        for event in events:
            if event["type"] == "content_block_start":
                blocks[event["index"]] = [event["content_block"]["type"], ""]
            elif event["type"] == "content_block_delta":
                texts = [v for k, v in event["delta"].items() if k not in ("type", "signature")]
                blocks[event["index"]][1] += "".join(texts)
        ends = [e for e in events if e["type"] in ("message_delta", "message_stop")]
        return list(blocks.values()), ends
    said: dict[str, Any] = {"calls": {}, "finish": [], "usage": []}
    for event in events:
        said["usage"].append(event["usage"]) if event.get("usage") else None
        for each in event["choices"]:
            said["finish"] += [each["finish_reason"]] if each["finish_reason"] else []
            for name in ("reasoning", "reasoning_content", "content"):
                said[name] = said.get(name, "") + (each["delta"].get(name) or "")
            for call in each["delta"].get("tool_calls", ()):
                known = said["calls"].setdefault(call["index"], "")
                said["calls"][call["index"]] = known + call["function"]["arguments"]
    return said, lines[-3]


@given(PIECES, PIECES, CALLS, st.lists(st.integers(0, 99)), st.lists(st.integers(0, 99)))
@settings(max_examples=400, deadline=None)
@pytest.mark.parametrize("path", [CHAT, "/v1/messages", "/v1/responses"])
def test_an_answer_is_the_same_however_it_is_cut(
    path: str,
    thinking: list[str],
    content: list[str],
    calls: list[list[str]],
    cuts: list[int],
    messages: list[int],
) -> None:
    pieces = deltas(thinking, content, calls)
    finish = "tool_calls" if calls else "stop"
    usage = {**HI, "stream_options": {"include_usage": True}} if path == CHAT else HI

    def events(groups: list[list[dict[str, Any]]]) -> list[bytes]:
        joined = [choice(merged(group)) for group in groups]
        if joined:
            joined[-1]["finish_reason"] = finish
        else:
            joined = [choice({}, finish)]
        start = choice({"role": "assistant", "content": ""})
        sent = [sse([each]) for each in (start, *joined)]
        return [*sent, sse([], usage=USAGE), b"data: [DONE]\n\n"]

    token_by_token = read(path, through(usage, path, events([[piece] for piece in pieces])))
    groups = cut(events(cut(pieces, cuts)), messages)
    joined = [b"".join(group) for group in groups]
    assert read(path, through(usage, path, joined)) == token_by_token
