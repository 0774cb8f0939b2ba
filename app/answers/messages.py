"""A chat completion as a message of Anthropic's Messages API, whole or streamed."""

import json
import types
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import suppress
from typing import Any

from app.answers.chat import is_object

_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
# How vLLM begins a block of thinking, and how Anthropic does.
_BEGUN = '"content_block":{"type":"thinking","thinking":""}'
_SIGNED = '"content_block":{"type":"thinking","thinking":"","signature":""}'
_ERROR_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


class MessagesAnswer:
    """Turns a chat completion into a message."""

    def __init__(self) -> None:
        from vllm.entrypoints.anthropic.serving import AnthropicServingMessages

        # Of the server that the converter is a method of, it needs no more than this.
        server: Any = types.SimpleNamespace(stop_reason_map=_STOP_REASONS)
        convert = AnthropicServingMessages.message_stream_converter
        self._stream = _Pushed(lambda lines: convert(server, lines))
        self._begun = self._calls = False
        self._finished: str | None = None
        self._complete = False  # message_delta, which says how it ended, has gone out

    def whole(self, body: bytes) -> dict[str, Any]:
        """Return the message.

        Raises:
            RuntimeError: the completion has not come to its end.
        """
        from vllm.entrypoints.anthropic.serving import AnthropicServingMessages
        from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionResponse

        completion = ChatCompletionResponse.model_validate_json(body)
        choice = completion.choices[0]
        if choice.finish_reason not in _STOP_REASONS:
            raise RuntimeError(f"the completion ended with {choice.finish_reason}")
        for call in choice.message.tool_calls:
            if not is_object(call.function.arguments):  # cut off by max_tokens
                call.function.arguments = "{}"
        if choice.message.tool_calls and not isinstance(choice.stop_reason, str):
            # OpenAI's reason for a call that the request has named is `stop`.
            choice.finish_reason = choice.finish_reason.replace("stop", "tool_calls")
        server: Any = None  # the converter uses nothing of it
        converted = AnthropicServingMessages.messages_full_converter(server, completion)
        message: dict[str, Any] = converted.model_dump(mode="json", exclude_none=True)
        message["id"] = _identifier(message["id"])
        message.setdefault("stop_sequence", None)
        if completion.usage is not None:
            message["usage"] |= _details(completion.usage.model_dump())
        return message

    def event(self, data: bytes) -> bytes:
        """Return the events of one chunk."""
        line = f"data: {data.decode()}"
        events = ""
        if not self._begun:  # the converter takes the start of the message from it, and no text
            self._begun = True
            events = self._converted(line.replace('"id":"chatcmpl-', '"id":"msg_', 1))
        if b'"finish_reason":null' in data:  # all but the last two
            self._calls = self._calls or b'"tool_calls":[{' in data
            return (events + self._converted(line)).encode()
        chunk = json.loads(data)
        self._calls = self._calls or b'"tool_calls":[{' in data
        if self._calls and not any(
            isinstance(choice.get("stop_reason"), str) for choice in chunk.get("choices", ())
        ):
            # OpenAI's reason for a call that the request has named is `stop`.
            line = line.replace('"finish_reason":"stop"', '"finish_reason":"tool_calls"')
        events += self._converted(line)
        for choice in chunk.get("choices", ()):
            self._finished = choice.get("finish_reason") or self._finished
        before, mark, delta = events.partition("event: message_delta\ndata: ")
        if mark:
            self._complete = self._finished in _STOP_REASONS
            event = json.loads(delta)
            event["delta"].setdefault("stop_sequence", None)
            event["usage"] |= _details(chunk.get("usage"))
            events = f"{before}{mark}{json.dumps(event)}\n\n"
        return events.encode()

    def done(self) -> bytes | None:
        """Return the end of the message; None if the completion has not come to its own."""
        return self._converted("data: [DONE]").encode() if self._complete else None

    def failed(self, status: int, error: dict[str, Any]) -> bytes:
        """Return Anthropic's error event."""
        kind = "api_error" if status >= 500 else "invalid_request_error"
        inner = {"type": _ERROR_TYPES.get(status, kind), "message": error["message"]}
        return (
            b"event: error\ndata: %s\n\n" % json.dumps({"type": "error", "error": inner}).encode()
        )

    def _converted(self, line: str) -> str:
        events = self._stream.push(line)
        if len(events) == 1:  # as in most of a stream: a delta
            return events[0]
        return "".join(events).replace(_BEGUN, _SIGNED)

    def close(self) -> None:
        """Let the converter end."""
        self._stream.close()


def _identifier(completion: str) -> str:
    """Return the id of a message, given that of a chat completion."""
    return f"msg_{completion.removeprefix('chatcmpl-')}"


def _details(usage: dict[str, Any] | None) -> dict[str, Any]:
    """Return what Anthropic's usage says of the thinking, given that of a chat completion."""
    details = dict((usage or {}).get("completion_tokens_details") or {})
    if "reasoning_tokens" in details:
        details["thinking_tokens"] = details.pop("reasoning_tokens")
    return {"output_tokens_details": details} if details else {}


@types.coroutine
def _pause() -> Generator[None, None, None]:
    """Give the word back to whoever runs the coroutine."""
    yield


class _Pushed:
    """Runs an async generator over lines by hand: a line in, and its events come out.

    vLLM's converter asks for lines where ASGI gives them. It awaits nothing else, so it needs no
    task of its own with a queue before it, and no turn of the event loop for each chunk.
    """

    def __init__(
        self, convert: Callable[[AsyncGenerator[str, None]], AsyncGenerator[str, None]]
    ) -> None:
        self._events = convert(self._lines())
        self._waiting: Any = None  # the converter's call for a line
        self._line: str | None = None
        self._closed = False

    async def _lines(self) -> AsyncGenerator[str, None]:
        while not self._closed:
            if self._line is None:
                await _pause()
            else:
                line, self._line = self._line, None
                yield line

    def push(self, line: str) -> list[str]:
        """Return the events of a line.

        Raises:
            RuntimeError: the converter failed. It has logged why, and given an event with the
                reason in it that is for no client.
        """
        self._line = line
        events = []
        while True:
            step: Any = self._waiting or self._events.__anext__()
            self._waiting = None
            try:
                step.send(None)
            except StopIteration as event:
                events.append(str(event.value))
            except StopAsyncIteration:
                raise RuntimeError("vLLM's converter failed") from None
            else:
                self._waiting = step
                return events

    def close(self) -> None:
        """Let the generator run out, so that no event loop has to."""
        self._closed = True
        if self._waiting is not None:
            with suppress(StopAsyncIteration, StopIteration):
                self._waiting.send(None)
