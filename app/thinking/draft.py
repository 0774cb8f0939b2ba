"""The draft of a request that leaves it to the model's doubt whether it thinks."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.surfaces.fields import CHAT
from app.thinking.fixed import Thinking

# With one of these it thinks at once: it asks for more than one answer's text, or it forces tokens,
# whose probabilities say then how well the form fits, not how sure the model is.
_UNDRAFTED = frozenset(
    [
        "add_generation_prompt",
        "add_special_tokens",
        "allowed_token_ids",
        "bad_words",
        "continue_final_message",
        "echo",
        "ignore_eos",
        "logit_bias",
        "logprob_token_ids",
        "min_tokens",
        "prompt_logprobs",
        "repetition_detection",
        "response_format",
        "return_assistant_tokens_mask",
        "return_prompt_text",
        "return_token_ids",
        "return_token_offsets",
        "return_tokens_as_token_ids",
        "structured_outputs",
        "vllm_xargs",
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
    unsaid = [name for name, value in asked.items() if value in (None, [], {}) or value is False]
    said = asked.keys() - unsaid
    if asked.get("response_format") == {"type": "text"}:  # forces nothing
        said -= {"response_format"}
    free = asked.get("tool_choice") in (None, "auto")
    return said <= CHAT - _UNDRAFTED and free and asked.get("n") in (None, 1)
