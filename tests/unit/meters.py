"""A meter that keeps what it counts, for tests without Ray."""

from typing import Any

from app.answers.ends import End
from app.scope import Call


class Kept:
    """Keeps every count."""

    def __init__(self) -> None:
        self.refusals: list[tuple[Call, str]] = []
        self.ends: list[tuple[Call, End]] = []
        self.firsts: list[tuple[str, float]] = []

    def refused(self, call: Call, reason: str) -> None:
        self.refusals.append((call, reason))

    def ended(self, call: Call, end: End) -> None:
        self.ends.append((call, end))

    def began(self, call: Call, what: str, seconds: float) -> None:
        self.firsts.append((what, seconds))

    @property
    def ended_as(self) -> Any:
        """The (outcome, tokens) of the only request."""
        ((_, end),) = self.ends
        return end.outcome, end.tokens
