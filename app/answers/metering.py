"""Sees what each request thinks and answers, and tells the meters (`app.answers.meters`)."""

import asyncio
import re
import time

from app.answers.ends import End, Meter
from app.answers.meters import meters
from app.asgi import App, Message, Receive, Scope, Send
from app.scope import Call, call_of
from app.streams import Edit, SendWrapper

# Inside a JSON string every quote is escaped, so these byte sequences occur as keys only.
_THINKING = re.compile(rb'"reasoning(?:_content)?":\s*"[^"]')
_ANSWER = re.compile(rb'"(?:content|text)":\s*"[^"]|"tool_calls":\s*\[\s*\{')
_PROMPT = re.compile(rb'"prompt_tokens":\s*(\d+)')
_COMPLETION = re.compile(rb'"completion_tokens":\s*(\d+)')
_REJECTED = re.compile(rb'"rejected_prediction_tokens":\s*(\d+)')
_REASONING = re.compile(rb'"reasoning_tokens":\s*(\d+)')


class Metering:
    """Sees each answer in its chat form and counts it."""

    def __init__(self, app: App, meter: Meter | None = None) -> None:
        """Take the application behind.

        Args:
            app: the application behind.
            meter: whom to tell; all that are switched on, by default.
        """
        self.app = app
        self._meter = meter or meters()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request and count it when it has ended, however that is."""
        if (call := call_of(scope)) is None:
            return await self.app(scope, receive, send)
        response = _Response(call, self._meter, send)
        outcome = "error"
        try:
            await self.app(scope, receive, response)
            outcome = response.outcome
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            self._meter.ended(call, response.end(outcome))


class _Response(SendWrapper):
    """The `send` of one response, between the application and the server."""

    def __init__(self, call: Call, meter: Meter, send: Send) -> None:
        super().__init__(send)
        self._call, self._meter = call, meter
        self._status = 0
        self._stream = False
        self._ended = self._failed = False
        self._waits_for_thinking = self._waits_for_answer = call.streamed
        self._usage = b""  # what the usage was last seen in
        self._firsts: dict[str, float] = {}

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        elif message["type"] == "http.response.body":
            body = message.get("body", b"")
            self._ended = not message.get("more_body", False)
            if self._call.streamed:
                self._see(body)
            elif self._status < 400:
                self._usage += body
        await self.send(message)

    def edit(self) -> Edit | None:
        return self._see if self._call.streamed else None

    def _see(self, body: bytes) -> bytes:
        """Look at some events of a stream, and return them."""
        if self._waits_for_answer:
            if self._waits_for_thinking and _THINKING.search(body):
                self._waits_for_thinking = False
                self._began("thinking")
            begins = b'"content":' in body or b'"tool_calls":' in body or b'"text":' in body
            if begins and _ANSWER.search(body):  # slower, and most chunks are of thinking
                self._waits_for_answer = self._waits_for_thinking = False
                self._began("answer")
        if body.endswith(b"]}\n\n"):  # the choices, behind which an error or usage would be
            return body
        if b'"error":' in body:
            self._failed = True
        if b'"usage":{' in body:
            self._usage = body
        return body

    def _began(self, what: str) -> None:
        self._firsts[what] = time.perf_counter() - self._call.started
        self._meter.began(self._call, what, self._firsts[what])

    @property
    def outcome(self) -> str:
        if 400 <= self._status < 500:
            return "invalid"
        if self._status >= 500 or self._failed:
            return "error"
        return "ok" if self._ended else "cancelled"

    def end(self, outcome: str) -> End:
        """Return what is known of the answer now that it has ended so."""
        prompt, completion = _last(_PROMPT, self._usage), _last(_COMPLETION, self._usage)
        if completion is None:
            return End(outcome, firsts=self._firsts)
        thinking = _last(_REASONING, self._usage) or 0
        rejected = _last(_REJECTED, self._usage) or 0
        return End(outcome, (thinking, completion - thinking - rejected), prompt, self._firsts)


def _last(number: re.Pattern[bytes], text: bytes) -> int | None:
    """Return the last number that is there by this pattern."""
    found = number.findall(text)
    return int(found[-1]) if found else None
