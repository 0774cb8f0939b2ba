"""LangChain, ChatOpenAI."""

import os
from functools import reduce
from operator import add

from langchain_openai import ChatOpenAI

PACKAGE = "langchain-openai"
ON = {"reasoning_effort": "medium"}
OFF = {"reasoning_effort": "none"}
# By its own word it takes only fields of OpenAI's own API, and those have no thinking.
SEES = {
    "whole": None,
    "streamed": None,
    "tokens": 'usage_metadata["output_token_details"]["reasoning"]',
}


def model(settings):
    return ChatOpenAI(
        model=os.environ["MODEL"],
        base_url=f"{os.environ['BASE_URL']}/v1",
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
    tokens = message.usage_metadata["output_token_details"].get("reasoning")
    return {"thinking": None, "answer": message.text, "tokens": tokens, "reply": reply}
