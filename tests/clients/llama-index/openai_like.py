"""LlamaIndex, OpenAILike."""

import os

from llama_index.core.base.llms.types import ChatMessage, ThinkingBlock
from llama_index.llms.openai_like import OpenAILike

PACKAGE = "llama-index-llms-openai-like"
ON = {"extra_body": {"chat_template_kwargs": {"enable_thinking": True}}}
OFF = {"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}}
SEES = {
    "whole": "message.blocks[] of type ThinkingBlock",
    "streamed": 'additional_kwargs["thinking_delta"]',
    "tokens": "raw.usage.completion_tokens_details.reasoning_tokens",
}

model = OpenAILike(
    model=os.environ["MODEL"],
    api_base=f"{os.environ['BASE_URL']}/v1",
    api_key=os.environ["API_KEY"],
    is_chat_model=True,
    temperature=0,
)


def whole(question, settings):
    response = model.chat([ChatMessage(question)], **settings)
    blocks = [block for block in response.message.blocks if isinstance(block, ThinkingBlock)]
    return {
        "thinking": "".join(block.content for block in blocks),
        "answer": response.message.content,
        "tokens": response.raw.usage.completion_tokens_details.reasoning_tokens,
        "reply": response,
    }


def stream(question, settings):
    thinking, answer, tokens, chunks = "", "", None, []
    options = {"include_usage": True}
    for chunk in model.stream_chat([ChatMessage(question)], stream_options=options, **settings):
        chunks.append(chunk)
        thinking += chunk.additional_kwargs.get("thinking_delta", "")
        answer += chunk.delta or ""
        if chunk.raw.usage:
            tokens = chunk.raw.usage.completion_tokens_details.reasoning_tokens
    return {"thinking": thinking, "answer": answer, "tokens": tokens, "reply": chunks}
