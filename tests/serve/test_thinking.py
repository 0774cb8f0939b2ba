"""Thinking on and off, by every control, under both names, streamed and not."""

from dataclasses import dataclass
from typing import Any

import pytest

from .conftest import MODEL, Server

QUESTION = "What is greater between 7.8 and 7.11 ?"


@dataclass
class Reply:
    """What a client sees of one answer, streamed or not."""

    reasoning: str | None = None
    reasoning_content: str | None = None
    content: str = ""
    finish_reason: str | None = None
    reasoning_tokens: int = 0
    completion_tokens: int = 0


def ask(client, streamed: bool, question: str = QUESTION, **request: Any) -> Reply:
    """Ask with greedy sampling through the OpenAI client."""
    messages = request.pop("messages", [{"role": "user", "content": question}])
    arguments = {"model": MODEL, "messages": messages, "temperature": 0, **request}
    if streamed:
        return join(
            client.chat.completions.create(
                **arguments, stream=True, stream_options={"include_usage": True}
            )
        )
    completion = client.chat.completions.create(**arguments)
    (choice,) = completion.choices
    message = choice.message
    return Reply(
        reasoning=message.reasoning,
        reasoning_content=message.reasoning_content,
        content=message.content or "",
        finish_reason=choice.finish_reason,
        reasoning_tokens=completion.usage.completion_tokens_details.reasoning_tokens,
        completion_tokens=completion.usage.completion_tokens,
    )


def join(stream) -> Reply:
    """Put the deltas of a stream together."""
    reply = Reply()
    for chunk in stream:
        if chunk.usage:
            reply.completion_tokens = chunk.usage.completion_tokens
            reply.reasoning_tokens = chunk.usage.completion_tokens_details.reasoning_tokens
        for choice in chunk.choices:
            reply.finish_reason = choice.finish_reason or reply.finish_reason
            reply.content += choice.delta.content or ""
            for name in ("reasoning", "reasoning_content"):
                if piece := getattr(choice.delta, name, None):
                    setattr(reply, name, (getattr(reply, name) or "") + piece)
    return reply


pytestmark = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])

ON = {
    "default": {},
    "enable_thinking": {"extra_body": {"chat_template_kwargs": {"enable_thinking": True}}},
    "/think": {"question": f"{QUESTION} /think"},
    "reasoning_effort": {"reasoning_effort": "low"},
}
OFF = {
    "enable_thinking": {"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}},
    "/no_think": {"question": f"{QUESTION} /no_think"},
    "reasoning_effort": {"reasoning_effort": "none"},
}


@pytest.mark.parametrize("control", ON.values(), ids=ON)
def test_thinking_on(client, streamed, control):
    reply = ask(client, streamed, **control)
    assert "7.8 > 7.11" in reply.reasoning
    assert reply.reasoning_content == reply.reasoning
    assert reply.content.strip() == "7.8 is greater than 7.11."
    assert reply.finish_reason == "stop"
    assert 10 < reply.reasoning_tokens < reply.completion_tokens


@pytest.mark.parametrize("control", OFF.values(), ids=OFF)
def test_thinking_off(client, streamed, control):
    reply = ask(client, streamed, **control)
    assert reply.reasoning is None
    assert reply.reasoning_content is None
    assert reply.content.strip() == "7.8 is greater than 7.11."
    assert reply.finish_reason == "stop"


def test_thinking_pays(client, streamed):
    """The model multiplies right when it thinks; that is what the mode is for."""
    question = "What is 347 * 86?"
    assert "29842" in ask(client, streamed, question).content


def test_the_last_switch_wins(client, streamed):
    def conversation(first: str, last: str) -> list[dict[str, str]]:
        return [
            {"role": "user", "content": f"Hello {first}"},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": f"{QUESTION} {last}"},
        ]

    assert ask(client, streamed, messages=conversation("/no_think", "/think")).reasoning
    assert ask(client, streamed, messages=conversation("/think", "/no_think")).reasoning is None


@pytest.mark.parametrize("budget", [0, 5, 20])
def test_a_budget_cuts_the_thinking_and_the_model_still_answers(client, streamed, budget):
    reply = ask(client, streamed, "What is 347 * 86?", extra_body={"thinking_token_budget": budget})
    assert reply.reasoning_tokens <= budget + 2  # the tags themselves may count
    assert reply.content.strip().endswith(".")
    assert reply.finish_reason == "stop"


def test_hidden_thinking_is_still_counted(client, streamed):
    reply = ask(client, streamed, extra_body={"include_reasoning": False})
    assert reply.reasoning is None
    assert reply.reasoning_content is None
    assert reply.content.strip() == "7.8 is greater than 7.11."
    assert reply.completion_tokens > 20


def test_earlier_thinking_may_be_sent_back_under_either_name(client, streamed):
    for name in ("reasoning", "reasoning_content"):
        history = [
            {"role": "user", "content": "What's the capital of France ?"},
            {"role": "assistant", "content": "The capital of France is Paris.", name: "Hm."},
            {"role": "user", "content": QUESTION},
        ]
        reply = ask(client, streamed, messages=history)
        assert reply.content.strip() == "7.8 is greater than 7.11."


def test_sampling_of_the_model_card_is_the_default(server: Server, streamed):
    """Without a temperature the model's own generation_config counts: answers stay right."""
    arguments = {"model": MODEL, "messages": [{"role": "user", "content": QUESTION}]}
    if streamed:
        reply = join(server.client().chat.completions.create(**arguments, stream=True))
        assert reply.content.strip() == "7.8 is greater than 7.11."
    else:
        completion = server.client().chat.completions.create(**arguments)
        assert completion.choices[0].message.content.strip() == "7.8 is greater than 7.11."
