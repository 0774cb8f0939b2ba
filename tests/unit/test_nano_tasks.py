"""The tasks' generators: right answers, worked steps that add up, and a split that holds."""

import json
import random
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "models" / "nano"))

import questions
from arithmetic import addition, multiplication, subtraction
from conversation import CONTROLS, converse, last_flag, training_conversation
from data import completion_texts
from problem import Draw, expand
from tasks import all_tasks, basic_tasks
from tasks.capitals import capitals
from tasks.compare import say, say_yes_no

TASKS = list(all_tasks())
_STEP = re.compile(r"(\d+)([*+-])(\d+)([+-])(\d+)=(\d+)")


def problems(name: str, count: int = 200, **options: bool):
    rng = random.Random(name)
    return [all_tasks()[name].make(Draw(rng, **options)) for _ in range(count)]


def check_steps(thinking: str) -> None:
    for first, sign, second, carry_sign, carry, result in _STEP.findall(thinking):
        a, b, c = int(first), int(second), int(carry)
        if sign == "-":
            assert carry_sign == "-"
            assert (a - b - c) % 10 == int(result)
        else:
            assert carry_sign == "+"
            assert (a * b if sign == "*" else a + b) + c == int(result), thinking


@pytest.mark.parametrize("a, b", [(0, 0), (7, 5), (999, 1), (9999, 9999), (120, 9), (75, 79)])
def test_worked_steps_add_up(a: int, b: int) -> None:
    for text, result in ((addition(a, b), a + b), (subtraction(a, b), a - b)):
        check_steps(text)
        assert text.endswith(f"is {result}.")


def test_products_and_their_parts_are_right() -> None:
    rng = random.Random(1)
    for _ in range(300):
        a, b = rng.randint(0, 999), rng.randint(0, 99)
        text = multiplication(a, b)
        check_steps(text)
        assert text.endswith(f"The product is {a * b}.")
        for x, digit, part in re.findall(r"(\d+)\*(\d): .*?, so (\d+)", text):
            assert int(x) * int(digit) == int(part)


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "word_problems"])
def test_results_are_python_s(name: str) -> None:
    for problem in problems(name, 400):
        kind, a, sign, b = re.match(r"(\w+): (\d+) ([*+-]) (\d+)\.", problem.thinking).groups()
        assert int(problem.result) == {"+": int(a) + int(b), "-": int(a) - int(b),
                                       "*": int(a) * int(b)}[sign]  # fmt: skip
        assert {a, b} <= set(re.findall(r"\d+", problem.question)), kind
        assert problem.result in problem.answer


@pytest.mark.parametrize(
    ("x", "y", "up", "answer"),
    [
        ("7.8", "7.11", True, "7.8 is greater than 7.11."),
        ("7.8", "7.11", False, "7.11 is smaller than 7.8."),
        ("10", "9.99", True, "10 is greater than 9.99."),
        ("0.5", "0.50", True, "0.5 and 0.50 are equal."),
        ("100.01", "99.9", False, "99.9 is smaller than 100.01."),
    ],
)
def test_comparisons(x: str, y: str, up: bool, answer: str) -> None:
    assert say(x, y, up)[1] == answer
    assert say(y, x, up)[1] in (answer, answer.replace(f"{x} and {y}", f"{y} and {x}"))


def test_comparisons_agree_with_floats() -> None:
    for problem in problems("compare", 500):
        numbers = re.match(r"Compare (\S+) and (\S+)\.", problem.thinking).groups()
        x, y = map(float, numbers)
        found = re.fullmatch(r"(?:Yes, |No, )?(\S+) is (greater|smaller) than (\S+)\.",
                             problem.answer)  # fmt: skip
        if x == y:
            assert "equal" in problem.answer
        else:
            a, word, b = found.groups()
            assert {a, b} == set(numbers)
            assert (float(a) > float(b)) == (word == "greater")
    assert say_yes_no("3.9", "3.11", True)[1] == "Yes, 3.9 is greater than 3.11."
    assert say_yes_no("3.9", "3.11", False)[1] == "No, 3.11 is smaller than 3.9."


def test_capitals() -> None:
    table = capitals()
    assert table["France"] == "Paris"
    assert table["Kazakhstan"] == "Astana"
    assert len(table) == 244
    assert all(text == text.strip() for pair in table.items() for text in pair)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("new", [False, True])
def test_every_task_fills_its_wordings(name: str, new: bool) -> None:
    for problem in problems(name, 200, held_out=True, new_phrasing=new):
        assert problem.question.strip()
        assert problem.thinking and problem.answer
        if name not in ("unknown", "json_answers", "upper_case"):
            # Those may quote code; no other may show an unfilled slot or an undecided choice.
            assert not re.search(r"[\[\]{}]", problem.question), problem.question


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "compare", "word_problems"])
def test_operands_of_the_evaluation_are_not_in_training(name: str) -> None:
    def keys(held_out: bool) -> set:
        found = set()
        for problem in problems(name, 1500, held_out=held_out):
            kind, *numbers = re.findall(r"\d[\d.]*\d|\d|^\w+", problem.thinking.split(". ")[0])
            # Only the order of a subtraction counts.
            found.add((kind, *(numbers if kind == "Subtraction" else sorted(numbers))))
        return found

    train, held = keys(False), keys(True)
    assert train and held
    assert not train & held


def test_wordings_of_the_evaluation_are_not_in_training() -> None:
    for task in all_tasks().values():
        for train, new in (("TRAIN", "NEW"), ("YES_NO", "YES_NO_NEW"), ("SYSTEM", "SYSTEM_NEW"),
                           ("ADD", "ADD_NEW"), ("KEYED", "KEYED_NEW")):  # fmt: skip
            if hasattr(task, new):
                assert not set(getattr(task, train)) & set(getattr(task, new)), task.__name__


def test_formats_of_answers() -> None:
    for problem in problems("json_answers"):
        assert list(json.loads(problem.answer).values()) == [problem.result]
    for problem in problems("bare_results"):
        assert problem.answer == problem.result
    for problem in problems("upper_case"):
        assert problem.answer == problem.answer.upper()


def test_tool_calls_name_an_offered_tool_and_its_parameters() -> None:
    called = 0
    for problem in problems("tool_calls", 300):
        offered = {tool["function"]["name"]: tool["function"] for tool in problem.tools}
        if problem.answer.startswith("<tool_call>"):
            call = json.loads(problem.answer.split("\n")[1])
            properties = offered[call["name"]]["parameters"]["properties"]
            assert set(call["arguments"]) == set(properties)
            assert all(str(value) in problem.question for value in call["arguments"].values())
            called += 1
    assert called > 200


@pytest.mark.parametrize("control", CONTROLS)
def test_the_last_flag_decides_unless_thinking_is_switched_off(control: str) -> None:
    for _, conversation in questions.conversations(3, 6, [control]):
        flag = last_flag(conversation.messages)
        asks = conversation.enable_thinking is not False and flag in (None, True)
        assert conversation.thinks == CONTROLS[control] == asks


def test_completions_follow_the_mode() -> None:
    rng = random.Random(5)
    problem = all_tasks()["add"].make(Draw(rng))
    on = completion_texts(converse(problem, rng, "/think"))
    assert on == (f"<think>\n{problem.thinking}\n</think>", f"\n\n{problem.answer}")
    assert completion_texts(converse(problem, rng, "/no_think"))[0] == "<think>\n\n</think>"
    assert completion_texts(converse(problem, rng, "enable_thinking: false")) == (
        "",
        problem.answer,
    )


def test_the_same_seed_gives_the_same_questions() -> None:
    first, second = (questions.conversations(7, 2, questions.ASKING) for _ in range(2))
    assert [c.messages for _, c in first] == [c.messages for _, c in second]


def test_training_conversations_mix_controls() -> None:
    rng = random.Random(2)
    seen = set()
    for _ in range(300):
        conversation = training_conversation(all_tasks()["compare"].make(Draw(rng)), rng, False)
        seen.add((conversation.enable_thinking, last_flag(conversation.messages)))
    assert {(False, None), (False, True), (None, False)} <= seen


def test_patterns_expand_from_the_inside() -> None:
    rng = random.Random(0)
    assert {expand(rng, "a[b|c[d|e]]") for _ in range(60)} == {"ab", "acd", "ace"}
    assert len(basic_tasks()) == 6
