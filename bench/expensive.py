"""What one expensive request costs the others on a server: `python bench/expensive.py URL`.

Each case is sent by a client that waits 20 s at most. Meanwhile and after it another one asks for a
small JSON answer, again and again: the longest of its waits is what the case costs everybody. The
last case can hold a server without bounds up for minutes; end that server then.
"""

import argparse
import os
import threading
import time
from typing import Any

import httpx
from bounds import nested, optional, words

PATIENCE = 20  # s
HI = [{"role": "user", "content": "What is 2 + 3? Answer in JSON."}]


def form(schema: Any) -> dict[str, Any]:
    """Return the field that asks for an answer in the form of a schema."""
    described = {"name": "x", "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": described}}


def tool(number: int) -> dict[str, Any]:
    """Return a function with an argument."""
    return {"type": "function", "function": {"name": f"f{number}", "parameters": optional(1)}}


CASES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "`stop`: 100,000 strings": {"stop": words(100_000)},
    "`logit_bias` of 2,000 tokens": {"logit_bias": {str(n): 1 for n in range(2_000)}},
    "`bad_words`: 20,000": {"bad_words": words(20_000)},
    "1,000 tools": {"tools": [tool(n) for n in range(1_000)]},
    "a prompt of 4 MB": {"messages": [{"role": "user", "content": "a b" * 1_300_000}]},
    "45,000 messages": {"messages": HI * 45_000},
    "template arguments: 100,000": {"chat_template_kwargs": dict.fromkeys(words(100_000), 1)},
    "plain completion of 1,000 prompts": {"prompt": ["1 + 1 ="] * 1_000},
    "`n`: 300": {"n": 300, "temperature": 1},
    "schema: 1,000 properties": form(optional(1_000)),
    "schema: 60 objects within each other": form(nested(60)),
    "schema: 20 lengths of strings": form(
        {"properties": {f"p{n}": {"type": "string", "maxLength": 500 + n} for n in range(20)}}
    ),
    "regular expression of 100 KB": {"structured_outputs": {"regex": "|".join(words(6_600))}},
    "schema: enum of 100,000 words": form({"enum": words(100_000)}),
}


class Client:
    """Asks one server."""

    def __init__(self, url: str, key: str) -> None:
        self._client = httpx.Client(base_url=url, headers={"authorization": f"Bearer {key}"})
        self._model = self._client.get("/v1/models").json()["data"][0]["id"]

    def ask(self, request: dict[str, Any], timeout: float) -> tuple[str, float]:
        """Return what the answer's status is, and after how many seconds."""
        plain = "prompt" in request
        body = {"model": self._model, "max_tokens": 50, "temperature": 0, **request}
        if not plain:
            body = {"messages": HI, "chat_template_kwargs": {"enable_thinking": False}} | body
        path = "/v1/completions" if plain else "/v1/chat/completions"
        begin = time.monotonic()
        try:
            status = str(self._client.post(path, json=body, timeout=timeout).status_code)
        except httpx.HTTPError as failure:
            status = "none" if isinstance(failure, httpx.TimeoutException) else "broken off"
        return status, time.monotonic() - begin


def tried(url: str, key: str, request: dict[str, Any]) -> tuple[str, float, float]:
    """Return the status of a case, its seconds, and the longest wait of the other client."""
    outcome: list[tuple[str, float]] = []
    attack = threading.Thread(
        target=lambda: outcome.append(Client(url, key).ask(request, PATIENCE))
    )
    other = Client(url, key)
    usual = form(optional(2))
    other.ask(usual, PATIENCE)
    waits: list[float] = []
    attack.start()
    while attack.is_alive() or len(waits) < 3:
        waits.append(other.ask(usual, PATIENCE)[1])
    attack.join()
    (status, seconds) = outcome[0]
    return status, seconds, max(waits)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("url", help="of the server, as http://127.0.0.1:8000; its key is $API_KEY")
    parser.add_argument("--only", default="", help="the cases whose names have this in them")
    arguments = parser.parse_args()
    print("| One request | its status | after, s | another's longest wait, s |")
    print("| --- | --- | --- | --- |")
    for name, request in CASES.items():
        if arguments.only in name:
            status, seconds, wait = tried(arguments.url, os.environ.get("API_KEY", "none"), request)
            print(f"| {name} | {status} | {seconds:.1f} | {wait:.1f} |", flush=True)


if __name__ == "__main__":
    main()
