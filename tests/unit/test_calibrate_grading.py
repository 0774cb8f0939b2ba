"""What of an answer counts as right, of each grade, however it is written."""

import pytest

from calibrate.grading import GRADES, agrees, fault, right


@pytest.mark.parametrize(
    "text",
    [
        "1311",
        "1234 + 77 = 1311.",
        "It is 1,311.",
        "1311.0",
        "= 1311.",
        "**1311**",
        "\\boxed{1311}",
        "$1{,}311$",
        "That is $1,311.00",
        "1234+77=1311",
        "x=1311",
        "1.311e3",
        "From 1 to 3-1311",
        "- 1311 apples",
        "1311 in the room H2",
    ],
)
def test_the_last_number_counts(text: str) -> None:
    assert right("number", text, "1311")
    assert right("number", text, "1,311.0")
    assert not right("number", text, "-1311")


@pytest.mark.parametrize(
    ("text", "answer", "ok"),
    [
        ("23 - 60 = -37.", "-37", True),
        ("23 - 60 = −37.", "-37", True),
        ("it is -$37", "-37", True),
        ("23 - 60 = 37.", "-37", False),
        ("-0", "0", True),
        (".5", "0.50", True),
        ("7.11", "7.1", False),
        ("1,31", "131", False),
        ("12345,678", "12345678", False),
        ("1311 of 2000", "1311", False),
        ("none", "0", False),
        ("", "0", False),
        ("1e9999999999", "0", False),
    ],
)
def test_numbers(text: str, answer: str, ok: bool) -> None:
    assert right("number", text, answer) is ok


@pytest.mark.parametrize(
    ("grade", "text", "answer", "ok"),
    [
        ("exact", "  7.8 is\n greater ", "7.8 IS greater", True),
        ("exact", "7.8 is greater.", "7.8 is greater", False),
        ("contains", "The capital is PARIS, of course.", "paris", True),
        ("contains", "Parisian", "Paris", False),
        ("contains", "I know.", "no", False),
        ("contains", "答案是东京。", "东京", True),
        ("contains", "a + b (c)", "+ b (c", True),
        ("regex", "on 2024-05-01", r"\d{4}-\d\d-\d\d", True),
        ("regex", "in May", r"\d{4}", False),
    ],
)
def test_texts(grade: str, text: str, answer: str, ok: bool) -> None:
    assert right(grade, text, answer) is ok


@pytest.mark.parametrize(
    "text",
    [
        "C",
        "c",
        "(c)",
        "C.",
        "**C**",
        "\\boxed{C}",
        "\\boxed{\\text{C}}",
        "C) Paris",
        "Answer: C",
        "answer: (c)",
        "The answer is C, since A is wrong.",
        "The correct answer is option C.",
        "A penguin can't fly, so I choose C.",
        "Neither A nor B: it is C because A bird flies.",
        "I'd go with C",
    ],
)
def test_the_letter_that_is_chosen_counts(text: str) -> None:
    assert right("choice", text, "C")
    assert not right("choice", text, "A")


def test_prose_without_a_letter_chooses_none() -> None:
    assert not any(right("choice", "A cat can't say. Cats don't.", letter) for letter in "ABCDE")


def test_answers_agree_where_they_say_the_same() -> None:
    assert agrees("number", "It is 1,311.", "= 1311")
    assert not agrees("number", "It is 12.", "= 1311")
    assert agrees("exact", "Yes ", "yes")
    assert agrees("number", "I don't know", "I don't  know")  # neither has a number
    assert not agrees("number", "Maybe", "I don't know")


@pytest.mark.parametrize(
    ("grade", "answer", "reason"),
    [
        ("numbr", "1", "let it be one of number, exact, choice, contains, regex"),
        (None, "1", "let it be one of"),
        (["number"], "1", "let it be one of"),
        ("number", "many", "has no number"),
        ("choice", "Paris", "has no choice"),
        ("regex", "(", "no regular expression"),
        ("contains", " ", "is empty"),
        ("contains", None, 'needs an "answer"'),
        ("regex", None, 'needs an "answer"'),
    ],
)
def test_what_cannot_be_graded_is_said(grade: object, answer: str | None, reason: str) -> None:
    assert reason in str(fault(grade, answer))


def test_what_can_be_graded_is_no_fault() -> None:
    answers = {"number": "-1,311.5", "exact": "x", "choice": "b", "contains": "x", "regex": "^x$"}
    assert [fault(grade, answers[grade]) for grade in GRADES] == [None] * len(GRADES)
