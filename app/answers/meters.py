"""All that want to know of each request: metrics, and by a variable each the log and the spans."""

import functools

from app.answers.ends import End, Meter
from app.answers.log import request_log
from app.answers.metrics import ray_meter
from app.answers.spans import Spans
from app.scope import Call


class _All:
    """Tells each of several meters."""

    def __init__(self, *meters: Meter) -> None:
        self._meters = meters

    def refused(self, call: Call, reason: str) -> None:
        for meter in self._meters:
            meter.refused(call, reason)

    def began(self, call: Call, what: str, seconds: float) -> None:
        for meter in self._meters:
            meter.began(call, what, seconds)

    def ended(self, call: Call, end: End) -> None:
        for meter in self._meters:
            meter.ended(call, end)


@functools.cache
def meters() -> Meter:
    """Return this process's meters as one.

    Raises:
        OSError: the request log can't be written.
    """
    log = request_log()
    return _All(ray_meter(), Spans(), *([log] if log else []))
