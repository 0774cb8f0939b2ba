"""What the page of `make ui` asks for and makes of the answer; tests/serve tries its looks."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk
from test_chat import DROP, FakeServer, delta, thinking_delta, usage_chunk

from ui.asking import ADAPTIVE, OFF, ON, Answer, CannotAsk, Endpoint, Tokens

KEY = "sk-secret-of-the-test"
QUESTION = [{"role": "user", "content": "What is 347 * 86?"}]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer.running() as fake:
        yield fake


def ask(server: FakeServer, mode: str = ON, budget: int | None = None) -> Answer:
    """Ask the stand-in, and return what came."""
    answer = Answer()
    endpoint = Endpoint(f"{server.url}/v1", KEY)
    asyncio.run(endpoint.ask("m", QUESTION, mode, budget, answer))
    return answer


def taken(*chunks: dict[str, Any]) -> Answer:
    answer = Answer()
    for chunk in chunks:
        answer.take(ChatCompletionChunk.model_validate(chunk))
    return answer


@pytest.mark.parametrize(
    ("mode", "budget", "fields"),
    [
        (ON, None, {"chat_template_kwargs": {"enable_thinking": True}}),
        (OFF, None, {"chat_template_kwargs": {"enable_thinking": False}}),
        (OFF, 50, {"chat_template_kwargs": {"enable_thinking": False}}),
        (ADAPTIVE, None, {"thinking": {"type": "adaptive"}}),
        (ADAPTIVE, 50, {"thinking": {"type": "adaptive"}, "thinking_token_budget": 50}),
        (ON, 0, {"chat_template_kwargs": {"enable_thinking": True}, "thinking_token_budget": 0}),
    ],
)
def test_the_switch_and_the_budget_are_fields_of_the_request(server, mode, budget, fields):
    ask(server, mode, budget)
    (request,) = server.requests
    usual = {"model", "messages", "stream", "stream_options"}
    assert {name: value for name, value in request.items() if name not in usual} == fields
    assert request["stream_options"] == {"include_usage": True}


def test_a_draft_that_was_thrown_away_is_no_part_of_the_answer():
    details = {"reasoning_tokens": 7, "rejected_prediction_tokens": 4}
    answer = taken(
        thinking_delta("so"),
        delta(content="29842"),
        usage_chunk(completion_tokens=16, completion_tokens_details=details),
    )
    assert answer.tokens == Tokens(total=16, thinking=7, draft=4, text=5)


def test_tokens_that_the_server_does_not_tell_apart_are_not_guessed():
    assert taken(delta(content="29842")).tokens is None
    alone = usage_chunk(completion_tokens_details=None)
    assert taken(thinking_delta("so"), delta(content="29842"), alone).tokens is None
    assert taken(delta(content="29842"), alone).tokens == Tokens(12, 0, 0, 12)


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_the_thinking_is_taken_once_under_either_name(name):
    assert taken(thinking_delta("so", (name,))).thinking == "so"
    assert taken(thinking_delta("so")).thinking == "so"


def test_a_refusal_is_the_servers_sentence_without_the_key(server):
    server.refuse = (400, {"error": {"message": f"No more than 20 tokens for {KEY}.", "code": 1}})
    answer = ask(server, budget=50)
    assert answer.error == "No more than 20 tokens for ***."
    assert answer.ended_at is not None


def test_a_wrong_key_says_where_the_key_comes_from(server):
    server.refuse = (401, {"error": {"message": "Incorrect API key."}})
    assert "API_KEY" in ask(server).error


@pytest.mark.parametrize("end", [[], [DROP]], ids=["ended", "dropped"])
def test_a_stream_that_ends_early_keeps_what_there_was(server, end):
    server.script = [thinking_delta("so"), delta(content="298"), *end]
    answer = ask(server)
    assert answer.text == "298" and answer.error.startswith("The answer broke off")


def test_nobody_there():
    answer = Answer()
    asyncio.run(Endpoint("http://127.0.0.1:9/v1", KEY).ask("m", QUESTION, ON, None, answer))
    assert answer.error == "Nothing answers at http://127.0.0.1:9/v1. Is `make run` up there?"
    with pytest.raises(CannotAsk, match="Nothing answers"):
        asyncio.run(Endpoint("http://127.0.0.1:9/v1", KEY).models())
