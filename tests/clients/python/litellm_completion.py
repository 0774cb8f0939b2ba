"""LiteLLM."""

import os

import litellm

PACKAGE = "litellm"
ON = {"reasoning_effort": "medium"}
OFF = {"reasoning_effort": "none"}
SEES = {
    "whole": "message.reasoning_content",
    "streamed": "delta.reasoning_content",
    "tokens": "usage.completion_tokens_details.reasoning_tokens",
}


def completion(question, settings, **more):
    return litellm.completion(
        model=f"hosted_vllm/{os.environ['MODEL']}",
        api_base=f"{os.environ['BASE_URL']}/v1",
        api_key=os.environ["API_KEY"],
        messages=[{"role": "user", "content": question}],
        temperature=0,
        **settings,
        **more,
    )


def whole(question, settings):
    response = completion(question, settings)
    message = response.choices[0].message
    return {
        "thinking": getattr(message, "reasoning_content", None),
        "answer": message.content,
        "tokens": reasoning_tokens(response.usage),
        "reply": response,
    }


def stream(question, settings):
    thinking, answer, tokens, chunks = "", "", None, []
    options = {"include_usage": True}
    for chunk in completion(question, settings, stream=True, stream_options=options):
        chunks.append(chunk)
        for choice in chunk.choices:
            thinking += getattr(choice.delta, "reasoning_content", None) or ""
            answer += choice.delta.content or ""
        if usage := getattr(chunk, "usage", None):
            tokens = reasoning_tokens(usage)
    return {"thinking": thinking, "answer": answer, "tokens": tokens, "reply": chunks}


def reasoning_tokens(usage):
    return usage.completion_tokens_details and usage.completion_tokens_details.reasoning_tokens
