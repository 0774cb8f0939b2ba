"""Anthropic's own clients: what an agent does with them beside asking, and typed errors."""

from typing import Any

import pytest

from .conftest import Server
from .test_clients import CLIENTS, printed

SCRIPTS = {
    "python": CLIENTS / "python" / "more" / "anthropic_messages.py",
    "typescript": CLIENTS / "node" / "more" / "anthropic_messages.mjs",
}
ERRORS = {
    "wrong_key": ("AuthenticationError", "authentication_error"),
    "unknown_model": ("NotFoundError", "not_found_error"),
    "bad_request": ("BadRequestError", "invalid_request_error"),
}


@pytest.fixture(scope="session")
def outcomes() -> dict[Any, dict[str, Any]]:
    """Return what the scripts have printed so far, by script and server."""
    return {}


@pytest.fixture(params=SCRIPTS)
def outcome(request: pytest.FixtureRequest, server: Server, outcomes) -> dict[str, Any]:
    """Return what came of each of a script's checks."""
    key = request.param, server.base_url
    if key not in outcomes:
        script = SCRIPTS[request.param]
        (outcomes[key],) = printed(script, server, script.parents[1].name)
    return outcomes[key]


def returned(outcome: dict[str, Any], check: str) -> Any:
    """Return what a check returned; fail with the error where it raised one."""
    assert "returned" in outcome[check], outcome[check]
    return outcome[check]["returned"]


def blocks(message: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return a message's blocks of one type."""
    return [block for block in message["content"] if block["type"] == kind]


def test_a_named_tool_is_called(outcome):
    message = returned(outcome, "named_tool_choice")
    (call,) = blocks(message, "tool_use")
    assert call["name"] == "get_weather"
    assert call["input"] == {"city": "Paris"}
    assert message["stop_reason"] == "tool_use"


def test_an_agent_loops_until_it_knows(outcome):
    first, last = returned(outcome, "agent_loop")
    (call,) = blocks(first, "tool_use")
    assert call["input"] == {"city": "Paris"}
    assert first["stop_reason"] == "tool_use"
    assert blocks(first, "thinking")
    assert last["stop_reason"] == "end_turn"
    assert "18 C" in "".join(block["text"] for block in blocks(last, "text"))


def test_thinking_may_be_sent_back(outcome):
    for message in returned(outcome, "thinking_echoed"):
        assert blocks(message, "thinking")
        text = "".join(block["text"] for block in blocks(message, "text"))
        assert text.strip() == "7.8 is greater than 7.11."


def test_tokens_are_counted_without_an_answer(outcome):
    counted = returned(outcome, "count_tokens")
    # What is counted is the request as it stands; turning thinking off adds a few tokens to it.
    assert 0 <= counted["used"] - counted["short"] < 10
    assert counted["with_tool"] > counted["short"]


@pytest.mark.parametrize("check", ERRORS)
def test_errors_are_anthropics(outcome, check):
    raised, kind = ERRORS[check]
    error = outcome[check]
    assert error.get("raised") == raised, error
    assert error["shape"] == "error"
    assert error["type"] == kind
    assert error["request_id"]
