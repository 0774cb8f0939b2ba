"""Asks an endpoint one question at a time, and keeps what comes of it and when."""

import time
from dataclasses import dataclass, field
from typing import Any

import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk

ON, OFF, ADAPTIVE = "on", "off", "adaptive"
_MODES: dict[str, dict[str, Any]] = {
    ON: {"chat_template_kwargs": {"enable_thinking": True}},
    OFF: {"chat_template_kwargs": {"enable_thinking": False}},
    ADAPTIVE: {"thinking": {"type": "adaptive"}},
}
_ALIASES = (":think", ":no-think", ":auto")  # a model's name with a mode, which the switch has


@dataclass(frozen=True)
class Tokens:
    """Tokens of an answer."""

    total: int
    thinking: int
    draft: int  # that adaptive thinking threw away
    text: int


@dataclass
class Answer:
    """An answer as far as it has come. All times are seconds since the question was sent."""

    thinking: str = ""
    text: str = ""
    error: str = ""  # why there is no whole answer, in one sentence
    finish_reason: str = ""
    usage: CompletionUsage | None = None
    thinking_at: float | None = None  # the first piece of each
    text_at: float | None = None
    ended_at: float | None = None
    _sent: float = field(default_factory=time.perf_counter)

    def take(self, chunk: ChatCompletionChunk) -> None:
        """Add what a chunk of the stream has."""
        self.usage = chunk.usage or self.usage
        for choice in chunk.choices:
            self.finish_reason = choice.finish_reason or self.finish_reason
            extra = choice.delta.model_extra or {}  # one text, under one name or both
            self.thinking += extra.get("reasoning") or extra.get("reasoning_content") or ""
            self.text += choice.delta.content or ""
        if self.thinking_at is None and self.thinking.strip():
            self.thinking_at = self._now()
        if self.text_at is None and self.text.strip():
            self.text_at = self._now()

    def end(self, error: str = "") -> None:
        """Say that nothing more comes."""
        self.ended_at, self.error = self._now(), error

    def _now(self) -> float:
        return time.perf_counter() - self._sent

    @property
    def seconds(self) -> float:
        """Seconds that it took, or has taken so far."""
        return self._now() if self.ended_at is None else self.ended_at

    @property
    def thinking_seconds(self) -> float:
        """Seconds from the first piece of the thinking to the first of the answer."""
        if self.thinking_at is None:
            return 0.0
        return (self.seconds if self.text_at is None else self.text_at) - self.thinking_at

    @property
    def tokens(self) -> Tokens | None:
        """What it took; None where the server has not said it."""
        if self.usage is None:
            return None
        details = self.usage.completion_tokens_details
        thinking = (details.reasoning_tokens if details else None) or 0
        draft = (details.rejected_prediction_tokens if details else None) or 0
        if self.thinking_at is not None and not thinking:
            return None  # it thought, and its tokens were not counted apart
        total = self.usage.completion_tokens
        return Tokens(total, thinking, draft, total - thinking - draft)


class Endpoint:
    """A deployment, and how it is asked."""

    def __init__(self, base_url: str, key: str) -> None:
        """Make one; nothing is asked yet.

        Args:
            base_url: with `/v1`.
            key: its API key; what the server doesn't ask for may be anything.
        """
        self.base_url = base_url
        # No retries: a person sees the error sooner, and they would count as the answer's time.
        self._client = openai.AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0)

    async def models(self) -> list[str]:
        """Return the names of its models, without those that carry a mode.

        Raises:
            CannotAsk: it gives none.
        """
        try:
            names = [model.id async for model in self._client.models.list()]
        except openai.OpenAIError as error:
            raise CannotAsk(self._sentence(error)) from None
        found = [name for name in names if not name.endswith(_ALIASES)]
        if not found:
            raise CannotAsk(f"{self.base_url}/models lists no model.")
        return found

    async def ask(
        self,
        model: str,
        messages: list[dict[str, str]],
        mode: str,
        budget: int | None,
        answer: Answer,
    ) -> None:
        """Ask, and fill the answer as it comes; what goes wrong becomes its error.

        Args:
            model: its name.
            messages: the conversation, the question last.
            mode: `on`, `off` or `adaptive`.
            budget: the most tokens of thinking; None leaves it to the server.
            answer: an empty one.

        Whoever cancels it has what there was until then, and must end the answer.
        """
        limit = {} if budget is None or mode == OFF else {"thinking_token_budget": budget}
        create: Any = self._client.chat.completions.create  # its types lack vLLM's fields
        error = ""
        try:
            async with await create(
                model=model,
                messages=messages,
                stream=True,
                stream_options={"include_usage": True},
                extra_body={**_MODES[mode], **limit},
            ) as stream:
                async for chunk in stream:
                    answer.take(chunk)
            if not answer.finish_reason:
                error = "The answer broke off: the stream ended early."
        except openai.OpenAIError as failure:
            begun = answer.thinking_at is not None or answer.text_at is not None
            error = ("The answer broke off. " if begun else "") + self._sentence(failure)
        answer.end(error)

    def _sentence(self, error: openai.OpenAIError) -> str:
        """Say why a request failed and what to do, without the key, which a server may repeat."""
        if isinstance(error, openai.APIConnectionError):
            return f"Nothing answers at {self.base_url}. Is `make run` up there?"
        body = error.body if isinstance(error, openai.APIError) else None
        message = body.get("message") if isinstance(body, dict) else None
        text = " ".join(str(message or error).split())[:500].replace(self._client.api_key, "***")
        if isinstance(error, openai.AuthenticationError):
            text += " (The page has the key of the variable API_KEY when `make ui` was started.)"
        return text


class CannotAsk(Exception):
    """Why, in one sentence."""
