"""Write questions for `make calibrate`: so many hard products, or only what the model doesn't know.

Hard is a product of three by two digits, which the model mostly gets wrong unless it thinks. The
others are of EASY, as many of each; with --unknown all are of the task `unknown`, and the right
answer is that it doesn't know. All are held out of training, and the same for a seed.
"""

import argparse
import json
import random
import re
import sys
from collections.abc import Iterator

from problem import Draw, Problem
from tasks import all_tasks

EASY = ("add", "capitals", "compare", "subtract", "word_problems")
WORD_FOR_WORD = {"capitals", "compare", "unknown"}  # of the others, the number counts
_HARD = re.compile(r"[1-9]\d\d \* [1-9]\d = |[1-9]\d \* [1-9]\d\d = ")


def tasks(count: int, hard: int) -> list[str]:
    """Return the task of each question: `hard` percent products, the rest even over EASY."""
    products = round(count * hard / 100)
    return ["multiply"] * products + [EASY[n % len(EASY)] for n in range(count - products)]


def drawn(names: list[str], seed: int) -> Iterator[Problem]:
    """Yield a held-out problem of each task, in an order of its own, none twice."""
    rng = random.Random(f"{seed} mix")
    names, seen = rng.sample(names, len(names)), set()
    for name in names:
        while True:
            problem = all_tasks()[name].make(Draw(rng, held_out=True))
            hard = name != "multiply" or _HARD.match(problem.answer)
            if hard and problem.question not in seen:
                break
        seen.add(problem.question)
        yield problem


def line(problem: Problem) -> str:
    """Return a problem as a line of a file of questions (see tools/calibrate)."""
    whole = problem.task in WORD_FOR_WORD
    answer, grade = (problem.answer, "exact") if whole else (problem.result, "number")
    question = {"question": problem.question, "answer": answer, "grade": grade}
    return json.dumps(question, ensure_ascii=False)


def main() -> None:
    """Print the questions."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--hard", type=int, choices=range(101), metavar="PERCENT", help="products")
    kind.add_argument("--unknown", action="store_true", help="only what the model doesn't know")
    parser.add_argument("--questions", type=int, default=500, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the questions (%(default)s)")
    options = parser.parse_args()
    count = options.questions
    names = ["unknown"] * count if options.unknown else tasks(count, options.hard)
    sys.stdout.reconfigure(encoding="utf-8")
    for problem in drawn(names, options.seed):
        print(line(problem))


if __name__ == "__main__":
    main()
