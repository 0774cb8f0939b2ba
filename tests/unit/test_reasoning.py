"""The names of the thinking, as a client sees them: in whole answers and in streams.

`recorded/` has streams written after those of vLLM and Ray; a new file there is tested by itself.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgi_client import CHAT, JSON, SSE, answer, ask, http, stream
from hypothesis import given, settings
from hypothesis import strategies as st

from app.answers.names import ReasoningNames
from app.asgi import App, Receive, Scope, Send
from app.edge.errors import OpenAIErrors
from app.scope import Call, with_call
from app.thinking.decision import Decision

RECORDED = {path.stem: path.read_bytes() for path in Path(__file__).parent.glob("recorded/*.sse")}
# A JSON string that stands beside its twin; a string's own quotes are escaped.
SECOND_NAME = re.compile(rb',"reasoning_content":(null|"(?:[^"\\]|\\.)*")')


def through(pieces: list[bytes]) -> list[bytes]:
    """Return what a client receives of a stream, a chunk for each message."""
    return ask(OpenAIErrors(ReasoningNames(stream(pieces)))).chunks


def parsed(line: bytes) -> Any:
    """Return the JSON of an event's line; None for all else, and for a line that breaks off."""
    if not line.startswith(b"data:") or line.strip() == b"data: [DONE]":
        return None
    try:
        return json.loads(line[5:])
    except ValueError:
        return None


def deltas(event: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the (index, delta) of each choice of an event."""
    for choice in (event or {}).get("choices", ()):
        yield choice["index"], choice["delta"]


def thinking(stream: bytes, name: str) -> dict[int, str]:
    """Return {choice: its whole thinking} of a stream."""
    whole: dict[int, str] = defaultdict(str)
    for line in stream.split(b"\n"):
        for index, delta in deltas(parsed(line)):
            whole[index] += delta.get(name) or ""
    return {index: text for index, text in whole.items() if text.strip()}


@pytest.fixture(params=RECORDED.values(), ids=RECORDED.keys())
def recorded(request: pytest.FixtureRequest) -> bytes:
    return bytes(request.param)


def check(sent: bytes, received: bytes) -> None:
    """Compare a stream line by line: only the second name is new, where thinking has begun."""
    begun: set[int] = set()
    for before, after in zip(sent.split(b"\n"), received.split(b"\n"), strict=True):
        events = parsed(before), parsed(after)
        assert (events[0] is None) == (events[1] is None)  # JSON stays JSON
        if any("error" in event for event in events if event):
            continue  # tests/unit/test_errors.py
        held = False
        for (index, old), (_, new) in zip(*map(deltas, events), strict=True):
            if "reasoning" not in old:
                assert new == old
                continue
            assert new["reasoning_content"] == new["reasoning"]
            if (old["reasoning"] or "").strip():
                begun.add(index)
            held |= new["reasoning"] != old["reasoning"]
            assert new["reasoning"] is None or index in begun
        if held:  # the other fields are the same
            for _, delta in (*deltas(events[0]), *deltas(events[1])):
                delta.pop("reasoning", None), delta.pop("reasoning_content", None)
            assert events[0] == events[1]
        elif b'"reasoning_content":' in before or not before.startswith(b"data:"):
            assert after == before
        else:
            assert SECOND_NAME.sub(b"", after) == before
    for name in ("reasoning", "reasoning_content"):
        if b'"reasoning_content":' not in sent:
            assert thinking(received, name) == thinking(sent, "reasoning")


def test_only_the_second_name_is_new(recorded: bytes) -> None:
    check(recorded, b"".join(through([recorded])))


def test_a_split_at_any_byte_changes_nothing_and_holds_no_line_back(recorded: bytes) -> None:
    whole = b"".join(through([recorded]))
    ends = [match.end() for match in re.finditer(rb"\n", whole)]
    for at in range(1, len(recorded)):
        first, *rest = through([recorded[:at], recorded[at:]])
        lines = recorded.count(b"\n", 0, at)
        if not rest:  # no line had come whole, so nothing was sent before the second piece
            first, rest = b"", [first]
        assert first == whole[: ends[lines - 1] if lines else 0], at
        assert first + rest[0] == whole, at


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_pieces_of_any_size_change_nothing(data: st.DataObject) -> None:
    sent = data.draw(st.sampled_from(list(RECORDED.values())))
    cuts = data.draw(st.lists(st.integers(0, len(sent)), max_size=40).map(sorted))
    pieces = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    assert b"".join(through(pieces)) == b"".join(through([sent]))


def test_one_byte_at_a_time_changes_nothing(recorded: bytes) -> None:
    pieces = [recorded[at : at + 1] for at in range(len(recorded))]
    assert b"".join(through(pieces)) == b"".join(through([recorded]))


def test_each_event_is_passed_on_at_once(recorded: bytes) -> None:
    events = re.findall(rb".*?\n\r?\n|.+$", recorded, re.DOTALL)
    assert b"".join(events) == recorded
    assert [chunk.count(b"\n") for chunk in through(events)] == [
        event.count(b"\n") for event in events
    ]


# Text that is easily taken for a key, an end of a string, or white space.
texts = st.lists(
    st.sampled_from(
        ['"reasoning":"x"', '"index":1', '"', "\\", "\n", " ", "\u3000", "a", "🤔", "\ud83e", "{"]
    ),
    max_size=5,
).map("".join)
delta_objects = st.fixed_dictionaries(
    {},
    optional={"content": st.none() | texts, "reasoning": st.none() | texts, "role": texts},
)
event_objects = st.lists(st.tuples(st.integers(0, 2), delta_objects), max_size=3).map(
    lambda choices: {"choices": [{"index": i, "delta": d} for i, d in choices], "model": "m"}
)


@given(
    events=st.lists(event_objects, max_size=6),
    ascii=st.booleans(),
    separators=st.sampled_from([(",", ":"), (", ", ": ")]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=150, deadline=None)
def test_any_stream_keeps_all_but_the_second_name(
    events: list[Any], ascii: bool, separators: tuple[str, str], newline: str
) -> None:
    dumped = [json.dumps(event, ensure_ascii=ascii, separators=separators) for event in events]
    sent = "".join(f"data: {event}{newline}{newline}" for event in dumped)
    data = sent.encode(errors="replace") + b"data: [DONE]\n\n"
    check(data, b"".join(through([data])))


@pytest.mark.parametrize(
    ("reasoning", "expected"),
    [
        pytest.param(["\n\n"], [None], id="blank, as after /no_think"),
        pytest.param([""], [None], id="empty"),
        pytest.param([None], [None], id="null"),
        pytest.param(["\n", " ", "Hm"], [None, None, "\n Hm"], id="leading white space waits"),
        pytest.param(["Hm", "\n\n", "so"], ["Hm", "\n\n", "so"], id="later white space does not"),
        pytest.param(["\u3000", "\u00a0"], [None, None], id="white space of other scripts"),
        pytest.param(["\n", None, "Hm"], [None, None, "\nHm"], id="null in between"),
    ],
)
def test_white_space_in_a_stream(reasoning: list[str | None], expected: list[str | None]) -> None:
    events = [{"choices": [{"index": 0, "delta": {"reasoning": text}}]} for text in reasoning]
    for ascii in (True, False):
        sent = [f"data: {json.dumps(e, ensure_ascii=ascii)}\n\n".encode() for e in events]
        received = [next(deltas(parsed(chunk.strip())))[1] for chunk in through(sent)]
        assert [delta["reasoning"] for delta in received] == expected
        assert [delta["reasoning_content"] for delta in received] == expected


@pytest.mark.parametrize(
    "text", [rb"\q", b"\xff", b"\t", rb"\ud83e"], ids=["escape", "UTF-8", "control", "surrogate"]
)
def test_a_broken_text_is_passed_on(text: bytes) -> None:
    sent = b'data: {"choices":[{"index":0,"delta":{"reasoning":"%s"}}]}\n\n' % text
    assert SECOND_NAME.sub(b"", b"".join(through([sent]))) == sent


# Answers that are no stream


def unary(body: bytes, path: str = CHAT, pieces: int = 1) -> bytes:
    """Return the body that a client receives; its content-length is checked on the way."""
    size = -(-len(body) // pieces) or 1
    parts = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
    headers = [JSON, (b"content-length", b"%d" % len(body))]
    response = ask(ReasoningNames(answer(200, parts, headers)), http(path=path))
    assert response.header("content-type") == "application/json"
    assert response.header("content-length") == str(len(response.body))
    return response.body


def completion(*messages: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [
            {"index": index, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
            for index, message in enumerate(messages)
        ],
        "usage": {"completion_tokens_details": {"reasoning_tokens": 24}},
    }


@pytest.mark.parametrize("spaced", [True, False], ids=["spaced", "compact"])
@pytest.mark.parametrize("ascii", [True, False], ids=["escaped", "raw"])
@pytest.mark.parametrize(
    ("reasoning", "expected"),
    [
        pytest.param("\nHm, 7.80 > 7.11\n", "\nHm, 7.80 > 7.11\n", id="thinking"),
        pytest.param("\n\n", None, id="blank"),
        pytest.param(" \u3000\t", None, id="blank in other scripts"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="null"),
        pytest.param('"reasoning":"x" \\" \\\\', '"reasoning":"x" \\" \\\\', id="quotes"),
        pytest.param("思考 🤔", "思考 🤔", id="unicode"),
    ],
)
def test_a_message_has_both_names(
    reasoning: str | None, expected: str | None, ascii: bool, spaced: bool
) -> None:
    sent = completion({"content": '{"reasoning":"a"}', "reasoning": reasoning}, {"content": "b"})
    body = json.dumps(sent, ensure_ascii=ascii, separators=(", ", ": ") if spaced else (",", ":"))
    received = unary(body.encode())
    message = json.loads(received)["choices"][0]["message"]
    assert (message["reasoning"], message["reasoning_content"]) == (expected, expected)
    if expected == reasoning:
        assert SECOND_NAME.sub(b"", received) == body.encode()
    else:
        sent["choices"][0]["message"] |= {"reasoning": None, "reasoning_content": None}
        assert json.loads(received) == sent


@pytest.mark.parametrize("pieces", [2, 3, 50, 1000])
def test_a_body_may_come_in_pieces(pieces: int) -> None:
    body = json.dumps(completion({"reasoning": "思 🤔"}, {"reasoning": "\n"})).encode()
    assert unary(body, pieces=pieces) == unary(body)


def test_each_of_several_messages_has_its_own_thinking() -> None:
    body = json.dumps(completion({"reasoning": "a"}, {"reasoning": " "}, {"reasoning": "c"}))
    choices = json.loads(unary(body.encode()))["choices"]
    assert [choice["message"]["reasoning_content"] for choice in choices] == ["a", None, "c"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        pytest.param(completion({"content": "x"}), CHAT, id="no thinking"),
        pytest.param(completion({"content": '"reasoning":"x"'}), CHAT, id="the name in a text"),
        pytest.param(completion({"reasoning": "a", "reasoning_content": "a"}), CHAT, id="has both"),
        pytest.param(completion({"reasoning_content": "a"}), CHAT, id="has the old name"),
        pytest.param({"reasoning": {"effort": "none"}}, CHAT, id="something else of that name"),
        pytest.param({"reasoning": "x"}, "/v1/responses", id="/v1/responses"),
        pytest.param({"reasoning": "x"}, "/v1/completions", id="/v1/completions"),
        pytest.param({"reasoning": "x"}, "/v1/models", id="/v1/models"),
    ],
)
def test_nothing_else_is_touched(body: dict[str, Any], path: str) -> None:
    assert unary(json.dumps(body).encode(), path) == json.dumps(body).encode()


def test_streams_of_other_apis_are_not_touched() -> None:
    pieces = [b'data: {"type":"x","reasoning":', b'"x"}\n\n']
    app = ReasoningNames(answer(200, pieces, [SSE]))
    assert ask(app, http(path="/v1/responses")).chunks == pieces


def test_errors_are_not_touched() -> None:
    body = b'{"error":{"message":"x","reasoning":"x"}}'
    assert ask(ReasoningNames(answer(400, body))).body == body


# One name alone, where the values of the model say so


def under(name: str, app: App, *, thinks: bool = False, choices: int = 1) -> App:
    """Return an application behind the layers, in a call that has these names."""
    call = Call(Decision(thinks), "m", "chat_completions", "", name, 0, True, choices)
    layers = OpenAIErrors(ReasoningNames(app))

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        await layers(with_call(scope, call), receive, send)

    return called


def only(name: str, body: bytes) -> bytes:
    """Return what has both names with one alone."""
    if name == "reasoning":
        return SECOND_NAME.sub(b"", body)
    two = rb'"reasoning":(\s*)(null|"(?:[^"\\]|\\.)*"),"reasoning_content":\2'
    return re.sub(two, rb'"reasoning_content":\1\2', body)


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_a_stream_has_the_one_name(recorded: bytes, name: str) -> None:
    if b'"reasoning_content":' in recorded:
        pytest.skip("from an engine that gives both itself")
    received = ask(under(name, stream([recorded]))).body
    assert thinking(received, name) == thinking(recorded, "reasoning")
    assert not thinking(received, ({"reasoning", "reasoning_content"} - {name}).pop())
    assert received == only(name, b"".join(through([recorded])))


@given(
    texts=st.lists(texts, min_size=1, max_size=6),
    name=st.sampled_from(["both", "reasoning", "reasoning_content"]),
)
@settings(max_examples=150, deadline=None)
def test_one_choice_has_what_one_of_many_has(texts: list[str], name: str) -> None:
    """Once its thinking has begun, an only choice goes a shorter way."""
    pieces = [
        b"data: "
        + json.dumps(
            {"choices": [{"index": 0, "delta": {"reasoning": text}, "logprobs": None}]},
            separators=(",", ":"),
        ).encode()
        + b"\n\n"
        for text in ["Hm", *texts]
    ]
    only, many = (
        ask(under(name, stream(pieces), thinks=True, choices=choices)).body for choices in (1, 2)
    )
    assert only == many


@pytest.mark.parametrize("name", ["both", "reasoning", "reasoning_content"])
@pytest.mark.parametrize("reasoning", ["Hm", '"reasoning":"x" \\', "\n\n", "", None])
@pytest.mark.parametrize("spaced", [True, False], ids=["spaced", "compact"])
def test_a_message_has_the_names_of_the_model(
    name: str, reasoning: str | None, spaced: bool
) -> None:
    sent = completion({"content": '{"reasoning":"a"}', "reasoning": reasoning}, {"content": "b"})
    body = json.dumps(sent, separators=(", ", ": ") if spaced else (",", ":")).encode()
    response = ask(under(name, answer(200, body)))
    assert response.header("content-length") == str(len(response.body))
    first, second = (choice["message"] for choice in json.loads(response.body)["choices"])
    names = ["reasoning", "reasoning_content"] if name == "both" else [name]
    expected = reasoning if (reasoning or "").strip() else None
    assert {n: v for n, v in first.items() if "reasoning" in n} == dict.fromkeys(names, expected)
    assert second == sent["choices"][1]["message"]


@pytest.mark.parametrize("name", ["both", "reasoning", "reasoning_content"])
def test_white_space_in_a_stream_waits_under_each_name(name: str) -> None:
    events = [{"choices": [{"index": 0, "delta": {"reasoning": text}}]} for text in ["\n", "Hm"]]
    sent = [f"data: {json.dumps(event)}\n\n".encode() for event in events]
    chunks = ask(under(name, stream(sent))).chunks
    names = ["reasoning", "reasoning_content"] if name == "both" else [name]
    assert [next(deltas(parsed(chunk.strip())))[1] for chunk in chunks] == [
        dict.fromkeys(names, None),
        dict.fromkeys(names, "\nHm"),
    ]


# The newlines between thinking and answer


def chunks(*deltas: dict[str, Any], index: int = 0) -> list[bytes]:
    """Return a stream's events, written as vLLM writes them."""
    return [
        b"data: "
        + json.dumps({"choices": [{"index": index, "delta": d}]}, separators=(",", ":")).encode()
        + b"\n\n"
        for d in deltas
    ]


def contents(stream: list[bytes]) -> list[str | None]:
    """Return what each event of the only choice has of an answer."""
    return [next(deltas(parsed(event.strip())))[1].get("content") for event in stream]


@pytest.mark.parametrize("thinks", [True, False])
@pytest.mark.parametrize(
    ("sent", "received"),
    [
        (["", "\n\n", "4", "\n\n", "5"], ["", "", "4", "\n\n", "5"]),
        (["\n", "\n", "\n4\n"], ["", "", "4\n"]),
        (["\r\n4"], ["4"]),
        (["    x", "\n"], ["    x", "\n"]),
        (['\n"content":"\n'], ['"content":"\n']),
        (["\\n4"], ["\\n4"]),
        ([None, "\n4"], [None, "4"]),
    ],
)
def test_an_answer_in_a_stream_begins_with_itself(
    thinks: bool, sent: list[str], received: list[str]
) -> None:
    events = chunks({"reasoning": '\n"content":"\nHm'}, *({"content": text} for text in sent))
    got = ask(under("both", stream(events), thinks=thinks)).chunks
    assert contents(got)[1:] == (received if thinks else sent)
    assert thinking(got[0], "reasoning") == {0: '\n"content":"\nHm'}


def test_each_choice_of_a_stream_has_its_own_beginning() -> None:
    texts = [(0, "\n"), (1, "\n"), (0, "4"), (1, "\n"), (1, "5"), (0, "\n"), (1, "\n")]
    events = [chunks({"content": text}, index=index)[0] for index, text in texts]
    got = ask(under("both", stream(events), thinks=True, choices=2)).chunks
    assert contents(got) == ["", "", "4", "", "5", "\n", "\n"]


@pytest.mark.parametrize("thinks", [True, False])
@pytest.mark.parametrize("spaced", [True, False], ids=["spaced", "compact"])
def test_a_whole_answer_begins_with_itself(thinks: bool, spaced: bool) -> None:
    sent = completion(
        {"content": '\n\n4\n"content":"\n', "reasoning": "\nHm"},
        {"content": "\n"},
        {"content": None},
    )
    body = json.dumps(sent, separators=(", ", ": ") if spaced else (",", ":")).encode()
    response = ask(under("both", answer(200, body), thinks=thinks, choices=3))
    messages = [choice["message"] for choice in json.loads(response.body)["choices"]]
    expected = ['4\n"content":"\n', "", None] if thinks else ['\n\n4\n"content":"\n', "\n", None]
    assert [message["content"] for message in messages] == expected
    assert messages[0]["reasoning"] == "\nHm"


@pytest.mark.parametrize("choices", [1, 2])
def test_a_stream_that_is_cut_off_at_any_byte_is_passed_on(recorded: bytes, choices: int) -> None:
    """With one choice, too, whose thinking is looked for without reading the event."""

    def received(pieces: list[bytes]) -> bytes:
        app = under("both", stream(pieces), thinks=True, choices=choices)
        return b"".join(ask(app).chunks)

    events = re.findall(rb".*?\n\r?\n|.+$", recorded, re.DOTALL)
    for number, event in enumerate(events[1:8], 1):
        whole = received(events[:number])
        for at in range(1, len(event)):
            cut = received([*events[:number], event[:at]])
            assert cut.startswith(whole), at
            assert b'"error"' not in cut[len(whole) :] or b'"error"' in event, at
