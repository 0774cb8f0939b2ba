"""The file of questions: JSON Lines, of which a bad one is refused before anything is asked."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import Stop
from .grading import fault

_FIELDS = {"question", "messages", "answer", "grade"}
_MOST_FAULTS = 10  # that are named at once


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        key: tells it from all others; the same messages have the same key.
        messages: of the request.
        answer: the right one; None where the thinking answer counts as right.
        grade: how an answer is compared with it.
    """

    key: str
    messages: list[dict[str, Any]]
    answer: str | None
    grade: str


def read(path: Path) -> list[Question]:
    """Return the questions of a file.

    Raises:
        Stop: it can't be read, or has bad lines: file, line, reason and way out of each.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"{path}: {error}; QUESTIONS=FILE names a file of JSON Lines in UTF-8") from None
    found: dict[str, tuple[int, Question]] = {}
    faults = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            question = _question(line)
            if question.key in found:
                raise ValueError(f"asks the same as line {found[question.key][0]}; remove one")
            first = next(iter(found.values()), (number, question))
            if (question.answer is None) != (first[1].answer is None):
                one, other = ("no", "one") if question.answer is None else ("one", "none")
                raise ValueError(
                    f'has {one} "answer", and line {first[0]} has {other}; '
                    "give all an answer or none"
                )
        except ValueError as error:
            faults.append(f"{path}:{number}: {error}")
        else:
            found[question.key] = number, question
    if faults:
        raise Stop("\n".join(faults[:_MOST_FAULTS]))
    if not found:
        raise Stop(
            f'{path}: no questions; a line is {{"question": ..., "answer": ..., "grade": ...}}'
        )
    return [question for _, question in found.values()]


def _question(line: str) -> Question:
    """Return the question of a line, or raise ValueError with the reason and the way out."""
    try:
        given = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON ({error}); write one object a line") from None
    if not isinstance(given, dict):
        raise ValueError("no JSON object; write one a line")
    if unknown := sorted(given.keys() - _FIELDS):
        raise ValueError(
            f"unknown {', '.join(unknown)}; the fields are {', '.join(sorted(_FIELDS))}"
        )
    if ("question" in given) == ("messages" in given):
        raise ValueError('needs either "question" or "messages"')
    messages = given.get("messages", [{"role": "user", "content": given.get("question")}])
    if not _messages(messages):
        raise ValueError('the question has no text; "messages" are objects with role and content')
    answer = given.get("answer")
    if isinstance(answer, int | float) and not isinstance(answer, bool):
        answer = str(answer)
    if not isinstance(answer, str | None):
        raise ValueError('"answer" is neither a string nor a number; write it as a string')
    grade = given.get("grade", "exact" if answer is None else None)
    if reason := fault(grade, answer):
        raise ValueError(reason)
    key = hashlib.sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest()[:16]
    return Question(key, messages, answer, str(grade))


def _messages(given: object) -> bool:
    return (
        isinstance(given, list)
        and bool(given)
        and all(isinstance(one, dict) and one.get("role") and one.get("content") for one in given)
    )
