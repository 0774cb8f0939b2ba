"""A chat completion as OpenAI gives it, where vLLM's is another.

https://platform.openai.com/docs/api-reference/chat
"""

import json
import re
from collections import defaultdict
from typing import Any

from app.asgi import Message, Receive, Scope, Send
from app.rewriting import ResponseRewriter, Rewrite
from app.scope import Call, call_of
from app.streams import Edit, SendWrapper

# Inside a JSON string every quote is escaped, so these byte sequences occur as keys only.
_USAGE = b'"usage":{'
_CALLS = b'"tool_calls":[{'
_CALLED = b'"finish_reason":"tool_calls"'
_FINGERPRINT = re.compile(rb',"system_fingerprint":"[^"]*"')


class ChatCompletions(ResponseRewriter):
    """Gives chat completions, whole and streamed, what OpenAI's have.

    - An answer has ended with a call only where the call came to its end, and there was one.
    - The content of an answer without any is null.
    - A stream has its usage if the client asked for it, and null in all events before. vLLM gives
      the `system_fingerprint` in the last of a stream alone; there it has none.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request; what isn't for a model passes untouched."""
        if (call := call_of(scope)) is None:
            return await self.app(scope, receive, send)
        if call.streamed:
            return await self.app(scope, receive, _Stream(call, send))
        await super().__call__(scope, receive, send)

    def rewrite(self, scope: Scope, status: int, streamed: bool) -> Rewrite | None:
        """Take whole chat completions."""
        chat = scope["path"].endswith("/chat/completions")
        return _Whole() if chat and status == 200 and not streamed else None


class _Whole:
    """Gives a whole chat completion its shape."""

    marker = b"data:"

    def lines(self, lines: bytes) -> bytes:
        return lines

    def body(self, body: bytes) -> bytes:
        if b'"content":""' not in body and _CALLED not in body:  # as nearly all are
            return body
        try:
            completion = json.loads(body)
        except (ValueError, RecursionError):
            return body
        for choice in completion["choices"]:
            message = choice["message"]
            calls = message.get("tool_calls")
            if message["content"] == "" and (calls or message.get("reasoning")):
                message["content"] = None
            if choice["finish_reason"] == "tool_calls":
                arguments = [call["function"]["arguments"] for call in calls or ()]
                choice["finish_reason"] = _finish(arguments, choice.get("stop_reason"))
        return json.dumps(completion, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"
        )


class _Stream(SendWrapper):
    """The `send` of one streamed answer, between the application and the server."""

    def __init__(self, call: Call, send: Send) -> None:
        super().__init__(send)
        self._hides = call.hides_usage
        self._fills = call.surface == "chat_completions" and not call.hides_usage
        self._tools = call.tools
        self._calls: list[bytes] = []  # the events with calls so far
        self._every = self._fills  # whether every event has to be looked at

    async def __call__(self, message: Message) -> None:
        if body := message.get("body", b""):
            message = {**message, "body": self._edit(body)}
        await self.send(message)

    def edit(self) -> Edit | None:
        return self._edit

    def _edit(self, body: bytes) -> bytes:
        # Usage stands behind the choices.
        ordinary = body.endswith(b"]}\n\n") and not (self._tools and _CALLS in body)
        return self._events(body) if body and (self._every or not ordinary) else body

    def _events(self, body: bytes) -> bytes:
        """Return what replaces some events."""
        if not (self._calls or _CALLS in body or _USAGE in body or b'"error":' in body):
            return body.replace(b"}\n\n", b',"usage":null}\n\n') if self._fills else body
        return b"\n\n".join(
            event for given in body.split(b"\n\n") if (event := self._event(given)) is not None
        )

    def _event(self, event: bytes) -> bytes | None:
        if _CALLS in event:
            self._calls.append(event)
            self._every = True
        if self._calls and _CALLED in event:
            event = self._called(event)
        if _USAGE in event:
            if self._hides and b'"choices":[]' in event:
                return None
            return _FINGERPRINT.sub(b"", event)
        if self._fills and event.endswith(b"}") and b'"error":' not in event:
            return event[:-1] + b',"usage":null}'
        return event

    def _called(self, event: bytes) -> bytes:
        """Return the last event of a choice with its finish reason."""
        (choice,) = json.loads(event[5:])["choices"]
        arguments: dict[int, str] = defaultdict(str)
        for seen in self._calls:
            for other in json.loads(seen[5:])["choices"]:
                if other["index"] == choice["index"]:
                    for call in other["delta"].get("tool_calls") or ():
                        function = call.get("function") or {}
                        arguments[call["index"]] += function.get("arguments") or ""
        reason = _finish(list(arguments.values()), choice.get("stop_reason"))
        return event.replace(_CALLED, b'"finish_reason":"%s"' % reason.encode())


def _finish(arguments: list[str], stop: Any) -> str:
    """Return why an answer has ended of which vLLM says that it was for its calls.

    Args:
        arguments: those of each call. Some parsers give none to a function that takes none.
        stop: the `stop_reason`: the text that ended it, if one did.
    """
    if arguments and all(text == "" or is_object(text) for text in arguments):
        return "tool_calls"
    return "stop" if isinstance(stop, str) or not arguments else "length"


def is_object(text: str) -> bool:
    """Tell whether a text is a JSON object, as the arguments of a call that is whole are."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
