"""What each policy would have brought, worked out by hand beside it."""

import math
from typing import Any

import pytest

from calibrate.policies import (
    THRESHOLDS,
    Policy,
    auroc,
    chance,
    doubted,
    graded,
    policies,
    rows,
    whole,
)
from calibrate.questions import Question
from calibrate.records import Answer

DRAFT, TIMES = (0.999, 0.9, 0.95), (0.1, 0.2, 0.3)


def question(key: str, answer: str | None = "1") -> Question:
    return Question(key, [{"role": "user", "content": key}], answer, "number")


def answer(key: str, arm: str, text: str, tokens: int, seconds: float, **more: Any) -> Answer:
    return Answer(key, arm, text, "stop", tokens, 0, seconds, **more)


def draft(key: str, text: str, probabilities: tuple[float, ...] = DRAFT) -> Answer:
    logprobs = tuple(math.log(p) for p in probabilities)
    return answer(key, "off", text, 3, 0.3, logprobs=logprobs, at=TIMES)


def made(given: list[Answer], draft_tokens: int = 64, **asked: str | None) -> dict[str, Policy]:
    answers = {(a.question, a.arm): a for a in given}
    keys = dict.fromkeys(a.question for a in given)
    questions, arms = whole([question(key, **asked) for key in keys], answers)
    found = policies(questions, answers, arms, [0.5, 0.92, *THRESHOLDS], draft_tokens)
    return {policy.name: policy for policy in found}


def values(policy: Policy) -> tuple[list[float], ...]:
    return tuple(x.tolist() for x in (policy.right, policy.tokens, policy.seconds, policy.thinks))


TWO = [
    draft("a", "2", (0.999, 0.9, 0.4)),  # wrong, and unsure from its third token on
    draft("b", "1"),
    answer("a", "on", "1", 50, 2.0),
    answer("b", "on", "1", 40, 1.0),
]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("off", ([0, 1], [3, 3], [0.3, 0.3], [0, 0])),
        ("on", ([1, 1], [50, 40], [2, 1], [1, 1])),
        # The draft up to the token that gave it away, and the thinking answer.
        ("adaptive 0.5", ([1, 1], [53, 3], [2.3, 0.3], [1, 0])),
        ("adaptive 0.92", ([1, 1], [52, 42], [2.2, 1.2], [1, 1])),
        ("adaptive 0.999", ([1, 1], [52, 42], [2.2, 1.2], [1, 1])),
        # It knows beforehand, so it needs no draft.
        ("oracle", ([1, 1], [50, 3], [2, 0.3], [1, 0])),
    ],
)
def test_policies(name: str, expected: tuple[list[float], ...]) -> None:
    assert values(made(TWO)[name]) == tuple(pytest.approx(x) for x in expected)


def test_what_is_unsure_after_the_watched_tokens_comes_too_late() -> None:
    assert values(made(TWO, draft_tokens=2)["adaptive 0.5"])[0] == [0, 1]
    assert values(made(TWO, draft_tokens=3)["adaptive 0.5"])[0] == [1, 1]


def test_the_oracle_does_not_think_where_it_does_not_help() -> None:
    neither = [draft("a", "2"), answer("a", "on", "3", 50, 2.0)]
    worse = [draft("b", "1"), answer("b", "on", "3", 50, 2.0)]
    assert values(made([*neither, *worse])["oracle"])[0::3] == ([0, 1], [0, 0])


def test_budgets_and_what_was_served_are_as_they_were_measured() -> None:
    more = [answer(key, f"budget {n}", "1", n, 0.5) for key in "ab" for n in (256, 64)]
    served = [
        answer("a", "adaptive", "1", 53, 2.4, outcome="thought;confidence=0.4;draft-tokens=3"),
        answer("b", "adaptive", "1", 3, 0.3, outcome="answered;confidence=0.9;draft-tokens=3"),
    ]
    found = made([*TWO, *more, *served])
    assert [name for name in found if name.startswith("budget")] == ["budget 64", "budget 256"]
    assert values(found["adaptive, as served"]) == ([1, 1], [53, 3], [2.4, 0.3], [1, 0])


def test_only_what_was_asked_in_both_modes_counts_and_only_whole_arms() -> None:
    half = [draft("c", "1"), answer("a", "budget 64", "1", 9, 0.5)]
    found = made([*TWO, *half])
    assert len(found["on"].right) == 2
    assert "budget 64" not in found


def test_without_answers_the_thinking_one_is_right_by_definition() -> None:
    found = made(TWO, answer=None)
    assert values(found["off"])[0] == [0, 1]
    assert values(found["on"])[0] == [1, 1]
    unsure = [draft("a", "I can't say"), answer("a", "on", "I can't say", 9, 1.0)]
    answers = {(a.question, a.arm): a for a in unsure}
    assert graded([question("a", None)], answers, "off").tolist() == [1]


def test_chance_is_between_off_and_on() -> None:
    found = made(TWO)
    half = chance(found["off"], found["on"], 0.5)
    assert (half.accuracy, half.tokens) == (0.75, 24)
    assert half.seconds == 0.3  # half of what is drawn takes no longer
    assert chance(found["off"], found["on"], 0).seconds == 0.3
    assert chance(found["off"], found["on"], 1).accuracy == 1


def test_rows_have_intervals_that_hold_the_value_and_are_the_same_each_time() -> None:
    given = [draft(f"{n}", f"{n % 2}") for n in range(40)]
    given += [answer(f"{n}", "on", "1", 50 + n, 2.0) for n in range(40)]
    off, on, *others = rows(list(made(given).values()))
    assert (off.accuracy.value, on.accuracy.value, off.gain.value) == (0.5, 1, -0.5)
    assert 0.3 < off.accuracy.low < 0.5 < off.accuracy.high < 0.7
    assert on.tokens.low < on.tokens.value == 69.5 < on.tokens.high
    assert (on.gain.low, on.gain.high, on.seconds.value) == (0, 0, 2)
    again = rows(list(made(given).values()))
    assert [row.accuracy for row in again] == [row.accuracy for row in (off, on, *others)]
    adaptive = next(row for row in others if row.policy.name == "adaptive 0.92")
    assert adaptive.share == 1 and adaptive.chance and adaptive.chance.accuracy == 1


def test_luck_is_what_is_right_among_the_doubted_and_what_their_probabilities_say() -> None:
    drafts = [draft("a", "2", (0.999, 0.9, 0.4)), draft("b", "1")]
    found = made(TWO)
    count, good, said = doubted(found["adaptive 0.92"], found["off"], drafts)
    assert (count, good) == (2, 1)
    assert said == pytest.approx(0.999 * 0.9 * 0.4 + math.prod(DRAFT))
    assert doubted(found["adaptive 0.5"], found["off"], drafts)[:2] == (1, 0)
    assert doubted(found["off"], found["off"], drafts) == (0, 0, 0)


def test_auroc() -> None:
    found = made([*TWO, draft("c", "2", (0.9,)), answer("c", "on", "1", 9, 1.0)])
    drafts = [TWO[0], TWO[1], draft("c", "2", (0.9,))]
    assert auroc(drafts, found["off"].right, 64) == 0.75  # 0.9 beside 0.4, and beside its equal
    assert math.isnan(auroc(drafts, found["on"].right, 64))
