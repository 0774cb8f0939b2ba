"""OpenAI for Python, Responses."""

import os

from openai import OpenAI

PACKAGE = "openai"
ON = {"reasoning": {"effort": "medium"}}
OFF = {"reasoning": {"effort": "none"}}
SEES = {
    "whole": "output[].content[].text of type reasoning",
    "streamed": "response.reasoning_text.delta",
    "tokens": "usage.output_tokens_details.reasoning_tokens",
}

client = OpenAI(base_url=f"{os.environ['BASE_URL']}/v1", api_key=os.environ["API_KEY"])


def request(question, settings):
    return {"model": os.environ["MODEL"], "input": question, "temperature": 0, **settings}


def whole(question, settings):
    response = client.responses.create(**request(question, settings))
    items = [item for item in response.output if item.type == "reasoning"]
    return {
        "thinking": "".join(part.text for item in items for part in item.content),
        "answer": response.output_text,
        "tokens": response.usage.output_tokens_details.reasoning_tokens,
        "reply": response,
    }


def stream(question, settings):
    thinking, answer, tokens, events = "", "", None, []
    for event in client.responses.create(**request(question, settings), stream=True):
        events.append(event)
        if event.type == "response.reasoning_text.delta":
            thinking += event.delta
        elif event.type == "response.output_text.delta":
            answer += event.delta
        elif event.type == "response.completed":
            tokens = event.response.usage.output_tokens_details.reasoning_tokens
    return {"thinking": thinking, "answer": answer, "tokens": tokens, "reply": events}
