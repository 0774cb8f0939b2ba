"""The tutorial's clients and curl commands, as a reader runs them."""

import json
import os
import subprocess
import sys

from .conftest import KEY, MODEL, ROOT, Server


def run(server: Server, *command: str, **environment: str) -> str:
    """Run a command with the server's address and key, and return what it prints."""
    variables = {"BASE_URL": server.base_url, "API_KEY": KEY, "MODEL": MODEL, **environment}
    finished = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_client_thinking_enabled(server):
    reasoning, answer = run(server, sys.executable, "examples/client_thinking_enabled.py").split(
        "Answer:"
    )
    assert "capital" in reasoning.removeprefix("Reasoning:")
    assert answer.strip() == "The capital of France is Paris."


def test_client_thinking_disabled(server):
    reasoning, answer = run(server, sys.executable, "examples/client_thinking_disabled.py").split(
        "Answer:"
    )
    assert reasoning.removeprefix("Reasoning:").strip() == "None"
    assert answer.strip() == "The capital of France is Paris."


def test_client_streaming(server):
    printed = run(server, sys.executable, "examples/client_streaming.py")
    assert "Seattle" in printed  # in the thinking
    assert "Day 3" in printed  # in the answer
    assert "None" not in printed


def test_curl_think(server):
    message = json.loads(run(server, "bash", "examples/curl_think.sh"))["choices"][0]["message"]
    assert message["reasoning"] == message["reasoning_content"]
    assert "7.8 > 7.11" in message["reasoning_content"]
    assert message["content"].strip() == "7.8 is greater than 7.11."


def test_curl_no_think(server):
    message = json.loads(run(server, "bash", "examples/curl_no_think.sh"))["choices"][0]["message"]
    assert message["reasoning"] is None
    assert message["reasoning_content"] is None
    assert message["content"].strip() == "7.8 is greater than 7.11."


def test_make_chat(server):
    printed = run(server, "make", "chat", Q="What is 347 * 86?", BASE_URL=server.base_url)
    assert "29842" in printed
