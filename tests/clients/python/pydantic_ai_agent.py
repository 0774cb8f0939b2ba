"""Pydantic AI."""

import asyncio
import os

from pydantic_ai import Agent, AgentRunResultEvent
from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, ThinkingPart, ThinkingPartDelta
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

PACKAGE = "pydantic-ai-slim"
ON = {"openai_reasoning_effort": "medium"}
OFF = {"openai_reasoning_effort": "none"}
SEES = {
    "whole": "response.thinking",
    "streamed": "ThinkingPartDelta",
    "tokens": 'usage.details["reasoning_tokens"]',
}

provider = OpenAIProvider(base_url=f"{os.environ['BASE_URL']}/v1", api_key=os.environ["API_KEY"])
agent = Agent(OpenAIChatModel(os.environ["MODEL"], provider=provider))


def request(settings):
    return {"model_settings": {"temperature": 0, **settings}}


def seen(result, thinking, reply):
    tokens = result.usage.details.get("reasoning_tokens")
    return {"thinking": thinking, "answer": result.output, "tokens": tokens, "reply": reply}


def whole(question, settings):
    result = agent.run_sync(question, **request(settings))
    return seen(result, result.response.thinking, result.all_messages())


def stream(question, settings):
    return asyncio.run(streamed(question, settings))


async def streamed(question, settings):
    thinking, collected, result = "", [], None
    async with agent.run_stream_events(question, **request(settings)) as events:
        async for event in events:
            collected.append(event)
            if isinstance(event, AgentRunResultEvent):
                result = event.result
            elif isinstance(event, PartStartEvent) and isinstance(event.part, ThinkingPart):
                thinking += event.part.content
            elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, ThinkingPartDelta):
                thinking += event.delta.content_delta or ""
    return seen(result, thinking, collected)
