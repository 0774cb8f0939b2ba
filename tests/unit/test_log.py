"""The request log: what a line has, and what none has."""

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from asgi_client import ask, http, stream
from test_metering import STREAM

from app.answers.ends import End
from app.answers.log import PATH, RequestLog, request_log
from app.answers.metering import Metering
from app.scope import Call, with_call
from app.thinking.decision import Decision
from app.thinking.draft import Draft

CALL = Call(
    *(Decision(True, 100), "my-model", "responses", "alice", "both", 0),
    streamed=True,
    request_id="req-1",
    lanes=True,
)
DRAFT = Draft({}, 0.9, 64, False, False, outcome="thought", written=7, confidence=0.41239)


def written(call: Call, end: End | None = None, **more: Any) -> dict[str, Any]:
    """Return the line of a request that has ended so, or that was refused for the `reason`."""
    lines: list[bytes] = []
    log = RequestLog(lines.append)
    if end:
        log.ended(call, end)
    else:
        log.refused(call, **more)
    (line,) = lines
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    parsed: dict[str, Any] = json.loads(line)
    return parsed


def test_a_line_has_the_decision_the_tokens_and_the_times() -> None:
    line = written(CALL, End("ok", (20, 10), 9, {"thinking": 0.5, "answer": 2.00006}))
    assert line.pop("time").endswith("+00:00")
    assert line.pop("seconds") > 0
    assert line == {
        "request_id": "req-1",
        "key": "alice",
        "model": "my-model",
        "surface": "responses",
        "streamed": True,
        "mode": "on",
        "lane": "thinking",
        "budget": 100,
        "outcome": "ok",
        "prompt_tokens": 9,
        "thinking_tokens": 20,
        "answer_tokens": 10,
        "seconds_to_first_thinking_token": 0.5,
        "seconds_to_first_answer_token": 2.0001,
    }


def test_a_line_of_an_adaptive_request_says_what_became_of_its_draft() -> None:
    call = Call(*(Decision(True, draft={}), "m", "messages", "", "both", 0), draft=DRAFT)
    line = written(call, End("ok", (20, 10), 9))
    assert (line["mode"], line["draft_tokens"]) == ("adaptive_thought", 7)
    assert line["draft_confidence"] == 0.4124
    assert not {"key", "lane", "budget"} & set(line)


def test_a_line_of_a_refusal_says_why() -> None:
    line = written(CALL, reason="thinking_not_allowed")
    assert (line["outcome"], line["reason"]) == ("refused", "thinking_not_allowed")
    assert not {"mode", "thinking_tokens"} & set(line)


def test_what_is_not_known_is_left_out() -> None:
    line = written(CALL, End("cancelled"))
    assert line["outcome"] == "cancelled"
    assert not [name for name in line if "tokens" in name or "first" in name]


def test_nothing_of_what_is_answered_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[bytes] = []
    answer = [event.replace(b'"4"', b'"SECRET"').replace(b"Hm", b"SECRET") for event in STREAM]
    response = ask(Metering(stream(answer), RequestLog(lines.append)), with_call(http(), CALL))
    assert b"SECRET" in response.body
    assert len(lines) == 1
    assert b"SECRET" not in lines[0]
    assert json.loads(lines[0])["answer_tokens"] == 10


def test_a_log_that_nobody_reads_holds_up_nothing_and_says_what_it_lost(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.environ[PATH] = str(pipe)
    try:
        log = request_log()
    finally:
        del os.environ[PATH]
    assert log
    for _ in range(2000):  # more than a pipe holds
        log.ended(CALL, End("ok"))
    read = os.read(reader, 1 << 20)
    log.ended(CALL, End("ok"))
    last = json.loads(os.read(reader, 1 << 20).splitlines()[-1])
    os.close(reader)
    whole = [json.loads(line) for line in read.splitlines()]
    assert last["lines_lost_before"] == 2000 - len(whole) > 0


def test_a_full_disk_fails_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATH, "/dev/full")
    log = request_log()
    assert log
    response = ask(Metering(stream(STREAM), log), with_call(http(), CALL))
    assert response.body == b"".join(STREAM)


def test_a_file_is_appended_to_and_nobody_else_may_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "requests.jsonl"
    monkeypatch.setenv(PATH, str(path))
    for _ in range(2):
        log = request_log()
        assert log
        log.ended(CALL, End("ok"))
    assert len(path.read_text().splitlines()) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_there_is_none_by_default_and_one_that_cannot_be_written_fails_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PATH, raising=False)
    assert request_log() is None
    monkeypatch.setenv(PATH, str(tmp_path / "missing" / "log"))
    with pytest.raises(OSError) as raised:
        request_log()
    assert raised.value.errno == errno.ENOENT
