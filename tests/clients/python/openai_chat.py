"""OpenAI for Python, Chat Completions."""

import os

from openai import OpenAI

PACKAGE = "openai"
ON = {"extra_body": {"chat_template_kwargs": {"enable_thinking": True}}}
OFF = {"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}}
SEES = {
    "whole": "message.reasoning_content",
    "streamed": "delta.reasoning_content",
    "tokens": "usage.completion_tokens_details.reasoning_tokens",
}

client = OpenAI(base_url=f"{os.environ['BASE_URL']}/v1", api_key=os.environ["API_KEY"])


def request(question, settings):
    messages = [{"role": "user", "content": question}]
    return {"model": os.environ["MODEL"], "messages": messages, "temperature": 0, **settings}


def whole(question, settings):
    completion = client.chat.completions.create(**request(question, settings))
    message = completion.choices[0].message
    return {
        "thinking": message.reasoning_content,
        "answer": message.content,
        "tokens": completion.usage.completion_tokens_details.reasoning_tokens,
        "reply": completion,
    }


def stream(question, settings):
    thinking, answer, tokens, chunks = "", "", None, []
    for chunk in client.chat.completions.create(
        **request(question, settings), stream=True, stream_options={"include_usage": True}
    ):
        chunks.append(chunk)
        if chunk.usage:
            tokens = chunk.usage.completion_tokens_details.reasoning_tokens
        for choice in chunk.choices:
            thinking += getattr(choice.delta, "reasoning_content", None) or ""
            answer += choice.delta.content or ""
    return {"thinking": thinking, "answer": answer, "tokens": tokens, "reply": chunks}
