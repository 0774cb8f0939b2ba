"""The trace and the log of a request, of a real server, by OpenTelemetry's own collector."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import BOB, KEY, MODEL, ROOT, Server
from .operators_values import COLLECTOR, both_modes

WORD = "a word that nothing may keep"
PARENT = "b7ad6b7169203331"
ADAPTIVE = {"thinking": {"type": "adaptive"}, "thinking_token_budget": 10}


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run the collector; yield the file that it writes."""
    folder = tmp_path_factory.mktemp("collector")
    written, config = folder / "spans.jsonl", folder / "config.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "receivers": {
                    "otlp": {"protocols": {"grpc": {"endpoint": COLLECTOR.removeprefix("http://")}}}
                },
                "exporters": {"file": {"path": str(written), "flush_interval": "100ms"}},
                "service": {
                    "telemetry": {"metrics": {"level": "none"}},
                    "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["file"]}},
                },
            }
        )
    )
    command = [ROOT / "tools/go-tool", "collector", "--config", f"file:{config}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        end = time.monotonic() + 600  # Go builds it, once
        while "Everything is ready" not in (folder / "log").read_text():
            assert process.poll() is None and time.monotonic() < end, (folder / "log").read_text()
            time.sleep(0.2)
        yield written
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def spans_of(trace: str, written: Path) -> list[dict[str, Any]]:
    """Return the spans of one trace that the collector has."""
    found = []
    for line in written.read_text().splitlines() if written.exists() else []:
        for resource in json.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                found += [span for span in scope["spans"] if span["traceId"] == trace]
    return found


def attributes(span: dict[str, Any]) -> dict[str, Any]:
    """Return a span's attributes; OTLP's JSON has whole numbers as strings."""
    given = {entry["key"]: entry["value"] for entry in span["attributes"]}
    return {
        name: int(value["intValue"]) if "intValue" in value else next(iter(value.values()))
        for name, value in given.items()
    }


def asked(server: Server, trace: str, key: str = KEY, **fields: Any) -> dict[str, Any]:
    """Ask as a client that traces; return the answer."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": WORD}], **fields}
    headers = {"authorization": f"Bearer {key}", "traceparent": f"00-{trace}-{PARENT}-01"}
    answer = server.send(json=body, headers={**headers, "x-request-id": f"id-{trace[:8]}"})
    return {"status": answer.status_code, **answer.json()}


def waited(trace: str, written: Path, engine: int = 1) -> list[dict[str, Any]]:
    """Return a trace's spans when ours and so many of the engine's are there."""
    end = time.monotonic() + 60
    while True:
        spans = spans_of(trace, written)
        names = [span["name"] for span in spans]
        if names.count("llm_request") >= engine and f"chat_completions {MODEL}" in names:
            return spans
        assert time.monotonic() < end, names
        time.sleep(0.5)


def lines(server: Server, trace: str) -> list[dict[str, Any]]:
    """Return the lines of the request log that belong to a trace."""
    parsed = [json.loads(line) for line in server.log.read_text().splitlines()]
    return [line for line in parsed if line.get("trace_id") == trace]


@both_modes
@pytest.mark.parametrize(
    ("fields", "mode"),
    [
        ({"enable_thinking": False}, "off"),
        ({"enable_thinking": True}, "on"),
        (ADAPTIVE, "adaptive_thought"),  # vLLM has no span of the draft, which was cancelled
    ],
)
def test_a_request_is_one_trace_from_its_client_to_the_engine(
    server: Server, collected: Path, fields: dict[str, Any], mode: str
) -> None:
    trace = os.urandom(16).hex()
    usage = asked(server, trace, **fields)["usage"]
    spans = waited(trace, collected)
    (ours,) = [span for span in spans if span["name"].startswith("chat_completions ")]
    known = attributes(ours)
    assert known["hybrid_llm.mode"] == mode
    assert known["hybrid_llm.lane"] == ("quick" if mode == "off" else "thinking")
    assert known["hybrid_llm.key"] == "alice"
    assert known.get("hybrid_llm.thinking_budget") == {"off": None, "on": 5}.get(mode, 10)
    thinking = usage["completion_tokens_details"]["reasoning_tokens"]
    assert known["hybrid_llm.thinking_tokens"] == thinking
    assert known["gen_ai.usage.input_tokens"] == usage["prompt_tokens"]

    parents = {span["spanId"]: span["parentSpanId"] for span in spans}
    for span in spans:
        if span["name"] == "llm_request":
            above = parents[span["spanId"]]
            while above != ours["spanId"]:  # in the ingress mode Serve's own are between
                above = parents[above]
    top = ours["spanId"]
    while top in parents:
        top = parents[top]
    assert top == PARENT
    assert WORD not in json.dumps(spans)

    (line,) = lines(server, trace)
    assert (line["mode"], line["key"], line["request_id"]) == (mode, "alice", f"id-{trace[:8]}")
    assert line["thinking_tokens"] == thinking
    assert WORD not in server.log.read_text()


@both_modes
def test_a_refusal_is_traced_and_logged_with_its_reason(server: Server, collected: Path) -> None:
    trace = os.urandom(16).hex()
    refused = asked(server, trace, key=BOB, enable_thinking=True)
    assert refused["status"] == 403
    (ours,) = [s for s in waited(trace, collected, 0) if s["name"].startswith("chat_completions ")]
    known = attributes(ours)
    assert known["hybrid_llm.outcome"] == "refused"
    assert known["error.type"] == refused["error"]["code"]
    (line,) = lines(server, trace)
    assert (line["outcome"], line["reason"]) == ("refused", refused["error"]["code"])
