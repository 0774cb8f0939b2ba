"""What a check says."""

from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "ok"]


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Args:
        severity: error: the release would not start, or not answer. warning: it may not, or nobody
            could tell.
        what: was found.
        why: it matters. Empty where all is well.
        mend: the command, or the value of the chart, that mends it.
        data: the figures, for programs.
    """

    severity: Severity
    what: str
    why: str = ""
    mend: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def error(what: str, why: str, mend: str, **data: Any) -> Finding:
    """Return an error; it needs a reason and a way out."""
    return Finding("error", what, why, mend, data)


def warning(what: str, why: str, mend: str = "", **data: Any) -> Finding:
    """Return a warning; it needs a reason."""
    return Finding("warning", what, why, mend, data)


def ok(what: str, **data: Any) -> Finding:
    """Return what is well."""
    return Finding("ok", what, data=data)
