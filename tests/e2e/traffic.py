"""The traffic of the suite: OpenAI clients that ask until stopped, and what became of each request.

Runs in a pod of the cluster, because a port-forward ends with the pod that it leads to.

One JSON object a line goes to standard output for each request:
    start, end     seconds since the epoch
    kind           stream, short or unary
    fate           answered  the whole answer came
                   cut       the answer had begun and the client was told that it is not whole
                   silent    the answer had begun and just ended, as if it were whole
                   lost      no answer, after the retries that the OpenAI client makes by itself
                   refused   a 4xx
    retries        by the OpenAI client (its default: 2)
    tried          why: the status and text, or the exception, of each attempt that failed
    error          what the client saw, if it was not answered
SIGTERM stops it: what is in flight is waited for, and the last line is {"done": true}.
"""

import argparse
import asyncio
import itertools
import json
import random
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import openai


class Attempts(httpx.AsyncHTTPTransport):
    """A connection for each request, as independent clients have; and what became of each."""

    def __init__(self) -> None:
        super().__init__(limits=httpx.Limits(max_keepalive_connections=0))
        self.sent: dict[str, int] = {}
        self.failed: dict[str, list[str]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, and remember it under its x-request-id."""
        name, begin = request.headers["x-request-id"], time.time()
        self.sent[name] = self.sent.get(name, 0) + 1
        try:
            response = await super().handle_async_request(request)
        except Exception as problem:
            self._note(name, begin, f"{type(problem).__name__}: {problem}")
            raise
        if response.status_code >= 400:
            text = (await response.aread()).decode(errors="replace")
            self._note(name, begin, f"{response.status_code} {text}")
        return response

    def _note(self, name: str, begin: float, what: str) -> None:
        took = time.time() - begin
        self.failed.setdefault(name, []).append(f"{begin:.2f} after {took:.2f} s: {what}"[:300])


class Traffic:
    """Closed loops of requests. One of `stream` has an answer in flight nearly all the time."""

    def __init__(self, url: str, model: str, key_file: Path, pause: float) -> None:
        """Args:
        url: of the API, ending in /v1.
        model: the name that clients use.
        key_file: read before each request, since keys are rotated.
        pause: seconds between two requests of a loop.
        """
        self.model, self.key_file, self.pause = model, key_file, pause
        self.stopping = asyncio.Event()
        attempts = self.attempts = Attempts()
        http = httpx.AsyncClient(transport=attempts)
        self.client = openai.AsyncOpenAI(
            base_url=url, api_key="-", http_client=http, timeout=httpx.Timeout(120, connect=5)
        )

    async def begin(self) -> None:
        """Return when a request gets through: to a new pod the network opens a moment later."""
        while not self.stopping.is_set():
            try:
                headers = {"x-request-id": "begin"}
                client = self.client.with_options(api_key=self.key_file.read_text().strip())
                await client.models.list(extra_headers=headers)
                return
            except openai.APIError:
                await asyncio.sleep(0.5)

    async def loop(self, kind: str) -> None:
        """Ask until stopped."""
        for number in itertools.count():
            if self.stopping.is_set():
                return
            await self.ask(kind, number)
            await asyncio.sleep(self.pause)

    async def ask(self, kind: str, number: int) -> None:
        """Ask once, and say what became of it."""
        name = f"{kind}-{id(self):x}-{number}-{random.getrandbits(32):x}"
        begun, whole, fate, error = False, False, "", ""
        start = time.time()
        numbers = random.randint(100, 999), random.randint(10, 99)
        arguments: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": "user", "content": "What is {} * {}?".format(*numbers)}],
            "stream": kind != "unary",
            "max_tokens": 64,
            "extra_headers": {"x-request-id": name},
            "extra_body": {"chat_template_kwargs": {"enable_thinking": kind == "stream"}},
        }
        if kind == "stream":
            # Some seconds long, whatever the model would say.
            arguments |= {"max_tokens": 250}
            arguments["extra_body"] |= {"ignore_eos": True}
        try:
            client = self.client.with_options(api_key=self.key_file.read_text().strip())
            answer = await client.chat.completions.create(**arguments)
            if kind == "unary":
                begun = whole = answer.choices[0].finish_reason is not None
            else:
                async for chunk in answer:
                    begun = True
                    whole = whole or any(c.finish_reason is not None for c in chunk.choices)
            fate = "answered" if whole else "silent"
        except openai.APIStatusError as problem:
            fate = "refused" if problem.status_code < 500 else "lost"
            error = f"{problem.status_code} {problem.message}"[:300]
        except (openai.APIError, httpx.HTTPError) as problem:
            # Within a stream: an error event (APIError), or the connection ended (httpx).
            fate = "cut" if begun else "lost"
            error = f"{type(problem).__name__}: {problem}"[:300]
        retries = self.attempts.sent.pop(name, 1) - 1
        tried = self.attempts.failed.pop(name, [])
        record = {
            "start": start,
            "end": time.time(),
            "kind": kind,
            "fate": fate,
            "retries": retries,
        }
        record |= ({"error": error} if error else {}) | ({"tried": tried} if tried else {})
        print(json.dumps(record), flush=True)


async def main() -> None:
    """Run the loops that the arguments name."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--key-file", type=Path, required=True)
    parser.add_argument("--loops", nargs="+", default=["stream", "stream", "short", "unary"])
    parser.add_argument("--pause", type=float, default=0.2, help="seconds")
    arguments = parser.parse_args()
    traffic = Traffic(arguments.url, arguments.model, arguments.key_file, arguments.pause)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, traffic.stopping.set)
    await traffic.begin()
    await asyncio.gather(*(traffic.loop(kind) for kind in arguments.loops))
    print(json.dumps({"done": True}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
