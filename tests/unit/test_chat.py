"""What a user of the terminal client sees.

`FakeServer` stands in for the server, because unit tests run without an engine and because a real
one can't be made to break off on cue. tests/serve runs the same clients against the real one.
"""

import contextlib
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk

import chat  # examples/chat.py

ROOT = Path(__file__).parents[2]
BOTH_NAMES = ("reasoning", "reasoning_content")
DROP = "drop the connection"
HOLD = "wait for release()"
# Before a Ctrl-C: Python notices a signal that comes in the instant before a blocking read only
# after that read. People are not that fast.
A_MOMENT = 0.2
# Settings of whoever runs the tests that would change what the tests see.
ABSENT = {"Q", "API_KEY", "MODEL", "NO_COLOR", "FORCE_COLOR", "PYTHONUNBUFFERED"}
USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 12,
    "total_tokens": 32,
    "completion_tokens_details": {"reasoning_tokens": 7},
}


def delta(finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return a streamed chunk with these fields in its delta."""
    choice = {"index": 0, "delta": fields, "finish_reason": finish_reason}
    return _chunk([choice])


def usage_chunk(**fields: Any) -> dict[str, Any]:
    """Return the chunk that ends a stream asked to include usage."""
    return _chunk([]) | {"usage": USAGE | fields}


def _chunk(choices: list[Any]) -> dict[str, Any]:
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return head | {"choices": choices}


def thinking_delta(text: str, names: tuple[str, ...] = BOTH_NAMES) -> dict[str, Any]:
    """Return a streamed chunk of thinking under these names."""
    return delta(**dict.fromkeys(names, text))


class FakeServer(ThreadingHTTPServer):
    """Answers as the endpoint does, or by `script`; see this module's docstring for why.

    Attributes:
        script: the stream's events instead of the usual ones: chunks, DROP, HOLD.
        refuse: (status, body) of an error response to chat completions.
        requests: the bodies of the chat completions asked for.
        authorization: the Authorization header of each request.
        listed: how often /v1/models was asked.
        holding: set when a stream has come to HOLD.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.script: list[Any] | None = None
        self.refuse: tuple[int, dict[str, Any]] | None = None
        self.requests: list[dict[str, Any]] = []
        self.authorization: list[str | None] = []
        self.listed = 0
        self.holding, self._released = threading.Event(), threading.Event()

    def hold(self) -> None:
        """Wait until the test calls release()."""
        self.holding.set()
        self._released.wait(20)

    def release(self) -> None:
        """Let streams at HOLD go on."""
        self._released.set()

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that hang up are part of the tests."""

    @classmethod
    @contextlib.contextmanager
    def running(cls) -> Iterator["FakeServer"]:
        """Serve in a thread."""
        with cls() as server:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            try:
                yield server
            finally:
                server.release()
                server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeServer

    def log_message(self, *_: object) -> None:
        """Keep the test's own output clean."""

    def do_GET(self) -> None:
        self.server.listed += 1
        models = [{"id": name, "object": "model"} for name in ("first-model", "second-model")]
        self._json(200, {"object": "list", "data": models})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append(request)
        self.server.authorization.append(self.headers["authorization"])
        if self.server.refuse:
            self._json(*self.server.refuse)
        elif request.get("stream"):
            self._stream(self.server.script or self._usual(request))
        else:
            if HOLD in (self.server.script or []):
                self.server.hold()
            self._json(200, self._whole(request))

    def _thinks(self, request: dict[str, Any]) -> bool:
        by_prompt = "/no_think" not in request["messages"][-1]["content"]
        return bool(request.get("chat_template_kwargs", {}).get("enable_thinking", by_prompt))

    def _usual(self, request: dict[str, Any]) -> list[Any]:
        thinking = [thinking_delta("\nCompare"), thinking_delta(" tenths.\n")]
        answer = [delta(content="\n\n7.8 is"), delta(content=" greater."), delta("stop")]
        start = [delta(role="assistant", content="")]
        usage = [usage_chunk()] if request.get("stream_options") else []
        return start + (thinking if self._thinks(request) else []) + answer + usage

    def _whole(self, request: dict[str, Any]) -> dict[str, Any]:
        thinking = dict.fromkeys(BOTH_NAMES, "Compare." if self._thinks(request) else None)
        message = {"role": "assistant", "content": f"{request['model']} says Paris."} | thinking
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return _chunk([choice]) | {"object": "chat.completion", "usage": USAGE}

    def _json(self, status: int, payload: object) -> None:
        body = json.dumps(payload).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, events: list[Any]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in events:
            if event == DROP:
                self.close_connection = True
                return
            if event == HOLD:
                self.server.hold()
            else:
                self._sse(json.dumps(event))
        self._sse("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _sse(self, data: str) -> None:
        body = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))
        self.wfile.flush()


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer.running() as fake:
        yield fake


Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ask(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ask:
    """Run the client; `typed` is its standard input. Returns (exit status, stdout, stderr)."""
    for name in ABSENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BASE_URL", server.url)

    def run(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        status = chat.main(list(arguments))
        return status, *capsys.readouterr()

    return run


def environment(server: FakeServer, **extra: str) -> dict[str, str]:
    """Return the environment of a client that runs as a process of its own."""
    kept = {k: v for k, v in os.environ.items() if k not in ABSENT}
    return kept | {"BASE_URL": server.url, "TERM": "xterm-256color"} | extra


def take_ctrl_c() -> None:
    """What a background job starts, a test run for instance, would ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(server: FakeServer, *arguments: str, **options: Any) -> subprocess.Popen[Any]:
    """Start the client as a process of its own, for what only a process can show."""
    command = [sys.executable, str(ROOT / "examples" / "chat.py"), *arguments]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    settings = {"env": environment(server), "cwd": ROOT, "preexec_fn": take_ctrl_c, **pipes}
    return subprocess.Popen(command, **(settings | options))


# --- what is printed ----------------------------------------------------------------------------


def test_thinking_then_answer(ask: Ask) -> None:
    status, out, err = ask("What is greater between 7.8 and 7.11 ?")
    assert status == 0
    assert out == "7.8 is greater.\n"
    thinking, usage = err.split("\n\n")
    assert thinking == "Compare tenths."
    assert re.fullmatch(
        r"thinking 7 tokens \(first after \d+\.\d\d s\), "
        r"answer 5 tokens \(first after \d+\.\d\d s\), \d+\.\d\d s in all\n",
        usage,
    )


@pytest.mark.parametrize("question", [["hi /no_think"], ["--no-think", "hi"]])
def test_no_thinking(ask: Ask, server: FakeServer, question: list[str]) -> None:
    status, out, err = ask(*question)
    assert (status, out) == (0, "7.8 is greater.\n")
    assert err.startswith("thinking 7 tokens, answer 5 tokens (first after ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("names", [BOTH_NAMES, ("reasoning",), ("reasoning_content",)])
def test_thinking_is_shown_once_whatever_its_name(
    ask: Ask, server: FakeServer, names: tuple[str, ...]
) -> None:
    server.script = [thinking_delta("Hm.", names), delta("stop", content="Yes."), usage_chunk()]
    _, out, err = ask("sure?")
    assert out == "Yes.\n"
    assert err.count("Hm.") == 1


def test_white_space_is_no_thinking(ask: Ask, server: FakeServer) -> None:
    server.script = [thinking_delta("\n\n"), delta("stop", content="\n\nYes."), usage_chunk()]
    _, out, err = ask("sure?")
    assert out == "Yes.\n"
    assert err.startswith("thinking 7 tokens, answer")


def test_newlines_are_trimmed_at_the_ends_only_however_the_text_is_split() -> None:
    text = "\n\n  def f():\n\n\n    pass\n\n"
    for size in range(1, len(text) + 1):
        parts = [text[i : i + size] for i in range(0, len(text), size)]
        chunks = [delta(content=part) for part in parts] + [delta("stop")]
        events = chat.fold(map(ChatCompletionChunk.model_validate, chunks), lambda: 0.0)
        pieces = [event.text for event in events if isinstance(event, chat.Piece)]
        assert "".join(pieces) == "  def f():\n\n\n    pass", size


def test_first_times_are_those_of_the_first_visible_text() -> None:
    chunks = [thinking_delta("\n"), thinking_delta("a"), thinking_delta("b"), delta(content="c")]
    clock = iter([0.5, 1.25, 2.0])
    parsed = map(ChatCompletionChunk.model_validate, [*chunks, delta("stop"), usage_chunk()])
    *_, end = chat.fold(parsed, lambda: next(clock))
    assert isinstance(end, chat.End)
    assert (end.first, end.total) == ({"thinking": 0.5, "answer": 1.25}, 2.0)


@pytest.mark.parametrize(
    ("usage", "first", "line"),
    [
        (USAGE, {"thinking": 0.5, "answer": 1.25}, "thinking 7 tokens (first after 0.50 s), answer 5 tokens (first after 1.25 s), 2.00 s in all"),  # noqa: E501
        (USAGE | {"completion_tokens_details": {"reasoning_tokens": 11}}, {}, "thinking 11 tokens, answer 1 token, 2.00 s in all"),  # noqa: E501
        (USAGE | {"completion_tokens_details": None}, {"answer": 1.0}, "thinking 0 tokens, answer 12 tokens (first after 1.00 s), 2.00 s in all"),  # noqa: E501
        (USAGE | {"completion_tokens_details": None}, {"thinking": 1.0}, "thinking ? tokens (first after 1.00 s), answer ? tokens, 2.00 s in all"),  # noqa: E501
        (None, {}, "thinking ? tokens, answer ? tokens, 2.00 s in all"),
    ],
)  # fmt: skip
def test_usage_line(usage: Any, first: dict[chat.Kind, float], line: str) -> None:
    counted = CompletionUsage.model_validate(usage) if usage else None
    assert chat.usage_line(chat.End("stop", counted, first, 2.0)) == line
    cut = chat.usage_line(chat.End("length", counted, first, 2.0))
    assert cut == line + ", stopped at the token limit"


def test_escape_sequences_of_the_model_do_not_reach_the_terminal(
    ask: Ask, server: FakeServer
) -> None:
    evil = "a\x1b]0;title\x07\x9b2J\tb"
    server.script = [thinking_delta(evil), delta("stop", content=evil), usage_chunk()]
    _, out, err = ask("hi")
    assert out == "a]0;title2J\tb\n"
    assert not set("\x1b\x07\x9b") & set(out + err)


# --- what is asked ------------------------------------------------------------------------------


def test_plain_request_leaves_thinking_and_sampling_to_the_server(
    ask: Ask, server: FakeServer
) -> None:
    ask("hi")
    assert server.requests == [
        {
            "model": "first-model",
            "messages": [{"role": "user", "content": "hi"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]
    assert server.authorization == ["Bearer FAKE_KEY"]


def test_options_are_passed_on(
    ask: Ask, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", "k-1")
    sampling = ["--temperature", "0", "--max-tokens", "99"]
    ask("hi", "--no-think", "--budget", "0", "--system", "Be brief.", "--model", "m", *sampling)
    (request,) = server.requests
    assert request["model"] == "m"
    assert request["messages"][0] == {"role": "system", "content": "Be brief."}
    assert request["chat_template_kwargs"] == {"enable_thinking": False}
    assert request["thinking_token_budget"] == 0
    assert (request["temperature"], request["max_tokens"]) == (0, 99)
    assert server.authorization == ["Bearer k-1"]
    assert server.listed == 0


@pytest.mark.parametrize(
    "arguments", [["--budget", "-1"], ["--budget", "many"], ["--base-url", "localhost:8000"]]
)
def test_bad_arguments(ask: Ask, server: FakeServer, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        ask("hi", *arguments)
    assert stop.value.code == 2
    assert server.requests == []


def test_the_address_may_be_given_with_or_without_v1(ask: Ask, server: FakeServer) -> None:
    for suffix in ("", "/", "/v1", "/v1/"):
        assert ask("hi", "--base-url", server.url + suffix)[0] == 0


# --- what goes wrong ----------------------------------------------------------------------------

FAILURE = {"error": {"message": "The server failed.", "type": "server_error", "code": None}}


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ([FAILURE], "The server failed."),
        ([DROP], ""),
        ([], "the server ended the stream early"),
    ],
)
def test_a_broken_off_answer(ask: Ask, server: FakeServer, ending: list[Any], reason: str) -> None:
    server.script = [thinking_delta("Hm."), delta(content="It is"), *ending]
    status, out, err = ask("hi")
    assert status == 1
    assert out == "It is\n"
    assert err.startswith("Hm.\n\nerror: the answer broke off: " + reason)
    assert err.count("\n") == 3


def test_wrong_key(ask: Ask, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "not-the-right-one")
    server.refuse = 401, {"error": {"message": "Unknown API key.", "code": "invalid_api_key"}}
    status, out, err = ask("hi")
    assert (status, out) == (1, "")
    assert err == (
        "error: 401: Unknown API key. (the key is read from the environment variable API_KEY)\n"
    )


@pytest.mark.parametrize("code", [400, 404, 503])
def test_refused_request(ask: Ask, server: FakeServer, code: int) -> None:
    server.refuse = code, {"error": {"message": "Two\nlines.", "type": "x"}}
    assert ask("hi") == (1, "", f"error: {code}: Two lines.\n")
    assert len(server.requests) == 1


def test_nothing_listens(ask: Ask) -> None:
    with FakeServer() as closed:
        pass
    status, out, err = ask("hi", "--base-url", closed.url)
    assert (status, out) == (1, "")
    assert err.startswith(f"error: nothing answers at {closed.url}/v1; is `make run` up?")
    assert err.count("\n") == 1


# --- conversations ------------------------------------------------------------------------------


def contents(request: dict[str, Any]) -> list[str]:
    return [message["content"] for message in request["messages"]]


def test_conversation_has_the_answers_but_not_the_thinking(ask: Ask, server: FakeServer) -> None:
    status, out, _ = ask("--system", "S", typed="one\n\ntwo\n/clear\nthree /think\n/exit\nfour\n")
    assert status == 0
    assert out == "7.8 is greater.\n" * 3
    assert [contents(request) for request in server.requests] == [
        ["S", "one"],
        ["S", "one", "7.8 is greater.", "two"],
        ["S", "three /think"],
    ]


def test_toggles(ask: Ask, server: FakeServer) -> None:
    _, _, err = ask(typed="a\n/no_think\nb\n/think\nc")
    asked = [request.get("chat_template_kwargs") for request in server.requests]
    assert asked == [None, {"enable_thinking": False}, {"enable_thinking": True}]
    assert err.index("thinking is off") < err.index("thinking is on")


def test_help_and_unknown_commands_ask_nothing(ask: Ask, server: FakeServer) -> None:
    _, out, err = ask(typed="/help\n/thnk\n")
    assert server.requests == []
    assert out == ""
    assert all(command in err for command in ("/think", "/no_think", "/clear", "/exit"))
    assert "no such command: /thnk" in err


def test_conversation_goes_on_after_an_error(ask: Ask, server: FakeServer) -> None:
    server.script = [delta(content="It is"), DROP]

    def lines() -> Iterator[str]:
        yield "one"
        server.script = None
        yield "two"

    options = chat._options([])
    with chat.openai.OpenAI(base_url=options.base_url, api_key="k", max_retries=0) as client:
        chat.converse(chat.Chat(client, options), lines(), chat.Screen())
    assert contents(server.requests[-1]) == ["two"]


# --- processes: pipes, terminals, signals -------------------------------------------------------


def test_piped_output_is_plain_and_the_question_may_come_from_q(server: FakeServer) -> None:
    question = """What's "7.8 > 7.11"; $HOME `id` ?"""
    with start(server, env=environment(server, Q=question), text=True) as client:
        out, err = client.communicate(timeout=20)
    assert client.returncode == 0
    assert contents(server.requests[0]) == [question]
    assert out == "7.8 is greater.\n"
    assert err.startswith("Compare tenths.\n\nthinking 7 tokens")
    assert "\x1b" not in out + err


def test_pieces_are_printed_as_they_come_and_ctrl_c_ends_a_one_shot(server: FakeServer) -> None:
    server.script = [thinking_delta("Hm."), delta(content="It is"), HOLD, delta("stop")]
    with start(server, "hi") as client:
        assert client.stdout and client.stderr
        assert client.stdout.read(5) == b"It is"
        assert server.holding.wait(5)
        time.sleep(A_MOMENT)
        client.send_signal(signal.SIGINT)
        _, err = client.communicate(timeout=20)
    assert client.returncode == 130
    assert err == b"Hm.\n\nstopped\n"


def test_a_reader_that_leaves_early_is_no_crash(server: FakeServer) -> None:
    server.script = [delta(content="a"), HOLD, *[delta(content="b\n")] * 9, delta("stop")]
    with start(server, "hi") as client:
        assert client.stdout and client.stderr
        assert client.stdout.read(1) == b"a"
        client.stdout.close()
        server.release()
        assert client.wait(20) == 1
        assert client.stderr.read() == b""


class Terminal:
    """The client in a terminal, as a person has it."""

    def __init__(self, server: FakeServer) -> None:
        self.fd, inner = pty.openpty()
        ends = {"stdin": inner, "stdout": inner, "stderr": inner}
        # A session of its own, so that the terminal's Ctrl-C reaches the client and nobody else.
        self.client = start(server, start_new_session=True, preexec_fn=self._control, **ends)
        os.close(inner)
        self.seen = ""

    @staticmethod
    def _control() -> None:
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        take_ctrl_c()

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def ctrl_c(self) -> None:
        time.sleep(A_MOMENT)
        self.type("\x03")

    def until(self, text: str) -> str:
        """Read on until `text` appears; return all since the last call."""
        deadline = time.monotonic() + 20
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"no {text!r} in {self.seen!r}"
            self.seen += os.read(self.fd, 4096).decode()
        before, self.seen = self.seen.split(text, 1)
        return before + text

    def close(self) -> None:
        """End the client, whatever it is at."""
        self.client.kill()
        self.client.wait()
        os.close(self.fd)


@pytest.fixture
def terminal(server: FakeServer) -> Iterator[Terminal]:
    opened = Terminal(server)
    yield opened
    opened.close()


def test_in_a_terminal(server: FakeServer, terminal: Terminal) -> None:
    terminal.until("> ")
    terminal.type("one\r")
    shown = terminal.until("s in all")
    assert "\x1b[2mCompare" in shown
    assert "\n7.8 is greater.\r\n" in shown, "the answer has no style"

    server.script = [delta(content="It is"), HOLD, delta("stop")]
    terminal.type("two\r")
    terminal.until("It is")
    terminal.ctrl_c()  # stops this answer ...
    terminal.until("stopped")

    server.script = None  # ... and the conversation goes on
    terminal.until("> ")
    terminal.type("half a line")
    terminal.until("half a line")
    terminal.ctrl_c()  # at the prompt it drops the line
    terminal.until("> ")
    terminal.type("three\r")
    terminal.until("s in all")
    terminal.until("> ")
    terminal.type("\x04")  # Ctrl-D leaves
    assert terminal.client.wait(20) == 0
    said = ["one", "7.8 is greater.", "two", "It is", "three"]
    assert contents(server.requests[-1]) == said
