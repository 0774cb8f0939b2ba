"""Whether an answer is right: what counts of its text, and what that is compared with."""

import re
from collections.abc import Callable
from decimal import Decimal

# Thousands are grouped by commas; a minus after a digit or a letter ("10-5"), or before a space, is
# no sign; digits after a letter ("H2") are no number.
_NUMBER = re.compile(
    r"(?:(?<![\w)\]])(?P<minus>[-−–]))?[$€£¥]?(?<![A-Za-z\d.])"
    r"(?P<digits>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)"
    r"(?P<exponent>[eE][+-]?\d{1,3}(?!\d))?"
)
_TYPESET = str.maketrans({"{": "", "}": ""})
_ONLY_LETTER = re.compile(r"\W*([A-Ea-e])\W*")
_STATED = re.compile(
    r"(?i:\b(?:answer|choice)\b(?:\s+is\b)?(?:\s+option\b)?)\W*([A-E](?!\w)|[a-e](?=\)|\W*$))"
)
# "A" before a small letter is the article.
_LETTER = re.compile(r"(?<![\w'’])(?:[B-E]|A(?!\s+[a-z]))(?![\w'’])")


def _number(text: str) -> str | None:
    """Return the last number of a text in one spelling, or None."""
    text = text.replace("\\boxed", " ").replace("\\,", "").translate(_TYPESET)
    if not (every := list(_NUMBER.finditer(text))):
        return None
    found = every[-1]
    digits = found["digits"].replace(",", "") + (found["exponent"] or "")
    number = Decimal(digits) * (-1 if found["minus"] else 1)
    return str(number.normalize() + 0)  # + 0 makes -0 the same as 0


def _words(text: str) -> str:
    return " ".join(text.split()).casefold()


def _letter(text: str) -> str | None:
    """Return the letter A to E that a text chooses: stated as the answer, or the last alone."""
    text = text.replace("\\boxed", " ").replace("\\text", " ")
    if only := _ONLY_LETTER.fullmatch(text):
        return only[1].upper()
    found = _STATED.findall(text) or _LETTER.findall(text)
    return found[-1].upper() if found else None


def _contains(text: str, answer: str) -> bool:
    # As whole words. ASCII: between the letters of scripts without spaces there are no words.
    return bool(re.search(rf"(?<!\w){re.escape(_words(answer))}(?!\w)", _words(text), re.ASCII))


def _regex(text: str, answer: str) -> bool:
    return bool(re.search(answer, text))


_VALUES: dict[str, Callable[[str], str | None]] = {
    "number": _number,
    "exact": _words,
    "choice": _letter,
}
_PATTERNS: dict[str, Callable[[str, str], bool]] = {"contains": _contains, "regex": _regex}
GRADES = (*_VALUES, *_PATTERNS)


def right(grade: str, text: str, answer: str) -> bool:
    """Return whether a text has the right answer.

    Args:
        grade: one of GRADES.
        text: what the model answered, without its thinking.
        answer: the right answer; for `regex` a pattern that is found in a right one.
    """
    if grade in _PATTERNS:
        return _PATTERNS[grade](text, answer)
    found = _VALUES[grade](text)
    return found is not None and found == _VALUES[grade](answer)


def agrees(grade: str, text: str, reference: str) -> bool:
    """Return whether two answers say the same; where the reference has no value, word for word."""
    value = _VALUES[grade]
    return right(grade if value(reference) is not None else "exact", text, reference)


def fault(grade: object, answer: str | None) -> str | None:
    """Return what is wrong with a question's grade and answer, and the way out; None for nothing.

    Args:
        grade: as the file has it.
        answer: likewise; None where answers are compared with the thinking one.
    """
    if grade not in GRADES:
        return f'"grade" is {grade!r}; let it be one of {", ".join(GRADES)}'
    if answer is None:
        needs = f'"grade" {grade} needs an "answer"; give one, or let it be {", ".join(_VALUES)}'
        return needs if grade in _PATTERNS else None
    if not answer.strip():
        return '"answer" is empty; say what is right'
    if grade == "regex":
        try:
            re.compile(answer)
        except re.error as error:
            return f'"answer" is no regular expression ({error}); mend it'
    elif grade in _VALUES and _VALUES[str(grade)](answer) is None:
        return f'"answer" {answer!r} has no {grade}; give one, or let "grade" be exact'
    return None
