"""A streamed chat completion as the whole one that it would have been."""

from collections.abc import Iterable
from typing import Any


def whole(chunks: Iterable[dict[str, Any]], logprobs: bool) -> dict[str, Any]:
    """Return the chat completion of one choice, in the form of vLLM's own.

    Args:
        chunks: those of a stream, with its usage.
        logprobs: whether it is to have its log probabilities.

    Raises:
        RuntimeError: the stream has not come to its end.
    """
    from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionResponse

    first: dict[str, Any] = {}
    texts: dict[str, str] = {}
    calls: dict[int, dict[str, Any]] = {}
    tokens: list[Any] = []
    end: dict[str, Any] = {}
    usage = fingerprint = None
    for chunk in chunks:
        first = first or chunk
        usage = chunk.get("usage") or usage
        fingerprint = chunk.get("system_fingerprint") or fingerprint
        for choice in chunk["choices"]:
            delta = choice["delta"]
            for name in ("content", "reasoning"):
                if (text := delta.get(name)) is not None:
                    texts[name] = texts.get(name, "") + text
            for piece in delta.get("tool_calls") or ():
                _add(calls, piece)
            tokens += (choice.get("logprobs") or {}).get("content") or ()
            if choice.get("finish_reason"):
                end = choice
    if not end or usage is None:
        raise RuntimeError("a stream ended before its end")
    message: dict[str, Any] = {"role": "assistant", "content": texts.get("content") or None}
    if reasoning := texts.get("reasoning"):
        message["reasoning"] = reasoning
    if calls:
        message["tool_calls"] = [calls[index] for index in sorted(calls)]
    elif message["content"] is None:
        message["content"] = ""
    choice = {
        "index": 0,
        "message": message,
        "logprobs": {"content": tokens} if logprobs else None,
        "finish_reason": end["finish_reason"],
        "stop_reason": end.get("stop_reason"),
    }
    completion = ChatCompletionResponse.model_validate(
        {
            "id": first["id"],
            "created": first["created"],
            "model": first["model"],
            "choices": [choice],
            "system_fingerprint": fingerprint,
            "usage": usage,
        }
    )
    dumped: dict[str, Any] = completion.model_dump(mode="json")
    return dumped


def _add(calls: dict[int, dict[str, Any]], piece: dict[str, Any]) -> None:
    """Add a piece of a tool call to those that there are."""
    function = piece.get("function") or {}
    call = calls.setdefault(
        piece["index"], {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
    )
    call["id"] = piece.get("id") or call["id"]
    call["function"]["name"] += function.get("name") or ""
    call["function"]["arguments"] += function.get("arguments") or ""
