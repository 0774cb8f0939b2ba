"""LangChain, ChatOpenAI by Responses."""

import os
from functools import reduce
from operator import add

from langchain_openai import ChatOpenAI

PACKAGE = "langchain-openai"
ON = {"reasoning": {"effort": "medium"}}
OFF = {"reasoning": {"effort": "none"}}
# Of a stream it takes only the events of a summary, which OpenAI gives in place of the thinking.
SEES = {
    "whole": 'content[]["content"] of type reasoning',
    "streamed": None,
    "tokens": 'usage_metadata["output_token_details"]["reasoning"]',
}


def model(settings):
    return ChatOpenAI(
        model=os.environ["MODEL"],
        base_url=f"{os.environ['BASE_URL']}/v1",
        api_key=os.environ["API_KEY"],
        use_responses_api=True,
        temperature=0,
        **settings,
    )


def whole(question, settings):
    message = model(settings).invoke(question)
    return seen(message, message)


def stream(question, settings):
    chunks = list(model(settings).stream(question))
    return seen(reduce(add, chunks), chunks)


def seen(message, reply):
    items = [block for block in message.content if block["type"] == "reasoning"]
    return {
        "thinking": "".join(part["text"] for item in items for part in item.get("content", [])),
        "answer": message.text,
        "tokens": message.usage_metadata["output_token_details"].get("reasoning"),
        "reply": reply,
    }
