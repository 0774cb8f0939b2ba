"""`make calibrate` as it is run, against a stand-in that streams as vLLM does.

tests/serve has no part of this: what a model answers there is not for a test to say.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from calibrate import asking
from calibrate.__main__ import main

ROOT = Path(__file__).parents[2]
KEY = "sk-secret-of-the-test"
HARD = "What is 347 * 86?"
EASY = "What is 2 + 2?"
QUESTIONS = [
    {"question": EASY, "answer": "4", "grade": "number"},
    {"question": HARD, "answer": "29842", "grade": "number"},
]


class Server(ThreadingHTTPServer):
    """Answers EASY rightly and HARD only when it thinks; with `failures` first, one a request.

    Attributes:
        failures: statuses, "cut" for a stream that ends early, "error" for one with an error.
        requests: bodies.
        hold: a request with it in its question never gets an answer; `held` says there is one.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.failures: list[int | str] = []
        self.requests: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.adaptive, self.logprobs, self.hold = True, True, "\0"
        self.held = threading.Event()

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that hang up are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        """Keep the test's own output clean."""

    def do_GET(self) -> None:
        models = [{"id": name, "object": "model"} for name in ("m:think", "m")]
        self.reply(json.dumps({"object": "list", "data": models}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.keys.add(self.headers["authorization"])
        failure = self.server.failures.pop(0) if self.server.failures else ""
        if isinstance(failure, int):
            message = f"No, {self.headers['authorization']}."
            return self.reply(json.dumps({"error": {"message": message}}), failure)
        self.server.requests.append(body)
        question = body["messages"][-1]["content"]
        if self.server.hold in question:
            self.server.held.set()
            threading.Event().wait(20)
        adaptive = "thinking" in body
        thinks = HARD in question if adaptive else body["chat_template_kwargs"]["enable_thinking"]
        text = ("= 29,842" if thinks else "= 29811") if HARD in question else "= 4"
        sure = 0.99 if question == EASY else 0.4
        outcome = f"{'thought' if thinks else 'answered'};confidence={sure};draft-tokens=2"
        events = list(self.events(text, thinks, sure, bool(body.get("logprobs"))))
        if failure == "cut":
            del events[2:]
        if failure == "error":
            events[2:] = [{"error": {"message": "engine dead"}}]
        lines = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        more = {"adaptive-thinking": outcome} if adaptive and self.server.adaptive else {}
        self.reply(lines + "data: [DONE]\n\n", 200, **more)

    def events(self, text: str, thinks: bool, sure: float, logprobs: bool) -> Iterator[Any]:
        def chunk(finish: str | None, *logprob: float, **delta: str) -> Any:
            choice: Any = {"index": 0, "delta": delta, "finish_reason": finish}
            if logprobs and self.server.logprobs:
                choice["logprobs"] = {"content": [{"token": "x", "logprob": p} for p in logprob]}
            return {"id": "c", "object": "chat.completion.chunk", "choices": [choice]}

        yield chunk(None, role="assistant", content="")
        if thinks:
            yield chunk(None, reasoning="Well.")
        yield chunk(None, -0.001, -1 + sure, content=text)  # two tokens in one chunk
        yield chunk("stop", -0.0001, content="")
        usage: Any = {"prompt_tokens": 9, "completion_tokens": 40 if thinks else 3}
        usage["completion_tokens_details"] = {"reasoning_tokens": 37 if thinks else 0}
        yield {"id": "c", "object": "chat.completion.chunk", "choices": [], "usage": usage}

    def reply(self, text: str, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        kind = "text/event-stream" if text.startswith("data") else "application/json"
        length = str(len(text.encode()))
        for name, value in {"content-type": kind, "content-length": length, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("BASE_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("API_KEY", KEY)
        monkeypatch.delenv("MODEL", raising=False)
        monkeypatch.setattr(asking, "LONGEST_WAIT", 0.0)
        yield server
        server.shutdown()


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(question) + "\n" for question in QUESTIONS))
    return path


Captured = pytest.CaptureFixture[str]


def run(questions: Path, *arguments: str) -> int:
    out = questions.with_name("out.jsonl")
    return main([str(questions), "--out", str(out), "--budgets", "64", *arguments])


def records(questions: Path) -> list[Any]:
    return [json.loads(line) for line in questions.with_name("out.jsonl").open()]


def test_each_question_is_asked_in_each_way_and_reported(
    server: Server, questions: Path, capsys: Captured
) -> None:
    assert run(questions, "--verify", "--max-tokens", "99") == 0
    asked = [request for request in server.requests if request["messages"][0]["content"] == HARD]
    common = {"model": "m", "temperature": 0, "max_tokens": 99, "stream": True}
    assert all(common.items() <= request.items() for request in asked)
    ways = ["chat_template_kwargs", "thinking_token_budget", "thinking", "logprobs"]
    ways.append("return_token_ids")  # of the draft alone
    off, on = {"enable_thinking": False}, {"enable_thinking": True}
    found = [{way: request[way] for way in ways if way in request} for request in asked]
    assert sorted(found, key=str) == sorted(
        [
            {"chat_template_kwargs": off, "logprobs": True, "return_token_ids": True},
            {"chat_template_kwargs": on},
            {"chat_template_kwargs": on, "thinking_token_budget": 64},
            {"thinking": {"type": "adaptive"}},
        ],
        key=str,
    )
    head, *answers = records(questions)
    assert head["settings"]["model"] == "m"
    (draft,) = [a for a in answers if a["arm"] == "off" and a["text"] == "= 29811"]
    assert draft["logprobs"] == [-0.001, -0.6, -0.0001]
    assert len(draft["at"]) == 3 and draft["at"] == sorted(draft["at"])
    text = questions.with_name("out.md").read_text()
    cells = [line.split(" | ") for line in text.splitlines()]
    table = {cell[0].strip("| "): [c.split(" (")[0].strip("| ") for c in cell] for cell in cells}
    assert table["off"][1:3] == ["50.0 %", "3.0"]
    assert table["on"][1:3] == ["100.0 %", "40.0"]
    assert table["adaptive 0.9"][1:3] == ["100.0 %", "22.5"]  # 3 and 2 + 40 tokens
    assert table["adaptive 0.9"][4:] == ["50.0 %", "75.0 %", "0 of 1"]
    assert table["adaptive, as served"][4] == "50.0 %"
    assert "(AUROC): 1.000" in text and "out.svg" in text
    assert capsys.readouterr().out.strip() in text
    ET.parse(questions.with_name("out.svg"))


def test_the_server_s_sampling_is_left_to_it(server: Server, questions: Path) -> None:
    assert run(questions, "--sampling", "recommended") == 0
    fields = {"temperature", "top_p", "top_k", "seed", "max_tokens"}
    assert not [request for request in server.requests if request.keys() & fields]


def test_without_answers_the_report_says_so(
    server: Server, questions: Path, capsys: Captured
) -> None:
    questions.write_text(f'{{"question": "{HARD}", "grade": "number"}}\n')
    assert run(questions) == 0
    out = capsys.readouterr().out
    assert "**No right answers were given.**" in out
    assert "| off | 0.0 %" in out and "| on | 100.0 %" in out


def test_what_was_asked_is_not_asked_again(server: Server, questions: Path) -> None:
    assert run(questions) == 0
    assert len(server.requests) == 6
    path = questions.with_name("out.jsonl")
    *kept, last = path.read_text().splitlines(keepends=True)
    path.write_text("".join(kept) + last[:9])  # killed while it wrote
    assert run(questions) == 0
    assert len(server.requests) == 7
    assert run(questions, "--verify", "--budgets", "") == 0
    assert len(server.requests) == 9
    assert len(records(questions)) == 9


def test_it_is_worked_out_again_without_a_server(
    server: Server, questions: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(questions) == 0
    first = capsys.readouterr().out
    monkeypatch.setenv("BASE_URL", "http://127.0.0.1:1")
    assert run(questions, "--again") == 0
    assert capsys.readouterr().out == first
    assert run(questions, "--again", "--draft-tokens", "1") == 0
    assert "| adaptive 0.9 | 50.0 %" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "model", "reason"),
    [
        (["--sampling", "recommended"], "m", "sampling greedy, not recommended"),
        (["--max-tokens", "9"], "m", "max_tokens None, not 9"),
        ([], "other", "model m, not other"),
    ],
)
def test_other_settings_are_refused(
    server: Server,
    questions: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    model: str,
    reason: str,
) -> None:
    assert run(questions) == 0
    before = questions.with_name("out.jsonl").read_text()
    monkeypatch.setenv("MODEL", model)
    assert run(questions, *arguments) == 1
    said = capsys.readouterr().err
    assert reason in said and "name another --out" in said
    assert questions.with_name("out.jsonl").read_text() == before


@pytest.mark.parametrize("text", ["mine\n", "mine", "{}\n{}", "\n"])
def test_another_file_is_not_overwritten(
    server: Server, questions: Path, capsys: Captured, text: str
) -> None:
    other = questions.with_name("out.jsonl")
    other.write_text(text)
    assert run(questions) == 1
    assert "not written by this tool" in capsys.readouterr().err
    assert other.read_text() == text
    with pytest.raises(SystemExit):
        main([str(questions), "--out", "notes.md"])


@pytest.mark.parametrize("failure", [429, 503, "cut", "error"])
def test_what_may_pass_is_asked_again(
    server: Server, questions: Path, failure: int | str, capsys: Captured
) -> None:
    server.failures = [failure, failure]
    assert run(questions) == 0
    assert len(records(questions)) == 7


def test_what_does_not_pass_stops(server: Server, questions: Path, capsys: Captured) -> None:
    server.failures = [503] * 99
    assert run(questions) == 1
    assert "503: No, Bearer ***. (after 6 retries)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "way_out"),
    [(401, "API_KEY"), (403, "API_KEY"), (404, "is BASE_URL right"), (400, "No, Bearer ***.")],
)
def test_what_cannot_pass_stops_at_once(
    server: Server, questions: Path, status: int, way_out: str, capsys: Captured
) -> None:
    server.failures = [status] * 99
    assert run(questions, "--concurrency", "1") == 1
    said = capsys.readouterr().err
    assert f"error: {status}: " in said and way_out in said
    assert len(server.failures) == 98


@pytest.mark.parametrize(
    ("missing", "reason"), [("adaptive", "no adaptive thinking"), ("logprobs", "no log probab")]
)
def test_a_server_that_lacks_what_is_needed(
    server: Server, questions: Path, missing: str, reason: str, capsys: Captured
) -> None:
    setattr(server, missing, False)
    assert run(questions, "--verify") == 1
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1", "nothing answers at http://127.0.0.1:1/v1/"),
        ("127.0.0.1:8000", "BASE_URL is no http(s)://"),
        ("http://me:secret@127.0.0.1", "without a password"),
    ],
)
def test_no_server(
    questions: Path, url: str, reason: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASE_URL", url)
    assert run(questions) == 1
    said = capsys.readouterr().err
    assert reason in said and "secret" not in said


def test_bad_questions_are_refused_before_anything_is_asked(
    server: Server, questions: Path, capsys: Captured
) -> None:
    with questions.open("a") as file:
        file.write('{"question": "?"}\n')
    assert run(questions) == 1
    assert f"{questions}:3: " in capsys.readouterr().err
    assert not server.requests


def test_the_key_is_sent_and_nowhere_else(
    server: Server, questions: Path, capsys: Captured
) -> None:
    server.failures = [429]
    assert run(questions) == 0
    server.failures = [401]
    assert run(questions, "--verify") == 1
    assert server.keys == {f"Bearer {KEY}"}
    written = "".join(map(str, capsys.readouterr()))
    written += "".join(path.read_text() for path in questions.parent.iterdir())
    assert KEY not in written


def test_ctrl_c_keeps_what_was_asked(server: Server, questions: Path) -> None:
    server.hold = "347"
    command = [sys.executable, "-m", "tools.calibrate", str(questions), "--budgets", ""]
    out = questions.with_name("out.jsonl")
    with subprocess.Popen(
        [*command, "--out", str(out), "--concurrency", "1"],
        cwd=ROOT,
        env=dict(os.environ),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert server.held.wait(60)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "the same command goes on" in said and "Traceback" not in said
    assert [record.get("arm") for record in records(questions)] == [None, "off", "on"]
