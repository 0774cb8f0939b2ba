# ruff: noqa: SIM905 - word lists read better as one string
"""Answering with what a tool returned."""

import json
import random

import words
from problem import Draw, Problem
from tasks.tool_calls import fitting

SHARE = 3.0

_KEYS = "temperature condition status price time value result unit city wind humidity rate".split()
_TEXTS = (
    "sunny cloudy rainy windy snowy clear delayed landed shipped delivered open closed done ok "
    "18 C and sunny|5 C, light rain|22 degrees|on time|in transit|12:30|08:05 PM|14:45 local time"
).split("|")


def _value(rng: random.Random) -> str | int | float:
    return rng.choice(
        [
            rng.randint(-20, 40),
            rng.randint(0, 99999),
            rng.randint(0, 9999) / 10,
            f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}",
            rng.choice(_TEXTS[0].split()),
            words.made_up(rng),
            words.city(rng),
            f"{rng.choice(_TEXTS[0].split())} {words.made_up(rng)}",
        ]
    )


def returned(rng: random.Random) -> tuple[str, str]:
    """Return what a tool sends back, and how a sentence tells it."""
    if rng.random() < 0.4:
        text = str(_value(rng)) if rng.random() < 0.6 else rng.choice(_TEXTS[1:])
        if rng.random() < 0.3:
            text = f"{rng.randint(-9, 40)} {rng.choice(['C', 'F', 'km', 'USD', 'EUR', '%'])}"
        return text, text
    keys = rng.sample(_KEYS, rng.choice([1, 1, 2, 2, 3]))
    if rng.random() < 0.3:
        keys[0] = words.made_up(rng, 2)
    values = {key: _value(rng) for key in keys}
    if len(values) == 1:
        told = str(next(iter(values.values())))
    else:
        told = ", ".join(f"{key} {value}" for key, value in values.items())
    return json.dumps(values), told


def make(draw: Draw) -> Problem:
    """Return a question whose tool has been called and has answered."""
    rng = draw.rng
    _, question, function, tools, _ = fitting(draw)
    content, told = returned(rng)
    identifier = "call_" + words.made_up(rng)
    request = {"id": identifier, "type": "function", "function": function}
    return Problem(
        "tool_results",
        question,
        f"The tool {function['name']} says: {told}.",
        f"According to {function['name']}: {told}.",
        after=(
            {"role": "assistant", "content": "", "tool_calls": [request]},
            {"role": "tool", "tool_call_id": identifier, "content": content},
        ),
        tools=tuple(tools),
    )
