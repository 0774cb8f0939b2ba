"""What is known of a request when it has ended, and who wants to know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from app.scope import Call


@dataclass(frozen=True)
class End:
    """How a request has ended."""

    outcome: str  # ok | invalid (a 4xx of the engine) | error (of the server) | cancelled
    tokens: tuple[int, int] | None = None  # of the thinking and of the answer, where known
    prompt: int | None = None  # tokens, where known
    # Seconds from the request to the first token of its `thinking` and `answer`, of streams
    firsts: Mapping[str, float] = field(default_factory=dict)


class Meter(Protocol):
    """Where requests are counted, or written down."""

    def refused(self, call: Call, reason: str) -> None:
        """Take a request that the policy has refused, by the code of its error."""

    def began(self, call: Call, what: str, seconds: float) -> None:
        """Take when a stream's first token of `thinking` or `answer` came, since its request."""

    def ended(self, call: Call, end: End) -> None:
        """Take a request that has ended, however that is."""
