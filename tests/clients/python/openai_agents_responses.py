"""OpenAI Agents SDK, Responses."""

import asyncio
import os

from agents import Agent, ModelSettings, OpenAIResponsesModel, Runner, set_tracing_disabled
from openai import AsyncOpenAI
from openai.types.shared import Reasoning

PACKAGE = "openai-agents"
ON = {"effort": "medium"}
OFF = {"effort": "none"}
SEES = {
    "whole": "new_items[].raw_item.content of type reasoning",
    "streamed": "response.reasoning_text.delta",
    "tokens": "usage.output_tokens_details.reasoning_tokens",
}

set_tracing_disabled(True)  # it would send every run to OpenAI
client = AsyncOpenAI(base_url=f"{os.environ['BASE_URL']}/v1", api_key=os.environ["API_KEY"])
model = OpenAIResponsesModel(os.environ["MODEL"], client)
loop = asyncio.new_event_loop()  # one for all: the client's connections are bound to it


def agent(settings):
    settings = ModelSettings(temperature=0, reasoning=Reasoning(**settings))
    return Agent("Calculator", model=model, model_settings=settings)


def seen(result, thinking, reply):
    return {
        "thinking": thinking,
        "answer": result.final_output,
        "tokens": result.context_wrapper.usage.output_tokens_details.reasoning_tokens,
        "reply": reply,
    }


def whole(question, settings):
    result = loop.run_until_complete(Runner.run(agent(settings), question))
    items = [item.raw_item for item in result.new_items if item.type == "reasoning_item"]
    thinking = "".join(part.text for item in items for part in item.content or [])
    return seen(result, thinking, result.raw_responses)


def stream(question, settings):
    return loop.run_until_complete(streamed(question, settings))


async def streamed(question, settings):
    thinking, events = "", []
    result = Runner.run_streamed(agent(settings), question)
    async for event in result.stream_events():
        events.append(event)
        raw = event.data if event.type == "raw_response_event" else None
        if raw and raw.type == "response.reasoning_text.delta":
            thinking += raw.delta
    return seen(result, thinking, events)
