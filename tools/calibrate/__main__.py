"""Ask questions with and without thinking, and say which threshold of adaptive thinking to set.

`make calibrate QUESTIONS=questions.jsonl`, or `python -m tools.calibrate questions.jsonl`.
"""

import argparse
import asyncio
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import httpx
import openai
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from . import Stop, asking
from .advice import advise
from .asking import ADAPTIVE, BUDGET, OFF, ON, Endpoint, ask_all
from .plot import figure
from .policies import THRESHOLDS, policies, rows, whole
from .questions import Question, read
from .records import Records
from .report import report

GREEDY = {"temperature": 0}
EPILOG = (
    "From the environment: BASE_URL (http://127.0.0.1:8000), API_KEY, MODEL (the first listed)."
)


def _count(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def _budgets(text: str) -> list[int]:
    budgets = sorted({int(one) for one in text.split(",") if one.strip()})
    if any(budget < 0 for budget in budgets):
        raise ValueError
    return budgets


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.calibrate", description=(__doc__ or "").split("\n")[0], epilog=EPILOG
    )
    add = parser.add_argument
    add("questions", type=Path, help="JSON Lines: question (or messages), answer, grade")
    add("--out", type=Path, help="JSON Lines of the answers; .md and .svg beside it")
    add(
        "--budgets",
        type=_budgets,
        default=[64, 256, 1024],
        help="of thinking; '' for none (64,256,1024)",
    )
    add("--sampling", choices=["greedy", "recommended"], default="greedy", help="or the server's")
    add("--max-tokens", type=_count, help="of an answer with its thinking (the server's)")
    add("--seed", type=int, help="of each request's sampling (none)")
    add("--concurrency", type=_count, default=4, help="requests at a time (%(default)s)")
    add("--draft-tokens", type=_count, default=64, help="of a draft, watched (%(default)s)")
    add(
        "--verify", action="store_true", help="ask with adaptive thinking too; kept, as all answers"
    )
    add("--again", action="store_true", help="work it out of --out, asking nothing")
    options = parser.parse_args(argv)
    options.out = options.out or Path("calibration", options.questions.stem + ".jsonl")
    if options.out.suffix != ".jsonl":
        parser.error("--out names a .jsonl")  # what is written beside it has other endings
    return options


def _base_url() -> str:
    """Return the API's address: with /v1, as the examples' BASE_URL has none."""
    try:
        url = httpx.URL(os.environ.get("BASE_URL") or "http://127.0.0.1:8000")
    except httpx.InvalidURL as error:
        raise Stop(f"BASE_URL: {error}") from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise Stop("BASE_URL is no http(s)://host:port without a password; a key goes into API_KEY")
    return str(url.copy_with(path="/v1") if url.path == "/" else url).rstrip("/")


async def _model(client: openai.AsyncOpenAI) -> str:
    """Return the first model that is no alias: those end with a colon and a mode."""
    try:
        listed = [model.id async for model in client.models.list()]
    except openai.OpenAIError as error:
        raise Stop(asking.explained(error, client)) from None
    if not (named := [name for name in listed if ":" not in name]):
        raise Stop(f"{client.base_url} lists no model; name one by the environment variable MODEL")
    return named[0]


async def _ask(options: argparse.Namespace, questions: list[Question]) -> Records:
    """Ask all that was not asked yet, and return all that was answered."""
    sampled = {"max_tokens": options.max_tokens, "seed": options.seed}
    fields: dict[str, Any] = {name: value for name, value in sampled.items() if value is not None}
    fields |= GREEDY if options.sampling == "greedy" else {}
    url = _base_url()
    key = os.environ.get("API_KEY") or "none"
    async with openai.AsyncOpenAI(
        base_url=url, api_key=key, max_retries=0, timeout=asking.TIMEOUT
    ) as client:
        model = os.environ.get("MODEL") or await _model(client)
        settings = {"server": url, "model": model, "sampling": options.sampling, **sampled}
        settings["concurrency"] = options.concurrency  # the times depend on it
        records = Records(options.out, settings)
        arms = [OFF, ON, *(f"{BUDGET}{budget}" for budget in options.budgets)]
        arms += [ADAPTIVE] * options.verify
        # Each question's arms begin with another one, for the first pays for the prompt.
        turns = [arms[n % len(arms) :] + arms[: n % len(arms)] for n in range(len(questions))]
        jobs = [
            (question, arm)
            for question, turn in zip(questions, turns, strict=True)
            for arm in turn
            if (question.key, arm) not in records.answers
        ]
        columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task(f"asking {model}", total=len(jobs))
            endpoint = Endpoint(client, model, fields)
            await ask_all(
                endpoint, jobs, records, options.concurrency, lambda: progress.advance(task)
            )
    return records


def _command(argv: list[str]) -> str:
    """Return what a reader needs to measure the same: not --again, which measures nothing."""
    return shlex.join(["python", "-m", "tools.calibrate", *(a for a in argv if a != "--again")])


def main(argv: list[str] | None = None) -> int:
    """Ask, work it out and write it down; return the exit status."""
    options = _options(argv)
    try:
        asked = read(options.questions)
        records = Records(options.out, None) if options.again else asyncio.run(_ask(options, asked))
        questions, arms = whole(asked, records.answers)
        if not questions:
            raise Stop(
                f"{options.out}: none of the questions was answered with and without thinking"
            )
    except Stop as stop:
        print(f"error: {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            f"stopped; {options.out} has what was answered, and the same command goes on from it.",
            file=sys.stderr,
        )
        return 130
    draft_tokens = options.draft_tokens
    made = rows(policies(questions, records.answers, arms, THRESHOLDS, draft_tokens))
    advice = advise(made, draft_tokens)
    command = _command(sys.argv[1:] if argv is None else argv)
    text = report(made, advice, questions, records.answers, records.settings, draft_tokens, command)
    print(text)
    about = f"{len(questions)} questions to {records.settings['model']}."
    drawn = options.out.with_suffix(".svg")
    drawn.write_text(figure(made, advice, about), encoding="utf-8")
    text += f"\n![Right answers against tokens a question, and against seconds]({drawn.name})\n"
    options.out.with_suffix(".md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
