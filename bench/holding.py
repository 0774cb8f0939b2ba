"""What holding back a draft costs until the first token: `python bench/holding.py`.

Asks a running server (BASE_URL, API_KEY) the same questions in turn: such as it answers without
thinking, off and adaptive; and products, which it thinks about, on and adaptive. Rounds alternate
between the two modes, and the first of each warms up. Greedy, streamed.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

MODES: dict[str, dict[str, Any]] = {
    "off": {"chat_template_kwargs": {"enable_thinking": False}},
    "on": {"chat_template_kwargs": {"enable_thinking": True}},
    "adaptive": {"thinking": {"type": "adaptive"}},
}
# What is asked: (the mode beside adaptive, the field whose first text is waited for)
KINDS = {"answered at once": ("off", "content"), "thought": ("on", "reasoning")}


def questions(kind: str) -> Iterator[str]:
    """Yield questions of a kind, without end, the same in each run."""
    draw = random.Random(1)
    while True:
        if kind == "thought":
            yield f"What is {draw.randint(300, 999)} * {draw.randint(30, 99)}?"
        else:
            yield f"What is {draw.randint(10, 999)} + {draw.randint(10, 99)}?"


async def first(
    client: httpx.AsyncClient, model: str, mode: str, field: str, question: str
) -> tuple[float, str]:
    """Return the seconds until the first text of a field, and what became of the draft."""
    body = {
        "model": model,
        "messages": [{"role": "user", "content": question}],
        "stream": True,
        "temperature": 0,
        **MODES[mode],
    }
    began = time.perf_counter()
    async with client.stream("POST", "/v1/chat/completions", json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            choices = json.loads(line[5:])["choices"] if line.startswith("data: {") else ()
            if choices and choices[0]["delta"].get(field):
                break  # the client leaves, and the engine ends what it writes
        outcome = response.headers.get("adaptive-thinking", "").partition(";")[0]
        return time.perf_counter() - began, outcome


async def round_of(
    client: httpx.AsyncClient, model: str, kind: str, mode: str, streams: int, asked: Sequence[str]
) -> tuple[float, float]:
    """Return the median of a round in seconds, and the share that went as its kind says."""
    left = iter(asked)
    found = []

    async def loop() -> None:
        for question in left:
            found.append(await first(client, model, mode, KINDS[kind][1], question))

    await asyncio.gather(*(loop() for _ in range(streams)))
    expected = [seconds for seconds, outcome in found if outcome in ("", kind.split()[0])]
    return statistics.median(expected), len(expected) / len(found)


async def measure(rounds: int, requests: int, levels: Sequence[int]) -> None:
    """Print the table."""
    base = os.environ.get("BASE_URL", "http://127.0.0.1:8000")
    headers = {"authorization": f"Bearer {os.environ.get('API_KEY', 'none')}"}
    print("| | streams | first token, s | adaptive, s | ratio | of adaptive ones |")
    print("| --- | --- | --- | --- | --- | --- |")
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=120) as client:
        listed = (await client.get("/v1/models")).json()["data"]
        model = next(card["id"] for card in listed if ":" not in card["id"])
        for kind, (plain, _) in KINDS.items():
            for streams in levels:
                asked = questions(kind)
                pairs = []
                for number in range(rounds + 1):
                    batch = [next(asked) for _ in range(requests)]
                    pair = [
                        await round_of(client, model, kind, mode, streams, batch)
                        for mode in (plain, "adaptive")
                    ]
                    if number:
                        pairs.append(pair)
                before, after = (statistics.median(p[n][0] for p in pairs) for n in (0, 1))
                ratios = [pair[1][0] / pair[0][0] for pair in pairs]
                spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
                share = statistics.mean(pair[1][1] for pair in pairs)
                print(
                    f"| {kind}, beside {plain} | {streams} | {before:.3f} | {after:.3f} | "
                    f"{statistics.median(ratios):.2f} ({spread}) | {100 * share:.0f} % |",
                    flush=True,
                )


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=48, help="of a round (%(default)s)")
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 16])
    options = parser.parse_args()
    asyncio.run(measure(options.rounds, options.requests, options.streams))


if __name__ == "__main__":
    main()
