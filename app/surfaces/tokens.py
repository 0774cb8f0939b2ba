"""Anthropic's count_tokens: https://platform.claude.com/docs/en/api/messages-count-tokens"""

import json
from typing import Any

# Of a chat completion, what its prompt is made of
_PROMPT = (
    "add_generation_prompt",
    "add_special_tokens",
    "chat_template_kwargs",
    "continue_final_message",
    "messages",
    "model",
    "tools",
)


def tokenized(chat: dict[str, Any]) -> dict[str, Any]:
    """Return what /tokenize is asked for the length of a chat completion's prompt."""
    return {name: chat[name] for name in _PROMPT if name in chat}


def shortest(chat: dict[str, Any]) -> dict[str, Any]:
    """Return the chat completion that costs least and says how long its prompt is."""
    lane = {"priority": chat["priority"]} if "priority" in chat else {}
    return {**tokenized(chat), **lane, "max_completion_tokens": 1, "temperature": 0}


class Count:
    """Turns the answer of either into the number."""

    def whole(self, body: bytes) -> dict[str, Any]:
        """Return Anthropic's object, given a tokenized prompt or a chat completion."""
        answer = json.loads(body)
        count = answer["count"] if "count" in answer else answer["usage"]["prompt_tokens"]
        return {"input_tokens": count}

    def event(self, data: bytes) -> bytes:
        """Return nothing: a count is never streamed."""
        return b""

    def done(self) -> bytes | None:
        """Return nothing likewise."""
        return None

    def failed(self, status: int, error: dict[str, Any]) -> bytes:
        """Return nothing likewise."""
        return b""

    def close(self) -> None:
        """Do nothing: nothing is held."""
