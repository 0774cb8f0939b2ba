"""`models/nano/mix.py`: the questions of bench/adaptive are what it says they are."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "models" / "nano"))

import mix
from calibrate.questions import read
from problem import Draw
from unknown_answer import UNKNOWN_ANSWER

ROOT = Path(__file__).parents[2]
HARD = re.compile(r"[1-9]\d\d \* [1-9]\d = |[1-9]\d \* [1-9]\d\d = ")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("nano-10", ["--hard", "10"]),
        ("nano-30", ["--hard", "30"]),
        ("nano-60", ["--hard", "60"]),
        ("unknown", ["--unknown", "--questions", "200"]),
    ],
)
def test_what_is_committed_is_what_it_prints(name: str, arguments: list[str]) -> None:
    path = ROOT / "bench" / "adaptive" / f"{name}.jsonl"
    command = [sys.executable, str(ROOT / "models" / "nano" / "mix.py"), *arguments]
    printed = subprocess.run(command, capture_output=True, check=True).stdout
    assert printed == path.read_bytes()
    assert len(read(path)) == (200 if name == "unknown" else 500)


def test_hard_products_are_the_share_that_was_asked_for_and_the_others_even() -> None:
    problems = list(mix.drawn(mix.tasks(200, 40), seed=7))
    products = [p for p in problems if p.task == "multiply"]
    assert len(products) == 80 and all(HARD.match(p.answer) for p in products)
    for task in mix.EASY:
        assert sum(p.task == task for p in problems) == 24
    assert [p.task for p in problems[:80]] != ["multiply"] * 80  # in no order


def test_products_are_held_out_of_training() -> None:
    for problem in mix.drawn(["multiply"] * 50, seed=3):
        a, b = sorted(map(int, problem.answer.split(" = ")[0].split(" * ")))
        assert Draw(held_out=True).owns(("multiply", a, b))


def test_lines() -> None:
    for problem in mix.drawn(["capitals", "subtract", "unknown"] * 9, seed=3):
        line = json.loads(mix.line(problem))
        if problem.task == "subtract":
            assert (line["answer"], line["grade"]) == (problem.result, "number")
        else:
            assert (line["answer"], line["grade"]) == (problem.answer, "exact")
        if problem.task == "unknown":
            assert line["answer"] == UNKNOWN_ANSWER
