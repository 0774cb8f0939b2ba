"""What thinking is for, and what of it a client sees; each control is in test_matrix.py."""

import json

import pytest

from .conftest import Server
from .surfaces import ANSWER, QUESTION, SURFACES, ask

CHAT = SURFACES["chat"]
pytestmark = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


def test_thinking_pays(server: Server, streamed: bool):
    """The model multiplies right when it thinks; that is what the mode is for."""
    assert "29842" in ask(server, CHAT, streamed, "What is 347 * 86?").content


def test_the_last_switch_wins(server: Server, streamed: bool):
    def conversation(first: str, last: str) -> list[dict[str, str]]:
        return [
            {"role": "user", "content": f"Hello {first}"},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": f"{QUESTION} {last}".strip()},
        ]

    for first, last, thinks in (
        ("/no_think", "/think", True),
        ("/think", "/no_think", False),
        ("/no_think", "", False),
    ):
        reply = ask(server, CHAT, streamed, messages=conversation(first, last))
        assert bool(reply.thinking.get("reasoning")) is thinks
        assert reply.content == ANSWER


def test_hidden_thinking_is_still_counted(server: Server, streamed: bool):
    reply = ask(server, CHAT, streamed, include_reasoning=False)
    assert not any(reply.thinking.values())
    assert reply.content == ANSWER
    assert reply.thinking_tokens > 10


def test_each_of_two_answers_has_its_own_thinking_and_beginning(server: Server, streamed: bool):
    two = {"n": 2, "temperature": 0.01}  # vLLM refuses two of what is bound to be the same
    reply = ask(server, CHAT, streamed, **two)
    if not streamed:
        answers = [choice["message"] for choice in json.loads(reply.text)["choices"]]
    else:
        answers = [{"content": "", "reasoning": ""} for _ in range(2)]
        for choice in (choice for event in reply.events for choice in event["choices"]):
            for name in answers[0]:
                answers[choice["index"]][name] += choice["delta"].get(name) or ""
    for answer in answers:
        assert answer["content"] == ANSWER
        assert answer["reasoning"].count("7.8 > 7.11") == 1


def test_usage_comes_in_a_stream_only_when_it_is_asked_for(server: Server, streamed: bool):
    options = {"stream_options": None} if streamed else {}
    reply = ask(server, CHAT, streamed, **options)
    assert reply.content == ANSWER
    assert (reply.thinking_tokens is None) is streamed
    assert all(event["choices"] for event in reply.events)


def test_sampling_of_the_model_card_is_the_default(server: Server, streamed: bool):
    """Without a temperature the model's own generation_config counts: answers stay right."""
    assert ask(server, CHAT, streamed, temperature=None).content == ANSWER
