"""What lanes do for the requests that don't think, and to those that do: `python bench/lanes.py`.

Two scenarios, on servers that differ in their lanes alone; rounds alternate between them, and the
first of each warms up:

1. Saturation: closed loops of requests that think, four times as many as run at a time, and two
   quick ones a second. How long do the quick ones wait, and what does that cost the others?
2. Flood: closed loops of quick requests saturate the engine, and one that thinks comes every
   second. How long does it wait: first come, first served; with lanes; with lanes of a patience
   that never ends?

It serves the nano model itself, or asks the given servers: `--arm fcfs=URL --arm lanes=URL`.
"""

import argparse
import asyncio
import contextlib
import json
import math
import random
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

ROOT = Path(__file__).parent.parent
MODEL = "my-qwen-3-32b"
SEQUENCES = 8  # max_num_seqs of the servers that are started here
FOREVER = 86400.0
CITIES = ["Paris", "London", "Rome", "Tokyo", "Berlin", "Madrid", "Vienna", "Lisbon", "Prague"]
UNKNOWN = "-"  # in a table
Body = dict[str, Any]
Cpu = Callable[[], float]  # the CPU seconds that an arm's processes have taken
Arms = dict[str, tuple[str, Cpu | None]]  # {name: (base URL of its server, None for one elsewhere)}
Rows = dict[str, Callable[[dict[str, Any]], float]]  # of a table: what a cell has of one round


@dataclass
class Times:
    """What came of one request and when, in seconds since its round began."""

    sent: float
    first: float | None = None  # its first token, of thinking or answer
    answer: float | None = None  # the first of its answer
    ended: float | None = None
    tokens: int = 0


@dataclass(frozen=True)
class Load:
    """How much is asked, and what."""

    model: str
    dummy: bool  # weights are random: the lengths of answers are drawn, not left to the model
    thinking: int  # closed loops in the saturation
    quick_rate: float  # requests a second beside them
    flood: int  # closed loops in the flood
    thinking_rate: float  # requests a second beside them
    seconds: float  # of each round that count
    ramp: float  # seconds before them
    patience: float

    def _body(self, question: str, thinks: bool, tokens: int | None) -> Body:
        body: Body = {
            "model": self.model,
            "messages": [{"role": "user", "content": question}],
            "chat_template_kwargs": {"enable_thinking": thinks},
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if tokens is not None:
            body |= {"max_tokens": tokens, "ignore_eos": True, "temperature": 1.0}
        return body

    def thinking_body(self, rng: random.Random) -> Body:
        """Return a question that takes thinking."""
        question = f"What is {rng.randint(2, 999)} * {rng.randint(2, 99)}?"
        if not self.dummy:
            return self._body(question, True, None)
        budget = rng.randint(128, 896)
        return {**self._body(question, True, budget + 88), "thinking_token_budget": budget}

    def quick_body(self, rng: random.Random) -> Body:
        """Return a question with a short answer."""
        question = f"What is {rng.randint(10, 999)} + {rng.randint(10, 999)}?"
        return self._body(question, False, 32 if self.dummy else None)

    def flood_body(self, rng: random.Random) -> Body:
        """Return a question with a long answer."""
        there, here = rng.sample(CITIES, 2)
        question = (
            f"I need to plan a trip to {there} from {here}. Can you help me research flight costs, "
            f"create an itinerary for {rng.randint(3, 7)} days, and suggest restaurants based on "
            "my dietary restrictions (vegetarian)?"
        )
        return self._body(question, False, rng.randint(64, 448) if self.dummy else None)


class Server:
    """One arm's server, and the clock of a round."""

    def __init__(self, client: httpx.AsyncClient, url: str, cpu: Cpu | None) -> None:
        self.cpu = cpu
        self._client = client
        self._url = f"{url.rstrip('/')}/v1/chat/completions"
        self._begin = time.perf_counter()

    def now(self) -> float:
        """Return the seconds since the round began."""
        return time.perf_counter() - self._begin

    async def ask(self, body: Body, times: list[Times]) -> None:
        """Ask, and write into a new entry of `times` when what came.

        Raises:
            RuntimeError: the answer is an error.
        """
        asked = Times(self.now())
        times.append(asked)
        async with self._client.stream("POST", self._url, json=body) as response:
            if not response.is_success:
                raise RuntimeError(f"{response.status_code}: {(await response.aread())[:500]!r}")
            rest = b""
            async for data in response.aiter_bytes():
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    if line.startswith(b"data: {"):
                        self._see(json.loads(line[6:]), asked)
        if asked.answer is None:
            raise RuntimeError(f"no answer to {body['messages']}")
        asked.ended = self.now()

    def _see(self, event: dict[str, Any], asked: Times) -> None:
        if event.get("error"):
            raise RuntimeError(str(event)[:500])
        if usage := event.get("usage"):
            asked.tokens = usage["completion_tokens"]
        for choice in event.get("choices", ()):
            delta = choice["delta"]
            thought = delta.get("reasoning") or delta.get("reasoning_content")
            answer = (delta.get("content") or "").strip()
            if (thought or answer) and asked.first is None:
                asked.first = self.now()
            if answer and asked.answer is None:
                asked.answer = self.now()

    async def loop(self, body: Callable[[], Body], times: list[Times], go: asyncio.Event) -> None:
        """Ask one after the other while `go` is set."""
        while go.is_set():
            await self.ask(body(), times)

    async def cpu_between(self, start: float, end: float) -> float:
        """Return the CPU seconds that it takes between these times; nan if it runs elsewhere."""
        if self.cpu is None:
            return math.nan
        await asyncio.sleep(start - self.now())
        before = self.cpu()
        await asyncio.sleep(end - self.now())
        return self.cpu() - before

    async def trickle(
        self,
        group: asyncio.TaskGroup,
        body: Callable[[], Body],
        times: list[Times],
        until: float,
        gap: Callable[[], float],
    ) -> None:
        """Ask until then, whether or not there are answers yet, with a gap between any two."""
        due = self.now()
        while (due := due + gap()) < until:
            await asyncio.sleep(max(0, due - self.now()))
            group.create_task(self.ask(body(), times))


async def saturation(server: Server, load: Load, seed: str) -> dict[str, Any]:
    """Run a round of scenario 1 and return what is kept of it.

    All kinds are asked from its beginning, so that first come, first served too has its share of
    quick ones to answer when the seconds that count begin.
    """
    rng, arrivals, quick_rng = (random.Random(f"{seed} {name}") for name in "abc")
    thinking: list[Times] = []
    quick: list[Times] = []
    end = load.ramp + load.seconds
    go = asyncio.Event()
    go.set()
    async with asyncio.TaskGroup() as loops:
        for _ in range(load.thinking):
            loops.create_task(server.loop(lambda: load.thinking_body(rng), thinking, go))
        cpu = loops.create_task(server.cpu_between(load.ramp, end))
        # The loops go on until all quick ones are answered, or the last would have it easier.
        async with asyncio.TaskGroup() as group:
            await server.trickle(
                group,
                lambda: load.quick_body(quick_rng),
                quick,
                end,
                lambda: arrivals.expovariate(load.quick_rate),
            )
        await asyncio.sleep(max(0, end - server.now()))
        go.clear()
    ended = [t for t in thinking if t.ended and load.ramp <= t.ended < end]
    tokens = sum(t.tokens for t in ended)
    quick = [t for t in quick if t.sent >= load.ramp]
    found: dict[str, Any] = {
        "quick_answer": [_after(t.answer, t.sent) for t in quick],
        "thinking_first": [_after(t.first, t.sent) for t in thinking if load.ramp <= t.sent < end],
        "thinking_requests": len(ended),
        "thinking_tokens_per_s": round(tokens / load.seconds, 1),
    }
    if server.cpu:
        found["thinking_tokens_per_cpu_s"] = round(tokens / cpu.result(), 1)
    return found


async def flood(server: Server, load: Load, seed: str) -> dict[str, Any]:
    """Run a round of scenario 2 and return what is kept of it.

    The flood goes on until every request that thinks has begun; or, where they starve, until the
    last came longer ago than any patience, and they count as not begun (None).
    """
    rng, thinking_rng = (random.Random(f"{seed} {name}") for name in "ab")
    thinking: list[Times] = []
    quick: list[Times] = []
    end = load.ramp + load.seconds / 2
    go = asyncio.Event()
    go.set()
    async with asyncio.TaskGroup() as loops:
        for _ in range(load.flood):
            loops.create_task(server.loop(lambda: load.flood_body(rng), quick, go))
        await asyncio.sleep(load.ramp)
        await server.trickle(
            loops,
            lambda: load.thinking_body(thinking_rng),
            thinking,
            end,
            lambda: 1 / load.thinking_rate,
        )
        limit = end + 1.5 * load.patience + 10
        while server.now() < limit and any(t.first is None for t in thinking):
            await asyncio.sleep(0.1)
        over = server.now()
        go.clear()
    return {
        "thinking_first": [
            _after(t.first, t.sent) if t.first and t.first < over else None for t in thinking
        ],
        "unbegun_after": [
            round(over - t.sent, 3) for t in thinking if not t.first or t.first >= over
        ],
        "quick_answer": [_after(t.answer, t.sent) for t in quick if load.ramp <= t.sent < end],
    }


def _after(then: float | None, sent: float) -> float:
    assert then is not None
    return round(then - sent, 3)


SCENARIOS: dict[str, Callable[[Server, Load, str], Awaitable[dict[str, Any]]]] = {
    "saturation": saturation,
    "flood": flood,
}


def measure(arms: Arms, load: Load, rounds: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Run all rounds and give what is kept of them, without the first of each arm and scenario.

    Args:
        arms: the servers.
        load: what to ask.
        rounds: {scenario: rounds that count}.
    """
    for scenario, count in rounds.items():
        for number in range(count + 1 if count else 0):
            for name, (url, cpu) in arms.items():
                # Where nobody waits that long it is as `lanes`, and elsewhere one round says all.
                if name == "endless" and (scenario == "saturation" or number > 1):
                    continue
                warm = _short(load) if number == 0 else load
                found = asyncio.run(_round(scenario, url, cpu, warm, f"{scenario} {number}"))
                print(f"{scenario} {number} {name}: {_summary(found)}", file=sys.stderr)
                if number:
                    yield {"scenario": scenario, "round": number, "arm": name, **found}


def _short(load: Load) -> Load:
    less = {"seconds": load.seconds / 4, "ramp": load.ramp / 4, "patience": 0}
    return Load(**{**vars(load), **less})


async def _round(scenario: str, url: str, cpu: Cpu | None, load: Load, seed: str) -> dict[str, Any]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(timeout=600, limits=limits, trust_env=False) as client:
        return await SCENARIOS[scenario](Server(client, url, cpu), load, seed)


def _summary(found: dict[str, Any]) -> str:
    quick, first = found["quick_answer"], [t for t in found["thinking_first"] if t is not None]
    return (
        f"quick p50 {percentile(quick, 50):.2f} p99 {percentile(quick, 99):.2f} s, "
        f"thinking p50 {percentile(first, 50):.2f} max {max(first, default=math.nan):.2f} s, "
        f"{found.get('thinking_tokens_per_s', '-')} tokens/s"
    )


def percentile(values: list[float], percent: float) -> float:
    """Return the nearest rank."""
    ranked = sorted(values)
    return ranked[math.ceil(percent / 100 * len(ranked)) - 1] if ranked else math.nan


@contextlib.contextmanager
def served(patience: float) -> Iterator[Arms]:
    """Serve the nano model three times behind one Serve."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    lanes = {"fcfs": None, "lanes": patience, "endless": FOREVER}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(_config(port, lanes), file)
        file.flush()
        run = subprocess.Popen(
            [sys.executable, ROOT / "tools" / "run.py", file.name, "--mode", "ingress"],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert run.stderr
            while "is ready" not in (line := run.stderr.readline()):
                print(line, end="", file=sys.stderr)
                if run.poll() is not None:
                    sys.exit(1)
            parent = psutil.Process(run.pid)
            yield {name: (f"http://127.0.0.1:{port}/{name}", _cpu(parent, name)) for name in lanes}
        finally:
            run.send_signal(signal.SIGINT)
            run.communicate(timeout=120)


def _cpu(parent: psutil.Process, arm: str) -> Cpu:
    """Return how to tell what an arm's ingress and engine have taken."""
    replicas = [
        child
        for child in parent.children(recursive=True)
        if child.cmdline()[:1] and f"ServeReplica:{arm}:" in child.cmdline()[0]
    ]
    engines = [child for replica in replicas for child in replica.children(recursive=True)]

    def seconds() -> float:
        times = [process.cpu_times() for process in (*replicas, *engines)]
        return sum(one.user + one.system for one in times)

    return seconds


def _config(port: int, lanes: dict[str, float | None]) -> dict[str, Any]:
    """Return nano-cpu.yaml with an application for each arm.

    All requests wait in the engine, where lanes count, and none in Serve.
    """
    config: dict[str, Any] = yaml.safe_load((ROOT / "serve-configs" / "nano-cpu.yaml").read_text())
    config["http_options"] = {**config.get("http_options", {}), "port": port}
    (given,) = config["applications"]
    config["applications"] = []
    for name, patience in lanes.items():
        application = deepcopy(given)
        application |= {"name": name, "route_prefix": f"/{name}"}
        (model,) = application["args"]["llm_configs"]
        model["model_loading_config"]["model_source"] = str(ROOT / "models" / "nano")
        model["engine_kwargs"]["max_num_seqs"] = SEQUENCES
        model["deployment_config"]["ray_actor_options"]["num_cpus"] = 1  # all must fit into 8
        application["args"]["reasoning"][MODEL]["lanes"] = (
            {"enabled": False}
            if patience is None
            else {"enabled": True, "patienceSeconds": patience}
        )
        application["deployments"].append(
            {"name": "OpenAiIngress", "num_replicas": 1, "ray_actor_options": {"num_cpus": 0}}
        )
        for deployment in application["deployments"]:
            deployment["max_ongoing_requests"] = 512
        config["applications"].append(application)
    return config


def report(kept: list[dict[str, Any]], command: str, patience: float) -> str:
    """Return the tables of what was measured."""
    text = [
        f"`{command}`",
        "Medians of the rounds, and their range in brackets; times are in seconds. "
        f"The patience of `lanes` is {patience:g} s.",
    ]
    if saturated := _of(kept, "saturation"):
        text += _saturation_report(saturated)
    if flooded := _of(kept, "flood"):
        text += _flood_report(flooded, patience)
    return "\n\n".join(text) + "\n"


def _saturation_report(arms: dict[str, list[dict[str, Any]]]) -> list[str]:
    def p99(one: dict[str, Any]) -> float:
        return percentile(one["quick_answer"], 99)

    def tokens(one: dict[str, Any]) -> float:
        return float(one["thinking_tokens_per_s"])

    def tokens_cpu(one: dict[str, Any]) -> float:
        return float(one.get("thinking_tokens_per_cpu_s", math.nan))

    rows: Rows = {
        "quick: first token of the answer, p50": lambda r: percentile(r["quick_answer"], 50),
        "quick: first token of the answer, p99": p99,
        "thinking: tokens a second": tokens,
        "thinking: tokens a CPU second of the server": tokens_cpu,
        "thinking: first token, p50": lambda r: percentile(r["thinking_first"], 50),
        "thinking: first token, p99": lambda r: percentile(r["thinking_first"], 99),
    }
    pairs = list(zip(arms["fcfs"], arms["lanes"], strict=False))
    quicker = [p99(fcfs) / p99(lanes) for fcfs, lanes in pairs]
    kept_up = [tokens(lanes) / tokens(fcfs) for fcfs, lanes in pairs]
    by_cpu = _spread([tokens_cpu(lanes) / tokens_cpu(fcfs) for fcfs, lanes in pairs])
    a_cpu_second = "" if by_cpu == UNKNOWN else f", a CPU second {by_cpu}"
    return [
        "## Saturated by requests that think",
        _table(arms, rows),
        f"Of each pair of rounds: p99 of the quick ones without lanes through that with them "
        f"{_spread(quicker)}; tokens a second of the thinking ones with lanes through those "
        f"without {_spread(kept_up)}{a_cpu_second}. Quick requests in all: "
        f"{_counts(arms, 'quick_answer')}.",
    ]


def _flood_report(arms: dict[str, list[dict[str, Any]]], patience: float) -> list[str]:
    rows: Rows = {
        "thinking: first token, p50": lambda r: percentile(_begun(r), 50),
        "thinking: first token, longest": lambda r: max(_begun(r), default=math.nan),
        "quick: first token of the answer, p50": lambda r: percentile(r["quick_answer"], 50),
        "quick: first token of the answer, p99": lambda r: percentile(r["quick_answer"], 99),
    }
    text = ["## Flooded by requests that don't think", _table(arms, rows)]
    longest = {arm: max((t for r in of for t in _begun(r)), default=0) for arm, of in arms.items()}
    text.append(
        f"Thinking requests in all: {_counts(arms, 'thinking_first')}. The longest wait of one "
        f"with lanes is {longest['lanes']:.1f} s; the longest without them and the patience make "
        f"{longest['fcfs']:.1f} + {patience:g} = {longest['fcfs'] + patience:.1f} s."
    )
    for arm, of in arms.items():
        if waited := [t for r in of for t in r["unbegun_after"]]:
            text.append(
                f"`{arm}`: {len(waited)} of them had not begun when the flood was stopped, after "
                f"{min(waited):.0f} to {max(waited):.0f} s."
            )
    return text


def _counts(arms: dict[str, list[dict[str, Any]]], what: str) -> str:
    return ", ".join(f"{sum(len(r[what]) for r in of)} ({arm})" for arm, of in arms.items())


def _of(kept: list[dict[str, Any]], scenario: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in kept:
        if one["scenario"] == scenario:
            found.setdefault(one["arm"], []).append(one)
    return found


def _begun(one: dict[str, Any]) -> list[float]:
    return [t for t in one["thinking_first"] if t is not None]


def _table(arms: dict[str, list[dict[str, Any]]], rows: Rows) -> str:
    lines = ["| | " + " | ".join(arms) + " |", "| --- |" + " --- |" * len(arms)]
    for name, value in rows.items():
        cells = [_spread([value(one) for one in of]) for of in arms.values()]
        if any(cell != UNKNOWN for cell in cells):
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _spread(values: list[float]) -> str:
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return UNKNOWN
    middle = statistics.median(known)
    digits = 0 if middle >= 100 else 1 if middle >= 10 else 2
    span = f" ({min(known):.{digits}f} to {max(known):.{digits}f})" if len(known) > 1 else ""
    return f"{middle:.{digits}f}{span}"


# The figure: seconds on a logarithmic axis, the share of requests on the other.
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 680, 340, 56, 20, 44, 48
COLOURS = {"fcfs": "#9a6700", "lanes": "#0969da"}
TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]


def figure(kept: list[dict[str, Any]]) -> str:
    """Return an SVG of how long quick requests wait for their answer in the saturation."""
    waits = {
        arm: sorted(t for one in of for t in one["quick_answer"])
        for arm, of in _of(kept, "saturation").items()
    }
    low = max(t for t in TICKS if t <= min(w[0] for w in waits.values()))
    high = min(t for t in TICKS if t >= max(w[-1] for w in waits.values()))

    def across(seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(seconds / low) / math.log(high / low)

    def up(share: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="13" fill="#1f2328">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-weight="bold">Quick requests that have the first token of '
        "their answer after so many seconds</text>",
    ]
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts.append(_line(LEFT, up(share), WIDTH - RIGHT, up(share)))
        parts.append(_text(LEFT - 8, up(share) + 4, f"{share:.0%}", "end"))
    for tick in TICKS:
        if low <= tick <= high:
            parts.append(_line(across(tick), up(0), across(tick), up(1)))
            parts.append(_text(across(tick), up(0) + 20, f"{tick:g} s"))
    for place, (arm, values) in enumerate(waits.items()):
        points = [(across(values[0]), up(0))]
        for rank, value in enumerate(values):
            points += [(across(value), up(rank / len(values)))]
            points += [(across(value), up((rank + 1) / len(values)))]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        colour = COLOURS.get(arm, "#1f2328")
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>')
        label = f"{arm}: p50 {percentile(values, 50):.2f} s, p99 {percentile(values, 99):.2f} s"
        parts.append(_text(LEFT + 12, TOP + 20 + 20 * place, label, "start", colour))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="#d1d9e0"/>'


def _text(x: float, y: float, text: str, anchor: str = "middle", colour: str = "#1f2328") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'


def _without_out(arguments: list[str]) -> list[str]:
    """Return what a reader needs to measure the same, not where it was written here."""
    kept: list[str] = []
    given = iter(arguments)
    for argument in given:
        if argument == "--out":
            next(given)
        elif argument != "--again":
            kept.append(argument)
    return kept


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="of the saturation, for each arm")
    parser.add_argument("--flood-rounds", type=int, default=1, help="of the flood, half as long")
    parser.add_argument("--seconds", type=float, default=30, help="that count of a round")
    parser.add_argument("--ramp", type=float, default=12, help="seconds before them")
    parser.add_argument("--thinking", type=int, default=4 * SEQUENCES, help="loops that think")
    parser.add_argument("--quick-rate", type=float, default=2, help="quick ones a second")
    parser.add_argument("--flood", type=int, default=8 * SEQUENCES, help="loops of the flood")
    parser.add_argument("--thinking-rate", type=float, default=1, help="a second in the flood")
    parser.add_argument("--patience", type=float, default=15, help="seconds, of the arm `lanes`")
    parser.add_argument(
        "--arm", action="append", default=[], metavar="NAME=URL", help="a server that is there"
    )
    parser.add_argument("--model", default=MODEL, help="its name on those servers")
    parser.add_argument("--dummy", action="store_true", help="its weights are random")
    parser.add_argument("--out", type=Path, help="OUT.md, OUT.svg and OUT.jsonl are written")
    parser.add_argument("--again", action="store_true", help="out of OUT.jsonl, measuring nothing")
    arguments = parser.parse_args()
    # SIGTERM (a supervisor, timeout) ends what is served too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    command = shlex.join(["python", "bench/lanes.py", *_without_out(sys.argv[1:])])
    raw: Path | None = None
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        raw = arguments.out.with_name(arguments.out.name + ".jsonl")
    if arguments.again and raw:
        kept = [json.loads(line) for line in raw.read_text().splitlines()]
    else:
        names = {"thinking", "quick_rate", "flood", "thinking_rate", "seconds", "ramp", "patience"}
        names |= {"model", "dummy"}
        load = Load(**{name: getattr(arguments, name) for name in names})
        rounds = {"saturation": arguments.rounds, "flood": arguments.flood_rounds}
        given: Arms = {}
        for arm in arguments.arm:
            name, url = arm.split("=", 1)
            given[name] = (url, None)
        with contextlib.nullcontext(given) if given else served(load.patience) as arms:
            kept = []
            for one in measure(arms, load, rounds):
                kept.append(one)
                if raw:
                    raw.write_text(
                        "".join(json.dumps(o, separators=(",", ":")) + "\n" for o in kept)
                    )
    text = report(kept, command, arguments.patience)
    print(text)
    if arguments.out:
        if _of(kept, "saturation"):
            drawn = arguments.out.with_name(arguments.out.name + ".svg")
            drawn.write_text(figure(kept))
            text += f"\n![How long quick requests wait]({drawn.name})\n"
        arguments.out.with_name(arguments.out.name + ".md").write_text("# Lanes\n\n" + text)


if __name__ == "__main__":
    main()
