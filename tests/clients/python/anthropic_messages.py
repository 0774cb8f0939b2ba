"""Anthropic for Python, Messages."""

import os

from anthropic import Anthropic

PACKAGE = "anthropic"
ON = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
OFF = {"thinking": {"type": "disabled"}}
SEES = {
    "whole": "content[].thinking",
    "streamed": "thinking_delta",
    "tokens": "usage.output_tokens_details.thinking_tokens",
}

client = Anthropic(base_url=os.environ["BASE_URL"], api_key=os.environ["API_KEY"])


def request(question, settings):
    messages = [{"role": "user", "content": question}]
    greedy = {"temperature": 0}  # this version has no argument for it
    common = {"model": os.environ["MODEL"], "messages": messages, "extra_body": greedy}
    return {**common, "max_tokens": 2048, **settings}


def seen(message, thinking, answer, reply):
    details = message.usage.output_tokens_details
    tokens = details and details.thinking_tokens
    return {"thinking": thinking, "answer": answer, "tokens": tokens, "reply": reply}


def whole(question, settings):
    message = client.messages.create(**request(question, settings))
    thinking = "".join(block.thinking for block in message.content if block.type == "thinking")
    answer = "".join(block.text for block in message.content if block.type == "text")
    return seen(message, thinking, answer, message)


def stream(question, settings):
    thinking, answer, events = "", "", []
    with client.messages.stream(**request(question, settings)) as stream:
        for event in stream:
            events.append(event)
            if event.type == "thinking":
                thinking += event.thinking
            elif event.type == "text":
                answer += event.text
        return seen(stream.get_final_message(), thinking, answer, events)
