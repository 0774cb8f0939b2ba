"""The tokens of thinking are those that the model has thought, streamed and whole alike."""

from typing import Any

import pytest

from .conftest import Server
from .surfaces import SURFACES, ask

ALL = 71  # tokens of thinking that the question takes, `<think>` and `</think>` not counted
STOPS = {"chat": "stop", "responses": "stop", "messages": "stop_sequences"}

# {what happens: (what is asked for, the tokens of thinking)}
CASES: dict[str, tuple[dict[str, Any], int]] = {
    "nothing": ({}, ALL),
    "a stop in the thinking": ({"stop": ["Digits"]}, 32),
    "a long stop in the thinking": ({"stop": ["The greater one is"]}, 65),
    "a stop at the end of the thinking": ({"stop": ["is 7.8.\n"]}, ALL),
    "a stop between thinking and answer": ({"stop": ["\n7"]}, ALL),
    "a stop in the answer": ({"stop": ["greater than 7.11"]}, ALL),
    "a stop that never comes": ({"stop": ["x" * 40]}, ALL),
    "the limit in the thinking": ({"limit": 10}, 9),
    "the limit in the thinking, with a stop": ({"limit": 10, "stop": ["x" * 10]}, 9),
    "the limit in the answer": ({"limit": 75}, ALL),
    "a budget": ({"thinking_token_budget": 16}, 16),
    "a budget, and a stop in the answer": (
        {"thinking_token_budget": 16, "stop": ["greater"]},
        16,
    ),
    "no thinking, and a stop": (
        {"chat_template_kwargs": {"enable_thinking": False}, "stop": ["than"]},
        0,
    ),
}


def fields(name: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Return what is asked for in the words of a surface."""
    words = {"stop": STOPS[name], "limit": SURFACES[name].limit}
    return {words.get(key, key): value for key, value in asked.items()}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", SURFACES)
def test_tokens_of_thinking(server: Server, name: str, case: str, streamed: bool):
    asked, expected = CASES[case]
    reply = ask(server, SURFACES[name], streamed, **fields(name, asked))
    assert reply.thinking_tokens == expected


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("asked", "expected"), [({}, ALL), ({"stop": ["Digits"]}, 32)])
def test_tokens_of_several_answers(
    server: Server, asked: dict[str, Any], expected: int, streamed: bool
):
    reply = ask(server, SURFACES["chat"], streamed, n=3, temperature=1, top_k=1, **asked)
    assert reply.thinking_tokens == 3 * expected
