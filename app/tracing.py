"""Where the spans of this process go; Ray Serve calls it by its import path.

The collector is the one of OpenTelemetry's own variables ($OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and
those beside it), which vLLM's processes read too.
"""

import os

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

PROTOCOL = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"


def span_processors() -> list[SpanProcessor]:
    """Return what takes the spans of this process; none where no collector is named.

    Raises:
        ValueError: $OTEL_EXPORTER_OTLP_TRACES_PROTOCOL names no protocol that is known.
    """
    return [BatchSpanProcessor(_exporter(os.environ.get(PROTOCOL, "grpc")))]


def _exporter(protocol: str) -> SpanExporter:
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc

        return grpc.OTLPSpanExporter()
    if protocol == "http/protobuf":
        from opentelemetry.exporter.otlp.proto.http import trace_exporter as http

        return http.OTLPSpanExporter()
    raise ValueError(f"{PROTOCOL}: {protocol!r} is neither grpc nor http/protobuf")
