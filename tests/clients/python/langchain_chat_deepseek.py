"""LangChain, ChatDeepSeek."""

import os
from functools import reduce
from operator import add

from langchain_deepseek import ChatDeepSeek

PACKAGE = "langchain-deepseek"
ON = {"extra_body": {"chat_template_kwargs": {"enable_thinking": True}}}
OFF = {"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}}
SEES = {
    "whole": 'additional_kwargs["reasoning_content"]',
    "streamed": 'additional_kwargs["reasoning_content"]',
    "tokens": 'usage_metadata["output_token_details"]["reasoning"]',
}


def model(settings):
    return ChatDeepSeek(
        model=os.environ["MODEL"],
        api_base=f"{os.environ['BASE_URL']}/v1",
        api_key=os.environ["API_KEY"],
        temperature=0,
        **settings,
    )


def whole(question, settings):
    message = model(settings).invoke(question)
    return seen(message, message)


def stream(question, settings):
    chunks = list(model(settings).stream(question, stream_usage=True))
    return seen(reduce(add, chunks), chunks)


def seen(message, reply):
    return {
        "thinking": message.additional_kwargs.get("reasoning_content"),
        "answer": message.text,
        "tokens": message.usage_metadata["output_token_details"].get("reasoning"),
        "reply": reply,
    }
