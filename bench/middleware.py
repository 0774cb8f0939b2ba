"""What the middleware costs the front end, in CPU time for each streamed chunk.

Two measurements in one run:

1. Served: one Serve, the same nano model twice, once behind `ray.serve.llm:build_openai_app` and
   once behind ours. Rounds of closed-loop streams alternate between the two, and the CPU time of
   each ingress replica, out of /proc, is divided by the chunks that it sent.
2. Alone: the stack around an ASGI application that sends chunks as vLLM does, against that
   application without it, in this process. This is steadier than the difference of two noisy
   figures; the share is its ratio to what the plain ingress takes in 1.
"""

import argparse
import asyncio
import json
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from app.asgi import App, Message, Receive, Scope, Send
from app.edge.auth import BearerAuth
from app.middleware import STACK, WITH_VALUES
from app.thinking.fixed import Thinking

ROOT = Path(__file__).parent.parent
ARMS = {"plain": "ray.serve.llm:build_openai_app", "ours": "app.serve:build_app"}
QUESTION = [{"role": "user", "content": "What is 347 * 86?"}]
CONVERSATION = [
    {"role": "system", "content": "You are a helpful assistant. " * 5},
    *[
        {"role": role, "content": "Some words of a conversation that goes on for a while. " * 4}
        for _ in range(5)
        for role in ("user", "assistant")
    ],
    *QUESTION,
]
CHUNK = (
    b'data: {"id":"chatcmpl-5f0c2f1e-9b67-4a51-9a51-0a6f4f4f3b1e","object":"chat.completion.chunk",'
    b'"created":1795573966,"model":"my-qwen-3-32b","choices":[{"index":0,"delta":{"reasoning":"'
    b' times ten"},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n'
)


def two_applications(port: int) -> dict[str, Any]:
    """Return nano-cpu.yaml with the application twice: /plain and /ours."""
    path = ROOT / "serve-configs" / "nano-cpu.yaml"
    config: dict[str, Any] = yaml.safe_load(path.read_text())
    (application,) = config["applications"]
    application["args"]["llm_configs"][0]["model_loading_config"]["model_source"] = str(
        ROOT / "models" / "nano"
    )
    config["http_options"] = {"port": port}
    del application["args"]["reasoning"], application["args"]["edge"]  # of build_app alone
    config["applications"] = [
        {**application, "name": name, "route_prefix": f"/{name}", "import_path": path}
        for name, path in ARMS.items()
    ]
    return config


async def load(url: str, concurrency: int, requests: int, tokens: int) -> int:
    """Stream `requests` answers of `tokens` tokens each and return the number of chunks."""
    body = {
        "model": "my-qwen-3-32b",
        "messages": QUESTION,
        "stream": True,
        "max_tokens": tokens,
        "ignore_eos": True,
        "thinking_token_budget": tokens // 2,  # half of the chunks are thinking
    }
    pending = iter(range(requests))

    async def worker(client: httpx.AsyncClient) -> int:
        chunks = 0
        for _ in pending:
            async with client.stream("POST", f"{url}/v1/chat/completions", json=body) as response:
                response.raise_for_status()
                async for data in response.aiter_bytes():
                    chunks += data.count(b"data: {")
        return chunks

    async with httpx.AsyncClient(timeout=300) as client:
        return sum(await asyncio.gather(*(worker(client) for _ in range(concurrency))))


def cpu_seconds(process: psutil.Process) -> float:
    """Return the user and system CPU time that a process has taken."""
    times = process.cpu_times()
    return times.user + times.system


def served(arguments: argparse.Namespace) -> dict[str, list[float]]:
    """Return, for each arm, the CPU microseconds a chunk of its ingress replica, one a round."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(two_applications(port), file)
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
            return rounds(port, psutil.Process(run.pid), arguments)
        finally:
            run.send_signal(signal.SIGINT)
            run.communicate(timeout=120)


def rounds(port: int, parent: psutil.Process, arguments: argparse.Namespace) -> dict[str, Any]:
    """Alternate between the arms; the first round warms up and is dropped."""
    ingress = {
        name: next(
            child
            for child in parent.children(recursive=True)
            if child.cmdline()[:1] and f"ServeReplica:{name}:OpenAiIngress" in child.cmdline()[0]
        )
        for name in ARMS
    }
    cost: dict[str, list[float]] = {name: [] for name in ARMS}
    for number in range(arguments.rounds + 1):
        for name, process in ingress.items():
            before = cpu_seconds(process)
            chunks = asyncio.run(
                load(
                    f"http://127.0.0.1:{port}/{name}",
                    arguments.concurrency,
                    arguments.requests,
                    arguments.tokens,
                )
            )
            cost[name].append(1e6 * (cpu_seconds(process) - before) / chunks)
            print(f"round {number} {name}: {cost[name][-1]:.0f} us", file=sys.stderr)
    return {name: values[1:] for name, values in cost.items()}


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    """Send `scope["chunks"]` chunks, as vLLM's server does."""
    headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for _ in range(scope["chunks"]):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


async def drop(message: Message) -> None:
    """Be the server's `send`, at no cost."""


def alone(repeats: int, requests: int, chunks: int) -> list[float]:
    """Return the stack's CPU microseconds a request of so many chunks of thinking, one a repeat."""
    stacked: App = stream
    for layer in STACK:
        if layer is BearerAuth:
            stacked = layer(stacked, required=False)
        elif layer in WITH_VALUES:
            stacked = layer(stacked, models={"my-qwen-3-32b": Thinking()})
        else:
            stacked = layer(stacked)
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/chat/completions",
        "headers": [(b"content-type", b"application/json")],
        "chunks": chunks,
    }
    body = json.dumps({"messages": CONVERSATION, "stream": True, "max_tokens": 100}).encode()

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def ask(app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        for _ in range(requests):
            await app(dict(scope), receive, drop)

    def cost(app: App) -> float:
        start = time.process_time()
        asyncio.run(ask(app))
        return 1e6 * (time.process_time() - start) / requests

    cost(stacked)  # what the first request alone costs
    return [cost(stacked) - cost(stream) for _ in range(repeats)]


def row(name: str, values: list[float]) -> str:
    """Return a table row: median and range."""
    return f"| {name} | {statistics.median(values):.1f} | {min(values):.1f} to {max(values):.1f} |"


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="measured rounds of each arm")
    parser.add_argument("--concurrency", type=int, default=32, help="streams at a time")
    parser.add_argument("--requests", type=int, default=64, help="streams in a round")
    parser.add_argument("--tokens", type=int, default=128, help="tokens in a stream")
    arguments = parser.parse_args()
    cost = served(arguments)
    chunks = 20_000
    stack = [each / chunks for each in alone(9, 1, chunks)]
    request = alone(9, 500, 1)
    share = statistics.median(stack) / statistics.median(cost["plain"])
    ratio = statistics.median(cost["ours"]) / statistics.median(cost["plain"])
    print("| CPU microseconds a streamed chunk | median | range |\n| --- | --- | --- |")
    print(row("ingress of build_openai_app", cost["plain"]))
    print(row("ingress of app.serve:build_app", cost["ours"]))
    print(row("the middleware stack alone", stack))
    print("\n| CPU microseconds a request | median | range |\n| --- | --- | --- |")
    print(row("the middleware stack alone, 12 messages", request))
    print(
        f"\nThe stack is {share:.1%} of the plain ingress; ours against plain, served: {ratio:.3f}."
    )


if __name__ == "__main__":
    main()
