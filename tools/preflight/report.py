"""What was found, for people and for programs."""

import dataclasses
import json
import sys
from collections.abc import Sequence

from .finding import Finding

Found = Sequence[tuple[str, Finding]]

_MARKS = {"error": "✗", "warning": "!", "ok": "✓"}
_COLOURS = {"error": "\033[31m", "warning": "\033[33m", "ok": "\033[32m"}


def shown(found: Found, where: str) -> str:
    """Return all findings, one below the other; the last line says what comes of them."""
    coloured = sys.stdout.isatty()
    lines = [f"preflight: {where}", ""]
    for check, one in sorted(found, key=lambda each: list(_MARKS).index(each[1].severity)):
        mark = _MARKS[one.severity]
        if coloured:
            mark = f"{_COLOURS[one.severity]}{mark}\033[0m"
        lines.append(f"{mark} {check.replace('_', ' '):12} {one.what}")
        lines += [f"{'':15}why: {one.why}"] if one.why else []
        lines += [f"{'':15}do:  {line}" for line in one.mend.splitlines()]
    errors = sum(one.severity == "error" for _, one in found)
    warnings = sum(one.severity == "warning" for _, one in found)
    unchecked = any(one.data.get("checked") is False for _, one in found)
    lines += ["", verdict(errors, warnings, unchecked)]
    return "\n".join(lines)


def verdict(errors: int, warnings: int, unchecked: bool) -> str:
    """Return the last line.

    Args:
        errors: how many were found.
        warnings: how many were found.
        unchecked: whether something could not be looked at.
    """
    noted = f", {warnings} to know of (!)" if warnings else ""
    if errors:
        return f"It will not start: {errors} in the way (✗){noted}."
    nothing = "Nothing that could be checked" if unchecked else "Nothing"
    return f"{nothing} is in the way{noted}."


def as_json(found: Found) -> str:
    """Return all findings as JSON."""
    errors = sum(one.severity == "error" for _, one in found)
    listed = [{"check": check, **dataclasses.asdict(one)} for check, one in found]
    return json.dumps({"well": not errors, "findings": listed}, indent=2)
