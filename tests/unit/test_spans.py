"""The span of a request, recorded by OpenTelemetry's own SDK."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from asgi_client import answer, ask, http, stream
from meters import Kept
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from test_metering import STREAM, USAGE

from app.answers.metering import Metering
from app.answers.spans import Spans
from app.asgi import App, Receive, Scope, Send, send_json
from app.requests import Requests
from app.thinking.fixed import Thinking
from app.tracing import PROTOCOL, span_processors

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
BODY = {"model": "m", "messages": [{"role": "user", "content": "SECRET"}]}


@pytest.fixture(scope="module")
def recorder() -> InMemorySpanExporter:
    """Return what keeps the spans; a process has one provider for good."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(recorder: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    recorder.clear()
    yield recorder


def posted(app: App, body: dict[str, Any], *headers: tuple[bytes, bytes]) -> None:
    """Send one chat completion through the layers that know its span."""
    layers = Requests(Metering(app, Spans()), {"m": Thinking()}, Spans())
    data = json.dumps(body).encode()
    given = [(b"content-type", b"application/json"), *headers]
    ask(layers, http(path="/v1/chat/completions", headers=given), [data])


def test_a_request_is_one_span_with_the_decision_and_the_tokens(
    spans: InMemorySpanExporter,
) -> None:
    posted(stream(STREAM), {**BODY, "stream": True, "thinking_token_budget": 50})
    (span,) = spans.get_finished_spans()
    assert span.name == "chat_completions m"
    assert span.parent is None
    known = dict(span.attributes or {})
    assert known["hybrid_llm.mode"] == "on"
    assert known["hybrid_llm.thinking_budget"] == 50
    assert (known["hybrid_llm.thinking_tokens"], known["hybrid_llm.answer_tokens"]) == (20, 10)
    assert known["gen_ai.usage.input_tokens"] == USAGE["prompt_tokens"]
    assert known["hybrid_llm.outcome"] == "ok"
    assert [event.name for event in span.events] == ["first thinking token", "first answer token"]
    assert "SECRET" not in span.to_json()


def test_it_stands_between_the_clients_span_and_the_engines(spans: InMemorySpanExporter) -> None:
    seen: list[Scope] = []

    async def engine(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await send_json(send, 200, {"usage": USAGE})

    posted(engine, BODY, (b"traceparent", PARENT.encode()), (b"tracestate", b"a=b"))
    (span,) = spans.get_finished_spans()
    assert span.parent and format(span.parent.span_id, "016x") == PARENT.split("-")[2]
    headers = dict(seen[0]["headers"])
    _, trace_id, parent, flags = headers[b"traceparent"].decode().split("-")
    assert trace_id == PARENT.split("-")[1]
    assert parent == format(span.context.span_id, "016x") and flags == "01"
    assert headers[b"tracestate"] == b"a=b"
    assert [name for name, _ in seen[0]["headers"]].count(b"traceparent") == 1


def test_a_refusal_is_a_span_that_says_why(spans: InMemorySpanExporter) -> None:
    posted(stream(STREAM), {**BODY, "model": "other"})
    (span,) = spans.get_finished_spans()
    known = dict(span.attributes or {})
    assert known["hybrid_llm.outcome"] == "refused"
    assert known["error.type"] == "model_not_found"


def failing(text: str) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError(text)

    return app


def test_a_failure_is_marked_and_its_message_kept_out(spans: InMemorySpanExporter) -> None:
    with pytest.raises(RuntimeError):
        posted(failing("SECRET"), BODY)
    (span,) = spans.get_finished_spans()
    assert not span.status.is_ok
    assert "SECRET" not in span.to_json()


def test_what_asks_no_model_to_write_has_none(spans: InMemorySpanExporter) -> None:
    layers = Requests(answer(200), {"m": Thinking()}, Kept())
    data = json.dumps({"model": "m", "messages": BODY["messages"]}).encode()
    ask(layers, http(path="/tokenize", headers=[(b"content-type", b"application/json")]), [data])
    assert not spans.get_finished_spans()


def test_the_protocol_is_one_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    for protocol in ("grpc", "http/protobuf"):
        monkeypatch.setenv(PROTOCOL, protocol)
        (processor,) = span_processors()
        processor.shutdown()
    monkeypatch.setenv(PROTOCOL, "carrier-pigeon")
    with pytest.raises(ValueError, match="neither grpc nor http/protobuf"):
        span_processors()
