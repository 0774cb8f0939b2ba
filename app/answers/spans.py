"""One span a request, between its client's and the engine's, with what was decided on it.

Nothing is recorded until a tracer provider is there: Ray Serve sets one up in each of its processes
where $RAY_SERVE_TRACING_EXPORTER_IMPORT_PATH says `app.tracing:span_processors`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.answers.ends import End
from app.asgi import Scope
from app.scope import Call

_W3C = TraceContextTextMapPropagator()
_NAMES = (b"traceparent", b"tracestate")


@contextmanager
def span(scope: Scope, surface: str) -> Iterator[Scope]:
    """Open the span of a request; yield its scope as the engine needs it to go on with the trace.

    Args:
        scope: the request's; of a client that traces, it has the header `traceparent`.
        surface: the API that is asked.
    """
    tracer = trace.get_tracer("hybrid_llm")
    # No exception is recorded: its message may have been written from the request.
    with tracer.start_as_current_span(
        surface,
        _parent(scope),
        SpanKind.SERVER,
        record_exception=False,
        set_status_on_exception=False,
    ):
        carried: dict[str, str] = {}
        _W3C.inject(carried)
        if not carried:
            yield scope
        else:
            others = [(k, v) for k, v in scope["headers"] if k.lower() not in _NAMES]
            ours = [(name.encode(), value.encode()) for name, value in carried.items()]
            yield {**scope, "headers": [*others, *ours]}


def _parent(scope: Scope) -> Context | None:
    """Return the context that a request comes with; None: that of this task, which Serve has."""
    if trace.get_current_span().get_span_context().is_valid:
        return None
    headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"] if k in _NAMES}
    return _W3C.extract(headers) if headers else None


def trace_id() -> str | None:
    """Return the hexadecimal ID of the trace that the current request belongs to."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


class Spans:
    """A `Meter` that writes on the current request's span; GenAI's names are OpenTelemetry's.

    https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
    """

    def refused(self, call: Call, reason: str) -> None:
        current = trace.get_current_span()
        _describe(current, call)
        current.set_attribute("hybrid_llm.outcome", "refused")
        current.set_attribute("error.type", reason)

    def began(self, call: Call, what: str, seconds: float) -> None:
        trace.get_current_span().add_event(f"first {what} token")

    def ended(self, call: Call, end: End) -> None:
        current = trace.get_current_span()
        if not current.is_recording():
            return
        _describe(current, call)
        draft = call.draft if call.draft and call.draft.written else None
        thinking, answer = end.tokens or (None, None)
        known = {
            "hybrid_llm.mode": call.mode,
            "hybrid_llm.lane": call.lane or None,
            "hybrid_llm.thinking_budget": call.decision.budget if call.thinks else None,
            "hybrid_llm.outcome": end.outcome,
            "hybrid_llm.thinking_tokens": thinking,
            "hybrid_llm.answer_tokens": answer,
            "hybrid_llm.draft_tokens": draft.written if draft else None,
            "hybrid_llm.draft_confidence": draft.confidence if draft else None,
            "gen_ai.usage.input_tokens": end.prompt,
        }
        current.set_attributes({name: value for name, value in known.items() if value is not None})
        if end.outcome == "error":
            current.set_status(Status(StatusCode.ERROR))


def _describe(current: trace.Span, call: Call) -> None:
    """Say whose request it is, and of what."""
    current.update_name(f"{call.surface} {call.model}")
    current.set_attributes(
        {
            "gen_ai.operation.name": "chat" if call.surface != "completions" else "text_completion",
            "gen_ai.request.model": call.model,
            "hybrid_llm.surface": call.surface,
            "hybrid_llm.key": call.key or "none",
            "hybrid_llm.request_id": call.request_id,
        }
    )
