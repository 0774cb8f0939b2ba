"""A streamed chat completion as the whole one that it would have been."""

from typing import Any


class Whole:
    """Joins the chunks of a stream of one choice, each as it comes."""

    def __init__(self, logprobs: bool) -> None:
        """Take whether it is to have its log probabilities."""
        self._logprobs = logprobs
        self._first: dict[str, Any] = {}
        self._texts: dict[str, list[str]] = {}
        self._calls: dict[int, dict[str, Any]] = {}
        self._tokens: list[Any] = []
        self._end: dict[str, Any] = {}
        self._usage: Any = None
        self._fingerprint: Any = None

    def add(self, chunk: dict[str, Any]) -> None:
        """Take the next chunk."""
        self._first = self._first or chunk
        self._usage = chunk.get("usage") or self._usage
        self._fingerprint = chunk.get("system_fingerprint") or self._fingerprint
        for choice in chunk["choices"]:
            delta = choice["delta"]
            for name in ("content", "reasoning"):
                if text := delta.get(name):
                    self._texts.setdefault(name, []).append(text)
            for piece in delta.get("tool_calls") or ():
                self._call(piece)
            if self._logprobs:
                self._tokens += (choice.get("logprobs") or {}).get("content") or ()
            if choice.get("finish_reason"):
                self._end = choice

    @property
    def complete(self) -> bool:
        """Whether the stream has come to its end, with its usage."""
        return bool(self._end) and self._usage is not None

    def completion(self) -> dict[str, Any]:
        """Return the chat completion, in the form of vLLM's own, once it is complete."""
        from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionResponse

        message: dict[str, Any] = {"role": "assistant"}
        message |= {name: "".join(texts) for name, texts in self._texts.items()}
        if self._calls:
            message["tool_calls"] = [self._calls[index] for index in sorted(self._calls)]
        message.setdefault("content", None if self._calls else "")
        choice = {
            "index": 0,
            "message": message,
            "logprobs": {"content": self._tokens} if self._logprobs else None,
            "finish_reason": self._end["finish_reason"],
            "stop_reason": self._end.get("stop_reason"),
        }
        completion = ChatCompletionResponse.model_validate(
            {
                "id": self._first["id"],
                "created": self._first["created"],
                "model": self._first["model"],
                "choices": [choice],
                "system_fingerprint": self._fingerprint,
                "usage": self._usage,
            }
        )
        dumped: dict[str, Any] = completion.model_dump(mode="json")
        return dumped

    def _call(self, piece: dict[str, Any]) -> None:
        """Add a piece of a tool call to those that there are."""
        function = piece.get("function") or {}
        empty = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
        call = self._calls.setdefault(piece["index"], empty)
        call["id"] = piece.get("id") or call["id"]
        call["function"]["name"] += function.get("name") or ""
        call["function"]["arguments"] += function.get("arguments") or ""
