"""What is counted of thinking, on the port of Ray's own metrics, where names begin with `ray_`.

Labels are bounded: a key is known by its name, a model that isn't served is "unknown".
"""

import functools
from collections.abc import Sequence
from typing import Any

from app.answers.ends import End
from app.scope import Call

_LABELS = ("model", "surface", "mode", "key")
_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]
_PROBABILITIES = [0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 1]
_TOKENS = [1, 16, 64, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768]


class RayMeter:
    """A `Meter` of Ray's metrics, which every worker process of it exports."""

    def __init__(self) -> None:
        # Here, so that all else of this package can be imported, and tested, without Ray.
        from ray.util.metrics import Counter, Histogram

        def counter(name: str, text: str, *more: str) -> Any:
            return Counter(f"hybrid_llm_{name}", text, (*_LABELS, *more))

        def histogram(name: str, text: str, boundaries: Sequence[float]) -> Any:
            return Histogram(f"hybrid_llm_{name}", text, boundaries, _LABELS)

        self._requests = counter("requests_total", "Requests that have ended.", "outcome")
        self._refusals = counter("refusals_total", "Requests refused by policy.", "reason")
        self._hits = counter("budget_hits_total", "Requests whose thinking met its budget.")
        self._rejected = counter(
            "rejected_draft_tokens_total", "Tokens of drafts that were not trusted."
        )
        self._confidence = histogram(
            "draft_confidence", "The smallest probability of a draft's tokens.", _PROBABILITIES
        )
        # Counted besides: Ray makes the sum of a histogram out of the middles of its buckets.
        self._tokens = {
            what: (
                counter(f"{what}_tokens_total", f"Tokens of {what}."),
                histogram(f"request_{what}_tokens", f"Tokens of {what} a request.", _TOKENS),
            )
            for what in ("thinking", "answer")
        }
        self._first = {
            what: histogram(
                f"time_to_first_{what}_token_seconds",
                f"From a request to the first token of its {what}, in streams.",
                _SECONDS,
            )
            for what in ("thinking", "answer")
        }

    def refused(self, call: Call, reason: str) -> None:
        self._refusals.inc(1, {**_labels(call), "mode": "none", "reason": reason})

    def ended(self, call: Call, end: End) -> None:
        labels = _labels(call)
        self._requests.inc(1, {**labels, "outcome": end.outcome})
        if (draft := call.draft) and draft.written:
            self._confidence.observe(draft.confidence, labels)
            if draft.outcome == "thought":
                self._rejected.inc(draft.written, labels)
        if end.tokens is None:
            return
        thinking, answer = end.tokens
        budget = call.decision.budget
        if call.thinks:
            self._count("thinking", thinking, labels)
            if budget is not None and thinking >= budget:
                self._hits.inc(1, labels)
        self._count("answer", answer, labels)

    def began(self, call: Call, what: str, seconds: float) -> None:
        self._first[what].observe(seconds, _labels(call))

    def _count(self, what: str, tokens: int, labels: dict[str, str]) -> None:
        total, distribution = self._tokens[what]
        if tokens:  # Ray takes no increment of 0
            total.inc(tokens, labels)
        distribution.observe(tokens, labels)


def _labels(call: Call) -> dict[str, str]:
    # Ray refuses an empty label.
    key = call.key or "none"
    return {"model": call.model, "surface": call.surface, "mode": call.mode, "key": key}


@functools.cache
def ray_meter() -> RayMeter:
    """Return this process's meter; Ray has each metric once a process."""
    return RayMeter()
