"""The names of the thinking: `reasoning` (vLLM since 2026) and `reasoning_content` (before).

And the newlines that a model writes between its thinking and its answer: they are part of neither.
"""

import json
import re

from app.asgi import Scope
from app.rewriting import ResponseRewriter, Rewrite, each_line
from app.scope import call_of

# Inside a JSON string every quote is escaped, so these byte sequences occur as keys only. A choice
# gives its index before its message or delta, which tells whose thinking a value is.
_KEYS = re.compile(
    rb'"index":\s*(\d+)|"reasoning":(\s*)(null|"[^"\\]*(?:\\.[^"\\]*)*")'
    rb'|"content":(\s*)"(?:\\[nr])*(?=(.))'
)

# How vLLM begins a choice that is a piece of thinking and nothing else.
_ONLY_THINKING = b'"index":0,"delta":{"reasoning":"'

_BACKSLASH = ord("\\")

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

    An answer that follows thinking loses the newlines that it begins with.
    """

    def __init__(self, fields: str, thinks: bool, choices: int | None) -> None:
        """Take what is known of the request.

        Args:
            fields: the names: both | reasoning | reasoning_content.
            thinks: whether it thinks.
            choices: how many answers it asks for; None if that isn't known.
        """
        self._fields, self._named = fields, _NAMED[fields]
        self._only = choices == 1
        self._unanswered = (choices or 1) if thinks else 0  # choices whose answer has not begun
        self._answering: set[bytes] = set()
        self.marker = b'"index"' if thinks else b'"reasoning"'
        self._index = b"0"
        self._held: dict[bytes, bytes] = {}  # choice index -> white space, as JSON string content
        self._thinking: set[bytes] = set()  # choices whose visible thinking has begun

    def lines(self, lines: bytes) -> bytes:
        if self._only and self._thinking and (event := self._among_thinking(lines)):
            return event
        return each_line(self._line, lines)

    def _line(self, line: bytes) -> bytes:
        if not line.startswith(b"data:") or b'"reasoning_content":' in line:
            return line
        return _KEYS.sub(self._in_stream, line)

    def _among_thinking(self, event: bytes) -> bytes:
        """Return what replaces an event of an only choice whose thinking has begun.

        As nearly all of a stream are: one event with nothing but thinking in it. For others this
        is b"". Inside a string a backslash comes before a quote, so the first without one ends it.
        """
        key = event.find(_ONLY_THINKING)
        text = key + len(_ONLY_THINKING)
        end = event.find(b'"', text)
        ends = key > 0 and event[end - 1] != _BACKSLASH and event[end + 1 : end + 2] == b"}"
        if not ends or event.count(b"\n") != 2:
            return b""
        if self._fields == "both":
            return event[: end + 1] + b',"reasoning_content":' + event[text - 1 :]
        if self._fields == "reasoning":
            return event
        return event[:key] + _ONLY_THINKING.replace(b"ing", b"ing_content") + event[text:]

    def body(self, body: bytes) -> bytes:
        if b'"reasoning_content":' in body:
            return body
        return _KEYS.sub(self._in_body, body)

    def _in_body(self, match: re.Match[bytes]) -> bytes:
        if match[5]:
            return b'"content":%b"' % match[4] if self._unanswered else match[0]
        if (value := match[3]) is None:
            return match[0]
        return self._with(match[2], b"null" if _is_blank(value) else value)

    def _in_stream(self, match: re.Match[bytes]) -> bytes:
        if match[5]:
            return self._answer(match)
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

    def _answer(self, match: re.Match[bytes]) -> bytes:
        if not self._unanswered or self._index in self._answering:
            return match[0]
        if match[5] != b'"':
            self._answering.add(self._index)
            self._unanswered -= 1
            if not self._unanswered:  # as for most of a stream
                self.marker = b'"reasoning"'
        return b'"content":%b"' % match[4]

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

    These are both, unless the values of the model have one (`app.thinking.fixed`).
    """

    def rewrite(self, scope: Scope, status: int, streamed: bool) -> Rewrite | None:
        """Take successful chat completions; other APIs have shapes of their own."""
        chat = scope["path"].endswith("/chat/completions")
        if not chat or status >= 400:
            return None
        if (call := call_of(scope)) is None:
            return _Names("both", False, None)
        return _Names(call.fields, call.thinks, call.choices)
