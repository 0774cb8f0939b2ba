"""No client can hold up others by a request that is expensive before the scheduler sees it."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from .conftest import BOB, KEY, MODEL, Server

# Far from the minutes of an attack that works, and from what a busy machine takes by itself
HELD_UP_S = 10

HI = [{"role": "user", "content": "What is 2 + 3? Answer in JSON."}]
TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    },
}


def form(schema: Any) -> dict[str, Any]:
    return {
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    }


# What others ask for meanwhile
USUAL: dict[str, dict[str, Any]] = {
    "json_schema": form({"type": "object", "properties": {"result": {"type": "integer"}}}),
    "json_object": {"response_format": {"type": "json_object"}},
    "a named tool": {
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "add"}},
    },
    "plain": {},
}


def words(count: int, size: int = 12) -> list[str]:
    return [f"{number:0{size}d}abc" for number in range(count)]


def tight(levels: int) -> Any:
    schema: Any = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


# The worst that the bounds let through, each another time anew
LARGEST = [
    lambda salt: form({"enum": [f"{salt}{word}" for word in words(1000, 45)]}),
    lambda salt: form(
        {
            "type": "object",
            "properties": {f"p{salt}{number}": {"type": "string"} for number in range(300)},
        }
    ),
    lambda salt: {"structured_outputs": {"regex": "|".join(words(240)) + str(salt)}},
    lambda salt: form(
        {
            "type": "object",
            "properties": {
                f"p{salt}{number}": {"type": "string", "maxLength": 1000 + number}
                for number in range(4)
            },
        }
    ),
]


def body(request: dict[str, Any]) -> bytes:
    given = {"model": MODEL, "messages": HI, "max_tokens": 60, "enable_thinking": False}
    return json.dumps({"temperature": 0, **given, **request}).encode()


def post(server: Server, timeout: float = 60, key: str = KEY, **request: Any) -> httpx.Response:
    return send(server, body(request), timeout, key)


def send(server: Server, content: bytes, timeout: float, key: str = KEY) -> httpx.Response:
    return httpx.post(
        f"{server.base_url}/v1/chat/completions",
        content=content,
        headers={"authorization": f"Bearer {key}", "content-type": "application/json"},
        timeout=timeout,
    )


def seconds(server: Server) -> dict[str, float]:
    """Return how long each usual request takes, {what: s}."""
    taken = {}
    for what, request in USUAL.items():
        begin = time.monotonic()
        response = post(server, key=BOB, **request)
        assert response.status_code == 200, response.text
        taken[what] = time.monotonic() - begin
    return taken


def test_others_get_their_structured_answers_while_one_attacks(server: Server):
    """Four schemas of 100,000 words once took these from everybody for 20 minutes."""
    seconds(server)  # compiled by now
    usual = seconds(server)
    stop = threading.Event()
    large = body(form({"enum": words(100_000)}))  # made once: its making, too, takes CPU time

    def attack(number: int) -> list[int]:
        statuses = []
        while not stop.is_set():
            content = large
            if number == 0:  # one of them keeps within the bounds
                content = body(LARGEST[len(statuses) % len(LARGEST)](len(statuses)))
            try:
                statuses.append(send(server, content, 5).status_code)
            except httpx.TimeoutException:
                statuses.append(0)
        return statuses

    with ThreadPoolExecutor(4) as pool:
        attacks = [pool.submit(attack, number) for number in range(4)]
        try:
            time.sleep(1)
            meanwhile = [seconds(server) for _ in range(3)]
        finally:
            stop.set()
    assert 400 in {status for each in attacks for status in each.result()}
    for taken in meanwhile:
        for what, longest in taken.items():
            assert longest < usual[what] + HELD_UP_S, (what, usual, meanwhile)
    assert seconds(server)["json_schema"] < usual["json_schema"] + HELD_UP_S


# name -> (the request, the field that the refusal names)
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "100,000 words": (form({"enum": words(100_000)}), "response_format.json_schema.schema"),
    "100,000 words, as JSON in a string": (
        {"structured_outputs": {"json": json.dumps({"enum": words(100_000)})}},
        "structured_outputs.json",
    ),
    "100,000 words, in a structural tag": (
        {
            "response_format": {
                "type": "structural_tag",
                "structures": [{"begin": "<a>", "schema": {"enum": words(100_000)}, "end": "</a>"}],
                "triggers": ["<a>"],
            }
        },
        "response_format",
    ),
    "40 levels": (form(tight(40 * 2)), "response_format.json_schema.schema"),
    "700 levels": (form(tight(700)), ""),
    "$ref to itself": (form({"$ref": "#"}), "response_format.json_schema.schema"),
    "1,000 properties": (
        form({"properties": {f"p{n}": {} for n in range(1000)}}),
        "response_format.json_schema.schema",
    ),
    "a large regular expression": (
        {"structured_outputs": {"regex": "a" * 5000}},
        "structured_outputs.regex",
    ),
    "a large grammar": (
        {"structured_outputs": {"grammar": 'root ::= "a" | ' * 1000}},
        "structured_outputs.grammar",
    ),
    "1,001 choices": (
        {"structured_outputs": {"choice": ["a"] * 1001}},
        "structured_outputs.choice",
    ),
    "100,000 stops": ({"stop": words(100_000)}, "stop"),
    "a bias for 50,000 tokens": ({"logit_bias": dict.fromkeys(words(50_000), 1)}, "logit_bias"),
    "1,000 tools": (
        {"tools": [{"type": "function", "function": {"name": f"f{n}"}} for n in range(1000)]},
        "tools",
    ),
    "300 answers": ({"n": 300}, "n"),
    "beam search": ({"use_beam_search": True, "n": 8}, "use_beam_search"),
    "arguments 900 deep": (
        {"chat_template_kwargs": {"a": tight(450)}},
        "",
    ),
    "a number of 41 digits": ({"thinking_token_budget": 10**40}, "thinking_token_budget"),
}


@pytest.mark.parametrize(("request_", "field"), REFUSED.values(), ids=REFUSED)
def test_what_would_be_expensive_is_refused(server: Server, request_: dict[str, Any], field: str):
    response = post(server, 20, **request_)
    assert response.status_code == 400
    assert (response.json()["error"]["param"] or "") == field
    assert post(server, max_tokens=5).status_code == 200


def test_a_prompt_of_4_mib_is_refused_untokenized(server: Server):
    """By vLLM, which knows how many characters a token has at most."""
    response = post(server, 20, messages=[{"role": "user", "content": "a b" * 1_300_000}])
    assert response.status_code == 400
    assert "characters" in response.json()["error"]["message"]
