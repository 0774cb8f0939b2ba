"""The names of the thinking: `reasoning` (vLLM since 2026) and `reasoning_content` (before)."""

import json
import re

from app.asgi import ResponseRewriter, Rewrite, Scope
from app.policy import fields

# Inside a JSON string every quote is escaped, so these byte sequences occur as keys only. A choice
# gives its index before its message or delta, which tells whose thinking a value is.
_KEYS = re.compile(rb'"index":\s*(\d+)|"reasoning":(\s*)(null|"[^"\\]*(?:\\.[^"\\]*)*")')


# {fields: what stands in place of a `reasoning`, its value and the space before that}
_NAMED = {
    "both": b'"reasoning":%(space)b%(value)b,"reasoning_content":%(value)b',
    "reasoning": b'"reasoning":%(space)b%(value)b',
    "reasoning_content": b'"reasoning_content":%(space)b%(value)b',
}


class _Names:
    """Gives each `reasoning` its names and touches no other byte.

    Thinking that is only white space (what `/no_think` leaves) becomes null. In a stream that is
    known only later, so leading white space waits, per choice, for the first visible thinking.
    """

    marker = b'"reasoning"'

    def __init__(self, fields: str) -> None:
        self._named = _NAMED[fields]
        self._index = b"0"
        self._held: dict[bytes, bytes] = {}  # choice index -> white space, as JSON string content
        self._thinking: set[bytes] = set()  # choices whose visible thinking has begun

    def line(self, line: bytes) -> bytes:
        if not line.startswith(b"data:") or b'"reasoning_content":' in line:
            return line
        return _KEYS.sub(self._in_stream, line)

    def body(self, body: bytes) -> bytes:
        if b'"reasoning_content":' in body:
            return body
        return _KEYS.sub(self._in_body, body)

    def _in_body(self, match: re.Match[bytes]) -> bytes:
        if (value := match[3]) is None:
            return match[0]
        return self._with(match[2], b"null" if _is_blank(value) else value)

    def _in_stream(self, match: re.Match[bytes]) -> bytes:
        space, value = match[2], match[3]
        if value is None:
            self._index = match[1]
            return match[0]
        if value == b"null" or self._index in self._thinking:
            return self._with(space, value)
        text = self._held.pop(self._index, b"") + value[1:-1]
        if _is_blank(b'"%s"' % text):
            self._held[self._index] = text
            return self._with(space, b"null")
        self._thinking.add(self._index)
        return self._with(space, b'"%s"' % text)

    def _with(self, space: bytes, value: bytes) -> bytes:
        return self._named % {b"space": space, b"value": value}


def _is_blank(value: bytes) -> bool:
    """Tell whether a JSON string is white space only, escaped or not."""
    try:
        return value != b"null" and not json.loads(value).strip()
    except ValueError:
        return False


class ReasoningNames(ResponseRewriter):
    """Gives chat clients the thinking under its names, in messages and in streamed deltas.

    These are both, unless the values of the model have one (`app.policy`).
    """

    def rewrite(self, scope: Scope, status: int, streamed: bool) -> Rewrite | None:
        """Take successful chat completions; other APIs have shapes of their own."""
        chat = scope["path"].endswith("/chat/completions")
        return _Names(fields(scope)) if chat and status < 400 else None
