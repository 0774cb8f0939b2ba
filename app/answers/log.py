"""The request log: a line of JSON for each request, with what was decided, used and waited for.

Never what was asked or answered, and no key but by its name.
"""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from app.answers.ends import End
from app.answers.spans import trace_id
from app.scope import Call

PATH = "HYBRID_LLM_REQUEST_LOG"  # the file to append to; none, no log


class RequestLog:
    """A `Meter` that writes a line for each request when it has ended, or was refused."""

    def __init__(self, write: Callable[[bytes], Any]) -> None:
        """Take what writes a whole line at once, or raises OSError where it can't now."""
        self._write = write
        self._lost = 0

    def refused(self, call: Call, reason: str) -> None:
        self._line(call, outcome="refused", reason=reason)

    def began(self, call: Call, what: str, seconds: float) -> None:
        pass  # the end tells

    def ended(self, call: Call, end: End) -> None:
        thinking, answer = end.tokens or (None, None)
        draft = call.draft if call.draft and call.draft.written else None
        self._line(
            call,
            mode=call.mode,
            lane=call.lane or None,
            budget=call.decision.budget if call.thinks else None,
            outcome=end.outcome,
            prompt_tokens=end.prompt,
            thinking_tokens=thinking,
            answer_tokens=answer,
            draft_tokens=draft.written if draft else None,
            draft_confidence=round(draft.confidence, 4) if draft else None,
            seconds_to_first_thinking_token=_rounded(end.firsts.get("thinking")),
            seconds_to_first_answer_token=_rounded(end.firsts.get("answer")),
        )

    def _line(self, call: Call, **more: Any) -> None:
        known = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "request_id": call.request_id or None,
            "trace_id": trace_id(),
            "key": call.key or None,
            "model": call.model,
            "surface": call.surface,
            "streamed": call.streamed,
            **more,
            "seconds": _rounded(time.perf_counter() - call.started),
            "lines_lost_before": self._lost or None,
        }
        line = json.dumps({name: value for name, value in known.items() if value is not None})
        try:
            self._write(line.encode() + b"\n")
            self._lost = 0
        except OSError:  # nobody reads it, or the disk is full: no matter to those who ask
            self._lost += 1


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)


def request_log() -> RequestLog | None:
    """Return the log that $HYBRID_LLM_REQUEST_LOG names, None without one.

    Raises:
        OSError: that file can't be written.
    """
    if not (path := os.environ.get(PATH)):
        return None
    # Each line is one write, at most 4 KiB: several processes' lines stay whole.
    opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o600)
    return RequestLog(lambda line: os.write(opened, line))
