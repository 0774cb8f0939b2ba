"""The tutorial's clients, run as a reader runs them, against a stand-in for the server.

What the real server answers them is tested in tests/serve.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_chat import FAILURE, HOLD, FakeServer, environment

EXAMPLES = Path(__file__).parents[2] / "examples"
CURL_COMMANDS = sorted(EXAMPLES.glob("*.sh"))
FILES = [*sorted(EXAMPLES.glob("client_*.py")), *CURL_COMMANDS]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer.running() as fake:
        yield fake


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(server: FakeServer, tmp_path: Path) -> Run:
    """Copy one example, alone, to an empty folder, as readers do, and run it there."""

    def copy_and_run(name: str, **env: str) -> subprocess.CompletedProcess[str]:
        copy = shutil.copy(EXAMPLES / name, tmp_path)
        return subprocess.run(
            [sys.executable, copy] if name.endswith(".py") else [copy],
            cwd=tmp_path,
            env=environment(server, **env),
            capture_output=True,
            text=True,
            timeout=20,
        )

    return copy_and_run


def test_thinking_enabled(run: Run, server: FakeServer) -> None:
    done = run("client_thinking_enabled.py")
    assert done.stderr == ""
    assert done.stdout == "Reasoning: \nCompare.\n\n\nAnswer: \n my-qwen-3-32b says Paris.\n"
    assert server.authorization == ["Bearer FAKE_KEY"]
    assert server.requests == [
        {
            "model": "my-qwen-3-32b",
            "messages": [{"role": "user", "content": "What's the capital of France ?"}],
            "chat_template_kwargs": {"enable_thinking": True},
        }
    ]


def test_thinking_disabled(run: Run, server: FakeServer) -> None:
    done = run("client_thinking_disabled.py")
    assert done.stderr == ""
    assert done.stdout == "Reasoning: \nNone\n\n\nAnswer: \n my-qwen-3-32b says Paris.\n"
    assert server.requests[0]["chat_template_kwargs"] == {"enable_thinking": False}


def test_streaming(run: Run, server: FakeServer) -> None:
    done = run("client_streaming.py")
    assert done.stderr == ""
    assert done.stdout == "\nCompare tenths.\n\n\n7.8 is greater.\n"
    (request,) = server.requests
    assert request["messages"][0]["content"] == (
        "I need to plan a trip to Paris from Seattle. Can you help me research flight costs, "
        "create an itinerary for 3 days, and suggest restaurants based on my dietary "
        "restrictions (vegetarian)?"
    )
    assert request["stream"] is True


@pytest.mark.parametrize(
    ("name", "suffix", "thinking"),
    [("curl_think.sh", "/think", '"Compare."'), ("curl_no_think.sh", "/no_think", "null")],
)
def test_curl(run: Run, server: FakeServer, name: str, suffix: str, thinking: str) -> None:
    done = run(name)
    assert (done.returncode, done.stderr) == (0, "")
    assert f'"reasoning_content": {thinking}' in done.stdout
    question = f"What is greater between 7.8 and 7.11 ? {suffix}"
    assert server.authorization == ["Bearer FAKE_KEY"]
    expected = {"model": "my-qwen-3-32b", "messages": [{"role": "user", "content": question}]}
    assert server.requests == [expected]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_environment_and_http_errors(run: Run, server: FakeServer, path: Path) -> None:
    server.refuse = 401, {"error": {"message": "Unknown API key."}}
    done = run(path.name, API_KEY="k-1", MODEL="another", BASE_URL=server.url + "/")
    assert server.authorization == ["Bearer k-1"]
    assert server.requests[0]["model"] == "another"
    assert done.returncode != 0
    assert "Unknown API key." in done.stdout + done.stderr
    assert "401" in done.stderr


def test_an_error_in_mid_stream_is_a_failure(run: Run, server: FakeServer) -> None:
    server.script = [FAILURE]
    done = run("client_streaming.py")
    assert done.returncode != 0
    assert "The server failed." in done.stderr


@pytest.mark.parametrize("path", CURL_COMMANDS, ids=lambda path: path.name)
def test_the_key_is_in_no_process_arguments(server: FakeServer, path: Path) -> None:
    key = "sk-" + os.urandom(8).hex()
    server.script = [HOLD]
    with subprocess.Popen(
        [path], env=environment(server, API_KEY=key), stdout=subprocess.DEVNULL
    ) as client:
        assert server.holding.wait(10)
        lines = [_arguments(process) for process in Path("/proc").glob("[0-9]*")]
        server.release()
        assert client.wait(10) == 0
    assert any(server.url in line for line in lines), "curl was not among the processes"
    assert not [line for line in lines if key in line]
    assert server.authorization == [f"Bearer {key}"]


def _arguments(process: Path) -> str:
    try:
        return (process / "cmdline").read_text(errors="replace")
    except OSError:  # it ended meanwhile
        return ""


def test_the_readme_lists_each_file() -> None:
    readme = (EXAMPLES / "README.md").read_text()
    assert len(FILES) == 5
    assert [path.name for path in FILES if f"| `{path.name}` |" not in readme] == []
