"""Asks an endpoint, several questions at a time, and keeps each answer at once."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import openai
from openai.types.chat import ChatCompletionChunk

from . import Stop
from .questions import Question
from .records import Answer, Records

OFF, ON, ADAPTIVE, BUDGET = "off", "on", "adaptive", "budget "
RETRIES = 6
LONGEST_WAIT = 30.0  # s, between two of them
TIMEOUT = 600.0  # s without a byte
_AGAIN = (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError)
_WAYS_OUT = {
    401: "the key is read from the environment variable API_KEY",
    403: "the key of the environment variable API_KEY may not do this",
    404: "is BASE_URL right, and MODEL one that it lists?",
}
_MODES: dict[str, dict[str, Any]] = {
    # With the tokens' ids each has its chunk, also one without text, as in the server's own drafts.
    OFF: {"chat_template_kwargs": {"enable_thinking": False}, "return_token_ids": True},
    ON: {"chat_template_kwargs": {"enable_thinking": True}},
    ADAPTIVE: {"thinking": {"type": "adaptive"}},
}


class _Broken(Exception):
    """A stream that ended before its answer did."""


class Endpoint:
    """A deployment, and how it is asked."""

    def __init__(self, client: openai.AsyncOpenAI, model: str, fields: dict[str, Any]) -> None:
        """Make one.

        Args:
            client: without retries of its own, which would count as the answer's time.
            model: its name.
            fields: of every request.
        """
        self._client, self._model, self._fields = client, model, fields

    async def ask(self, question: Question, arm: str) -> Answer:
        """Return the answer to a question, asked again where that may help.

        Raises:
            Stop: there is none.
        """
        for attempt in range(RETRIES + 1):
            try:
                return await self._once(question, arm)
            except (*_AGAIN, httpx.TransportError, json.JSONDecodeError, _Broken) as error:
                problem: Exception = error
            except openai.APIStatusError as error:
                raise Stop(explained(error, self._client)) from None
            except openai.APIError as error:  # an error event in the stream
                problem = error
            if attempt < RETRIES:
                await asyncio.sleep(_wait(problem, attempt))
        raise Stop(f"{explained(problem, self._client)} (after {RETRIES} retries)") from None

    async def _once(self, question: Question, arm: str) -> Answer:
        began = time.perf_counter()
        # Any: openai's types have neither vLLM's message fields nor ours.
        create: Any = self._client.chat.completions.with_raw_response.create
        raw = await create(
            model=self._model,
            messages=question.messages,
            stream=True,
            stream_options={"include_usage": True},
            extra_body=_mode(arm),
            **self._fields,
            **({"logprobs": True} if arm == OFF else {}),
        )
        outcome = raw.headers.get("adaptive-thinking", "")
        if arm == ADAPTIVE and not outcome:
            raise Stop("this server has no adaptive thinking (no such header); leave --verify out")
        text, finish, usage, seconds = "", "", None, 0.0
        logprobs: list[float] = []
        at: list[float] = []
        stream: openai.AsyncStream[ChatCompletionChunk] = raw.parse()
        async for chunk in stream:
            now = time.perf_counter() - began
            usage = chunk.usage or usage
            for choice in chunk.choices:
                seconds = now
                text += choice.delta.content or ""
                finish = choice.finish_reason or finish
                tokens = (choice.logprobs and choice.logprobs.content) or []
                logprobs += [round(token.logprob, 6) for token in tokens]
                at += [round(now, 4)] * len(tokens)
        if not finish or usage is None:
            raise _Broken(f"the stream ended without {'its usage' if finish else 'an end'}")
        if arm == OFF and not logprobs:
            raise Stop("this server gives no log probabilities, which a threshold is made of")
        details = usage.completion_tokens_details
        return Answer(
            question=question.key,
            arm=arm,
            text=text.strip(),
            finish=finish,
            tokens=usage.completion_tokens,
            thinking_tokens=(details and details.reasoning_tokens) or 0,
            seconds=round(seconds, 4),
            logprobs=tuple(logprobs),
            at=tuple(at),
            outcome=outcome,
        )


def _mode(arm: str) -> dict[str, Any]:
    if arm.startswith(BUDGET):
        return {**_MODES[ON], "thinking_token_budget": int(arm.removeprefix(BUDGET))}
    return _MODES[arm]


def _wait(problem: Exception, attempt: int) -> float:
    """Return the seconds to wait: what the server says, else twice as long each time."""
    wait = 2.0**attempt / 2
    if isinstance(problem, openai.APIStatusError):
        said = problem.response.headers.get("retry-after", "")
        wait = max(wait, float(said) if said.isdecimal() else 0)
    return min(wait, LONGEST_WAIT)


def explained(error: Exception, client: openai.AsyncOpenAI) -> str:
    """Return why a request failed and the way out, without the key, which a server may repeat."""
    if isinstance(error, openai.APIConnectionError):
        return f"nothing answers at {client.base_url}; BASE_URL says where ({error.__cause__})"
    body = error.body if isinstance(error, openai.APIError) else None
    message = body.get("message") if isinstance(body, dict) else None
    text = " ".join(str(message or error).split())[:500].replace(client.api_key, "***")
    if not isinstance(error, openai.APIStatusError):
        return text or repr(error)
    way_out = _WAYS_OUT.get(error.status_code)
    return f"{error.status_code}: {text}" + (f" ({way_out})" if way_out else "")


async def ask_all(
    endpoint: Endpoint,
    jobs: Iterable[tuple[Question, str]],
    records: Records,
    concurrency: int,
    advance: Callable[[], None],
) -> None:
    """Ask all, and keep the answers.

    Args:
        endpoint: that is asked.
        jobs: questions and arms, asked in this order.
        records: where the answers go.
        concurrency: how many are asked at a time.
        advance: is called after each.

    Raises:
        Stop: one has no answer; the others of before are kept.
    """
    left = iter(jobs)

    async def ask_on() -> None:
        for question, arm in left:
            records.add(await endpoint.ask(question, arm))
            advance()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(ask_on())
    except BaseExceptionGroup as failed:  # the first is what the others were cancelled for
        raise failed.exceptions[0] from None
