"""Thinking where the model is in doubt: it is asked without, and again with, if it is not sure.

Of what a model writes without thinking, its own probabilities tell right from wrong: where one of
its tokens was a close call, the answer often is none. How close tells a threshold, which has to be
found for each model (`make calibrate`).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from app.answers.whole import Whole
from app.asgi import (
    App,
    Headers,
    Message,
    Receive,
    Scope,
    Send,
    dumped,
    is_event_stream,
    replayed,
    retrieved,
    send_json,
    whole_body,
    with_length,
)
from app.edge.errors import failure
from app.rewriting import ResponseRewriter, Rewrite, each_line
from app.scope import call_of
from app.streams import Edit, SendWrapper, flatten
from app.thinking.draft import Draft

# Inside a JSON string every quote is escaped, so these byte sequences occur as keys only.
_LOGPROBS = b'"logprobs":'
_TOKENS = (b'"token_ids":', b'"prompt_token_ids":')
_USAGE = b'"usage":'
_REASONING = b'"reasoning":"'
_FINISHED = b'"finish_reason":"'
_EMPTY = b'"delta":{}'
_DECODER = json.JSONDecoder()


class Adaptive:
    """Asks the application behind for a draft, and if that is in doubt for an answer with thinking.

    Nothing of a draft goes out before it is trusted: when it has ended, or is so long that it will
    be. One that isn't is cancelled where it is. The client sees one answer.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._thinking = _Thinking(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request; all but adaptive ones pass untouched."""
        call = call_of(scope)
        if call is None or (draft := call.draft) is None:
            return await self.app(scope, receive, send)
        if draft.fields is not None:
            if (body := await whole_body(receive)) is None:
                return
            if await self._answered(draft, scope, receive, send):
                return
            receive = replayed(body, receive)
        draft.outcome = "thought"
        await self._thinking(scope, receive, send)

    async def _answered(self, draft: Draft, scope: Scope, receive: Receive, send: Send) -> bool:
        """Write the draft; tell whether all has been said with it."""
        body = dumped(draft.fields or {})
        response = _Response(draft, send)
        asked = self.app(with_length(scope, len(body)), replayed(body, receive), response)
        writing = asyncio.ensure_future(asked)
        writing.add_done_callback(retrieved)
        response.cancel = writing.cancel
        try:
            await asyncio.wait((writing,))
        finally:
            if not writing.done():  # this request itself is cancelled: its client has gone
                writing.cancel()
                await asyncio.wait((writing,))
        if response.doubted:
            return False
        writing.result()
        await response.finish()
        return True


class _Response:
    """The `send` of a draft, between the application and the server."""

    def __init__(self, draft: Draft, send: Send) -> None:
        self.doubted = False
        self.cancel: Callable[[], object] = lambda: None  # what ends the draft
        self._draft, self._send = draft, send
        self._next: Callable[[Message], Awaitable[None]] = self._hold
        self._start: Message = {}
        self._held: list[bytes] = []  # events of a stream
        self._whole = None if draft.streamed else Whole(draft.shows)
        self._failed: tuple[int, object] | None = None
        self._tail = b""
        self._ended = False

    async def __call__(self, message: Message) -> None:
        await self._next(message)

    async def finish(self) -> None:
        """Send what could not be sent before the application has returned.

        Only then is it known that no exception breaks off what it has ended.
        """
        if not self._ended:
            return  # all has been sent, or the client has gone
        if self._failed is None and self._whole is not None and self._whole.complete:
            self._draft.outcome = "answered"
            body = _dumped(self._whole.completion())
            start = with_length(self._start, len(body))
            await self._send({**start, "headers": [*start["headers"], self._draft.header]})
            await self._send({"type": "http.response.body", "body": body})
        else:
            await send_json(self._send, *(self._failed or (500, {})))

    async def _hold(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            if message["status"] != 200 or not is_event_stream(message):  # it is an error
                self._next = self._send
                await self._send(message)
        elif message["type"] == "http.response.body":
            self._ended = not message.get("more_body", False)
            *events, self._tail = (self._tail + message.get("body", b"")).split(b"\n\n")
            for number, event in enumerate(events):
                if not self._take(event):
                    return
                long = self._draft.written >= self._draft.most
                if self._draft.streamed and (long or _FINISHED in event):
                    self._held += events[number + 1 :]
                    return await self._trust(message)

    def _take(self, event: bytes) -> bool:
        """Look at an event and keep it; tell whether there may be more."""
        sure = self._draft.trusts(_logprobs(event))
        if failed := failure(event):
            self._failed = failed
            self._next = self._drop
        elif _REASONING in event or not sure:
            self.doubted, self._next = True, self._drop  # a draft that thinks is none
            self.cancel()
        elif self._whole is None:
            self._held.append(event)
        elif event.startswith(b"data: {"):
            self._whole.add(json.loads(event[5:]))
        return self._next == self._hold

    async def _drop(self, message: Message) -> None:
        self._ended = not message.get("more_body", False)

    async def _trust(self, message: Message) -> None:
        """Let out what is held of a stream; what comes after it is passed on."""
        self._draft.outcome = "answered"
        self._ended = False
        start = {**self._start, "headers": [*self._start.get("headers", ()), self._draft.header]}
        await self._send(start)
        stripped = _Stripped(self._draft, self._send)
        self._next = stripped
        held = b"".join(event + b"\n\n" for event in self._held) + self._tail
        self._held = []
        await stripped({**message, "body": held})
        self._next = flatten(stripped)


class _Stripped(SendWrapper):
    """The `send` of a draft that is the answer: without what the client has not asked for."""

    def __init__(self, draft: Draft, send: Send) -> None:
        super().__init__(send)
        self._keys = _TOKENS if draft.shows else (_LOGPROBS, *_TOKENS)
        self._tail = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            body = self._edit(message.get("body", b""))
            if not message.get("more_body", False):
                body += self._tail
            message = {**message, "body": body}
        await self.send(message)

    def edit(self) -> Edit:
        return self._edit

    def _edit(self, body: bytes) -> bytes:
        *events, self._tail = (self._tail + body).split(b"\n\n")
        kept = []
        for event in events:
            if _LOGPROBS in event:
                if _EMPTY in event and _FINISHED not in event:
                    continue  # of a token without text, which has an event only in a draft
                for key in self._keys:
                    event = _changed(event, key, lambda value: None)
            kept.append(event + b"\n\n")
        return b"".join(kept)


class _Thinking(ResponseRewriter):
    """Asks with thinking, after a draft or without one, and says what the draft has cost."""

    def headers(self, scope: Scope) -> Headers:
        """Return the one that says what was decided."""
        call = call_of(scope)
        return [call.draft.header] if call and call.draft else ()

    def rewrite(self, scope: Scope, status: int, streamed: bool) -> Rewrite | None:
        """Take what follows a draft."""
        call = call_of(scope)
        rejected = call.draft.written if call and call.draft else 0
        return _Rejected(rejected) if status == 200 and rejected else None


class _Rejected:
    """Counts the tokens of a rejected draft in the usage, as OpenAI counts a prediction's."""

    marker = _USAGE

    def __init__(self, tokens: int) -> None:
        self._tokens = tokens

    def lines(self, lines: bytes) -> bytes:
        return each_line(self.body, lines)

    def body(self, body: bytes) -> bytes:
        return _changed(body, _USAGE, self._counted)

    def _counted(self, usage: Any) -> Any:
        details = usage.get("completion_tokens_details") or {}
        return {
            **usage,
            "completion_tokens": (usage.get("completion_tokens") or 0) + self._tokens,
            "total_tokens": usage["total_tokens"] + self._tokens,
            "completion_tokens_details": {**details, "rejected_prediction_tokens": self._tokens},
        }


def _logprobs(event: bytes) -> list[float]:
    """Return the log probability of each token that an event has."""
    value, _, _ = _value(event, _LOGPROBS)
    return [token["logprob"] for token in (value or {}).get("content") or ()]


def _changed(data: bytes, key: bytes, change: Callable[[Any], Any]) -> bytes:
    """Return JSON with the value of a key changed, unless it is null, and no other byte."""
    value, start, end = _value(data, key)
    if value is None:
        return data
    return data[:start] + _dumped(change(value)) + data[end:]


def _dumped(value: Any) -> bytes:
    """Return JSON as vLLM writes it, which is what the layers in front know."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def _value(data: bytes, key: bytes) -> tuple[Any, int, int]:
    """Return the value of a key in JSON, and where it begins and ends; None without one."""
    at = data.find(key)
    if at < 0:
        return None, 0, 0
    rest = data[at + len(key) :]
    text = rest.decode("utf-8", "surrogatepass")
    start = len(text) - len(text.lstrip())
    value, end = _DECODER.raw_decode(text, start)
    begins = at + len(key) + start
    length = len(text[start:end].encode("utf-8", "surrogatepass"))
    return value, begins, begins + length
