"""The draft of a request that leaves it to the model's doubt whether it thinks."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.thinking.fixed import Thinking

# A chat completion that says no more than this may be drafted; with any other field it thinks at
# once. Among others with those that force a form on its tokens: their probabilities say then how
# well it fits, not how sure the model is.
_DRAFTED = frozenset(
    [
        "cache_salt",
        "chat_template_kwargs",
        "documents",
        "frequency_penalty",
        "include_reasoning",
        "include_stop_str_in_output",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "min_p",
        "model",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "priority",
        "reasoning_effort",
        "repetition_penalty",
        "seed",
        "skip_special_tokens",
        "spaces_between_special_tokens",
        "stop",
        "stop_token_ids",
        "stream",
        "stream_interval",
        "stream_options",
        "temperature",
        "thinking_token_budget",
        "tool_choice",
        "tools",
        "top_k",
        "top_logprobs",
        "top_p",
        "truncate_prompt_tokens",
        "truncation_side",
        "user",
    ]
)


@dataclass
class Draft:
    """One draft, and what has become of it; its layer and those in front of it share it."""

    fields: dict[str, Any] | None  # of the chat completion that it is; None: none can be made
    threshold: float  # the least probability that each of its tokens must have
    most: int  # tokens after which it is the answer
    streamed: bool  # whether the client asked for a stream
    shows: bool  # whether the client asked for log probabilities
    outcome: str = ""  # answered | thought, once that is known
    written: int = 0  # its tokens
    confidence: float = 1.0  # the smallest probability of those that were looked at

    def trusts(self, logprobs: list[float]) -> bool:
        """Look at some further tokens; tell whether the model is still sure of what it writes.

        Args:
            logprobs: the log probability of each, as the model had it, before any temperature.
        """
        for logprob in logprobs:
            self.written += 1
            if self.written <= self.most and self.confidence >= self.threshold:
                self.confidence = min(self.confidence, math.exp(logprob))
        return self.confidence >= self.threshold

    @property
    def header(self) -> tuple[bytes, bytes]:
        """Return the response header that says what was decided, an item of RFC 9651."""
        said = self.outcome
        if self.written:
            said += f";confidence={self.confidence:.3f};draft-tokens={self.written}"
        return (b"adaptive-thinking", said.encode())


def draft_of(asked: Mapping[str, Any], told: Mapping[str, Any], thinking: Thinking) -> Draft:
    """Return the draft of a request.

    Args:
        asked: the chat completion, as the engine reads it.
        told: what the engine is told for the draft (`app.thinking.decision`).
        thinking: what is fixed for its model and key.
    """
    # vLLM gives none where the thinking is hidden.
    shows = asked.get("logprobs") is True and asked.get("include_reasoning") is not False
    fields = {
        **{name: value for name, value in asked.items() if name != "stream_interval"},
        **told,
        # Its tokens are looked at one by one, and each has its event, also where a parser of calls
        # holds back its text.
        "stream": True,
        "stream_options": {**(asked.get("stream_options") or {}), "include_usage": True},
        "return_token_ids": True,
        "logprobs": True,
        "top_logprobs": (asked.get("top_logprobs") or 0) if shows else 0,
        "include_reasoning": True,  # without it vLLM gives no log probabilities
    }
    return Draft(
        fields=fields if _draftable(asked) else None,
        threshold=thinking.threshold or 0.0,
        most=thinking.draft_tokens,
        streamed=asked.get("stream") is True,
        shows=shows,
    )


def _draftable(asked: Mapping[str, Any]) -> bool:
    said = {name for name, value in asked.items() if value not in (None, [], {}) or value == 0}
    said -= {name for name in said if asked[name] is False}
    if asked.get("response_format") == {"type": "text"}:  # forces nothing
        said.discard("response_format")
    free = asked.get("tool_choice") in (None, "auto")
    return said <= _DRAFTED and free and asked.get("n") in (None, 1)


def dumped(fields: Mapping[str, Any]) -> bytes:
    """Return the body of a request."""
    return json.dumps(fields, ensure_ascii=False).encode()
