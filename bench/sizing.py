"""Measure a replica for `make plan`, and whether that foretells what its clients see.

    make run                                                         # or any other server
    .venv/bin/python bench/sizing.py --out /tmp/mine.jsonl           # the table, for --table
    .venv/bin/python bench/sizing.py --out /tmp/mine.jsonl --loads 0.3 0.5 0.7   # and loads
    .venv/bin/python bench/sizing.py --compare /tmp/mine.jsonl       # foretold beside measured

A load's requests arrive independently of each other, so many a second as the part of what the table
says that the replica can do. Each is kept with its lengths and times: the comparison simulates the
same arrivals and lengths on an engine that is made of the table alone.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

from plan.load import Load
from plan.rates import by_table
from plan.release import Replica
from plan.simulation import Engine, Request, Times, drawn, simulate
from plan.sizing import Outcome, outcome
from plan.table import Row, Table, read

WORDS = ["the", "of", "and", "to", "in", "is", "you", "that", "it", "he", "was", "for", "on", "are"]
Kept = dict[str, Any]  # a line of the file


@dataclass
class Asked:
    """What came of a request: seconds from its asking, and tokens."""

    thinks: bool
    begun: float
    first: float = 0.0
    answer: float = 0.0
    end: float = 0.0
    prompt: int = 0
    thinking: int = 0
    output: int = 0


class Server:
    """What is asked."""

    def __init__(self, session: aiohttp.ClientSession, model: str) -> None:
        self._session, self._model = session, model
        self.words = 1.0  # tokens of one of WORDS

    def text(self, draw: random.Random, tokens: float) -> str:
        """Return a text of about so many tokens that begins as no other does."""
        return " ".join(draw.choices(WORDS, k=max(4, round(tokens / self.words))))

    async def ask(self, text: str, thinks: bool, **more: Any) -> Asked:
        """Ask, and return what came.

        Args:
            text: the question.
            thinks: whether to think about it.
            more: fields of the request.

        Raises:
            RuntimeError: it is an error.
        """
        body = {
            "model": self._model,
            "messages": [{"role": "user", "content": text}],
            "chat_template_kwargs": {"enable_thinking": thinks},
            "stream": True,
            "stream_options": {"include_usage": True},
            **more,
        }
        asked, rest = Asked(thinks, time.perf_counter()), b""
        async with self._session.post("/v1/chat/completions", json=body) as response:
            if not response.ok:
                raise RuntimeError(f"{response.status}: {(await response.text())[:500]}")
            async for data in response.content.iter_any():
                *lines, rest = (rest + data).split(b"\n")
                now = time.perf_counter() - asked.begun
                for line in lines:
                    # Where nothing is to be learnt any more it is not read, which takes time.
                    if line.startswith(b"data: {") and (not asked.answer or b'"usage":{' in line):
                        see(json.loads(line[6:]), asked, now)
        asked.end = time.perf_counter() - asked.begun
        asked.first = asked.first or asked.end
        asked.answer = asked.answer or asked.end
        return asked


def see(event: dict[str, Any], asked: Asked, now: float) -> None:
    """Note what an event of a stream says, which came so many seconds after the asking."""
    if event.get("error"):
        raise RuntimeError(str(event)[:500])
    if usage := event.get("usage"):
        asked.prompt, asked.output = usage["prompt_tokens"], usage["completion_tokens"]
        details = usage.get("completion_tokens_details") or {}
        asked.thinking = details.get("reasoning_tokens") or 0
    for choice in event.get("choices", ()):
        delta = choice["delta"]
        answer = (delta.get("content") or "").strip()
        if (answer or delta.get("reasoning")) and not asked.first:
            asked.first = now
        if answer and not asked.answer:
            asked.answer = now


async def row(server: Server, streams: int, tokens: int, output: int) -> Kept:
    """Return a line of the table: so many streams that begin together.

    New prompts are asked for one token, then once more, when their cache is there and nothing but
    steps is between two tokens.

    Args:
        server: asked.
        streams: at a time.
        tokens: of a prompt, about.
        output: tokens that each generates.
    """
    draw = random.Random(f"{streams} {tokens}")
    starts: list[Asked] = []
    steps: list[Asked] = []
    for _ in range(max(1, 6 // streams)):
        texts = [server.text(draw, tokens) for _ in range(streams)]
        for found, length in ((starts, 1), (steps, output)):
            # Half of them think, and never get to an answer.
            some = {"max_tokens": length, "ignore_eos": True, "temperature": 1.0}
            asks = (server.ask(text, n % 2 == 1, **some) for n, text in enumerate(texts))
            found += await asyncio.gather(*asks)
    return {
        "system": "direct",
        "concurrency": streams,
        "completed": len(steps),
        "total_input_tokens": sum(a.prompt for a in steps),
        "total_output_tokens": sum(a.output for a in steps),
        "mean_ttft_ms": 1e3 * statistics.mean(a.first for a in starts),
        "max_ttft_ms": 1e3 * max(a.first for a in starts),
        "mean_tpot_ms": 1e3
        * statistics.mean((a.end - a.first) / (a.output - 1) for a in steps if a.output > 1),
    }


def question(draw: random.Random, thinks: bool) -> str:
    """Return a question that nano answers at its own length."""
    if thinks:
        return f"What is {draw.randint(300, 999)} * {draw.randint(30, 99)}?"
    return f"What is {draw.randint(10, 999)} + {draw.randint(10, 99)}?"


async def one(server: Server, request: Request, draw: random.Random, dummy: bool) -> Asked:
    """Ask one request of a load.

    Args:
        server: asked.
        request: its lengths, where the model has none of its own.
        draw: for its text.
        dummy: weights are random: lengths are as drawn, not left to the model.
    """
    thinks = request.thinking > 0
    if not dummy:
        return await server.ask(question(draw, thinks), thinks)
    most = request.thinking + request.answer  # of which all is thinking: nothing ends it
    more = {"max_tokens": most, "ignore_eos": True, "temperature": 1.0}
    return await server.ask(server.text(draw, request.prompt), thinks, **more)


async def arriving(
    server: Server, requests: Sequence[Request], rate: float, dummy: bool
) -> list[list[float]]:
    """Return what came of requests that are sent at their times, whether or not there are answers.

    Returns:
        Of each: seconds of its arrival; tokens of its prompt, thinking and answer; seconds from the
        arrival to the first token, the first of the answer and the end.
    """
    draw, begin = random.Random(7), time.perf_counter()
    tasks: list[asyncio.Task[Asked]] = []
    for request in requests:
        await asyncio.sleep(max(0, begin + request.at / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(one(server, request, draw, dummy)))
    return [
        [
            round(a.begun - begin, 4),
            a.prompt,
            a.thinking,
            a.output - a.thinking,
            *(round(seconds, 4) for seconds in (a.first, a.answer, a.end)),
        ]
        for a in await asyncio.gather(*tasks)
    ]


def engine(table: Table, load: Load, limits: Kept) -> Engine:
    """Return the engine that a table and a load's lengths make.

    Args:
        table: measured.
        load: its lengths.
        limits: `sequences`, `cache` and `batched` of the replica.
    """
    nobody = Replica(
        id="", preset="", label="", tensor=1, accelerators=0, length=0, token_bytes=0, model={},
        accelerator={}, lanes=False, **limits,
    )  # fmt: skip
    return by_table(nobody, load, table).engine


def lengths(requests: Sequence[Sequence[float]], rate: float) -> Load:
    """Return the load that was seen: of requests, what `arriving` returns.

    Answers are as long as those without thinking; what one with thinking has more is its thinking.
    """
    thinking = [r for r in requests if r[2]]
    quick = [r[3] for r in requests if not r[2]] or [r[3] for r in thinking]
    answer, prompt = statistics.mean(quick), statistics.mean(r[1] for r in requests)
    mean = statistics.mean(r[2] + r[3] for r in thinking) - answer if thinking else 0.0
    spread = statistics.stdev(r[2] for r in thinking) / mean if len(thinking) > 1 else 0.0
    return Load(rate, prompt, mean, answer, len(thinking) / len(requests), spread)


def both(kept: Kept, table: Table, limits: Kept) -> tuple[Outcome, Outcome]:
    """Return what was foretold of a load, and what was measured."""
    asked = kept["requests"]
    rate = len(asked) / asked[-1][0]
    requests = [Request(r[0], r[1], round(r[2]), max(1, round(r[3]))) for r in asked]
    foretold = simulate(engine(table, lengths(asked, rate), limits), requests)
    measured = [Times(r[2] > 0, *r[4:]) for r in asked]
    return outcome(foretold, rate), outcome(measured, rate)


def compared(foretold: Outcome, measured: Outcome) -> list[tuple[str, str, float, float]]:
    """Return lines of (what, mean or p95, foretold, measured), in seconds."""
    found = []
    for kind, whats in foretold.seconds.items():
        other = measured.seconds[kind]
        for what, ours in whats.items():
            if what == "answer" and (kind == "quick" or other["answer"].p95 == other["end"].p95):
                continue  # it is the first token; or all is thinking
            found.append((f"{kind}: {what}", "mean", ours.mean, other[what].mean))
            found.append((f"{kind}: {what}", "p95", ours.p95, other[what].p95))
    return [*found, ("in flight", "mean", foretold.running, measured.running)]


def loaded(path: Path) -> tuple[Kept, Table, list[Kept]]:
    """Return of a file that this wrote: its head, its table, its loads."""
    head, *lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return head, read(path), [line for line in lines if "requests" in line]


def shown(path: Path) -> str:
    """Return what was foretold beside what was measured, as a table."""
    head, table, loads = loaded(path)
    lines = ["| of what it can do | requests/s | | | foretold | measured | ratio |"]
    lines.append("| --- " * 7 + "|")
    for kept in loads:
        foretold, measured = both(kept, table, head["limits"])
        for what, kind, ours, theirs in compared(foretold, measured):
            lines.append(
                f"| {kept['load']:.0%} | {measured.rate:.2f} | {what} | {kind} | {ours:.3f} | "
                f"{theirs:.3f} | {ours / theirs:.2f} |"
            )
    return "\n".join(lines)


async def measure(options: argparse.Namespace) -> None:
    """Measure, and write it down line by line."""
    headers = {"authorization": f"Bearer {os.environ.get('API_KEY', 'none')}"}
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=300)
    limits = {"sequences": options.sequences, "batched": options.batched, "cache": options.cache}
    with options.out.open("w", encoding="utf-8") as file:

        def keep(line: Kept) -> None:
            file.write(json.dumps(line) + "\n")
            file.flush()

        keep(
            {
                "hardware": options.hardware,
                "model": options.model,
                "command": f"python bench/sizing.py {' '.join(sys.argv[1:])}",
                "date": time.strftime("%Y-%m-%d"),
                "limits": limits,
            }
        )
        async with aiohttp.ClientSession(
            options.url, headers=headers, connector=connector, timeout=timeout
        ) as session:
            async with session.get("/v1/models") as response:
                listed = (await response.json())["data"]
            server = Server(session, next(c["id"] for c in listed if ":" not in c["id"]))
            some = await server.ask(server.text(random.Random(0), 200), False, max_tokens=1)
            server.words = some.prompt / 200
            await row(server, 8, 64, 64)  # what comes first is slower
            short, *longer = options.prompts
            rows: list[Kept] = []
            levels = [(streams, short) for streams in options.streams]
            levels += [(options.streams[0], prompt) for prompt in longer]
            levels += [(options.streams[-1], prompt) for prompt in longer[:1]]
            for streams, prompt in levels:
                rows.append(await row(server, streams, prompt, options.output))
                keep(rows[-1])
                print(
                    f"{streams} streams, {prompt} tokens: first {rows[-1]['mean_ttft_ms']:.0f} ms, "
                    f"a step {rows[-1]['mean_tpot_ms']:.2f} ms",
                    flush=True,
                )
            if not options.loads:
                return
            load = Load(
                1, options.prompt, options.thinking, options.answer, options.share,
                options.variation,
            )  # fmt: skip
            if not options.dummy:
                sample = await arriving(server, drawn(load, 100, seed=3), 8, dummy=False)
                load = lengths(sample, 1)
            table = Table("", tuple(_as_row(one) for one in rows))
            most = engine(table, load, limits).saturation(load)
            print(f"{load}\n{most:.2f} requests a second at most", flush=True)
            for part in options.loads:
                rate = part * most
                count = min(options.most, max(20, round(rate * options.seconds)))
                requests = drawn(load, count, seed=11)
                found = await arriving(server, requests, rate, options.dummy)
                keep({"load": part, "rate": rate, "requests": found})
                print(f"{part:.0%}: {len(found)} requests", flush=True)


def _as_row(kept: Kept) -> Row:
    done = kept["completed"]
    tokens = kept["total_input_tokens"] / done, kept["total_output_tokens"] / done
    return Row(kept["concurrency"], kept["mean_tpot_ms"] / 1e3, kept["mean_ttft_ms"] / 1e3, *tokens)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    add("--compare", type=Path, metavar="FILE", help="measure nothing, compare what it has")
    add("--out", type=Path, help="the file for what is measured, as JSON Lines")
    add("--url", default=os.environ.get("BASE_URL", "http://127.0.0.1:8000"))
    add("--hardware", default="cpu", help="the card's name, else cpu")
    add("--model", default="", help="its preset, so that `make plan` finds a file in bench/sizing/")
    add("--streams", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32])
    add("--prompts", type=int, nargs="+", default=[64, 512, 2048], help="tokens of a prompt")
    add("--output", type=int, default=256, help="tokens of a stream (%(default)g)")
    add("--loads", type=float, nargs="*", default=[], help="parts of what it can do, as 0.5")
    add("--seconds", type=float, default=60, help="of each load (%(default)g)")
    add("--most", type=int, default=1000, help="requests of a load (%(default)g)")
    add("--share", type=float, default=0.4, help="of the requests that think (%(default)g)")
    add("--dummy", action="store_true", help="weights are random; lengths are those that follow")
    add("--prompt", type=float, default=800)
    add("--thinking", type=float, default=600)
    add("--answer", type=float, default=200)
    add("--variation", type=float, default=0.5)
    add("--sequences", type=int, default=32, help="engine.maxNumSeqs (%(default)g)")
    add("--batched", type=int, default=4096, help="tokens that a step takes (%(default)g)")
    add("--cache", type=int, default=174_000, help="tokens of its KV cache (%(default)g)")
    options = parser.parse_args()
    if options.compare:
        print(shown(options.compare))
        return
    if not options.out:
        parser.error("--out FILE or --compare FILE is needed")
    try:
        asyncio.run(measure(options))
    except (aiohttp.ClientError, RuntimeError) as problem:
        sys.exit(f"error: {options.url}: {problem}. Is `make run` up, and API_KEY one of its keys?")


if __name__ == "__main__":
    main()
