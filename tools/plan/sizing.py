"""How many replicas keep an objective under a load, by the simulation of one of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from . import Stop
from .load import Load
from .simulation import Engine, Times, drawn, percentile, simulate

COUNT = 4000  # requests of a simulation
WARM = 0.1  # of them, at the beginning, that don't count: the replica is empty then
FREE = 0.2  # of what a replica could do at most; nearer to it first tokens come later than foretold
PART = 0.95  # of the requests that an objective is for, as the chart's alerts have it
HOURS = 730  # a month


@dataclass(frozen=True)
class Objective:
    """Seconds to the first token of an answer, for 95 of 100 requests; infinite: none."""

    quick: float = math.inf
    thinking: float = math.inf

    def __post_init__(self) -> None:
        for name, seconds in (("quick", self.quick), ("first-answer", self.thinking)):
            if not seconds > 0:
                raise Stop(f"--{name} {seconds:g}: it is in seconds; give more than 0")


@dataclass(frozen=True)
class Spread:
    """Of some seconds: their mean, and what 50 and 95 of 100 don't exceed."""

    mean: float
    p50: float
    p95: float


@dataclass(frozen=True)
class Outcome:
    """What a replica's requests see at a rate.

    Args:
        rate: requests a second of this replica.
        seconds: {kind: {what: its spread}}, kinds are quick and thinking; whats are first, answer
            and end. `first` is the first token of all, of thinking or answer.
        running: requests in flight, in the mean (Little's law).
    """

    rate: float
    seconds: dict[str, dict[str, Spread]]
    running: float


@dataclass(frozen=True)
class Size:
    """What a load needs."""

    replicas: int
    most: Outcome  # at the highest rate of a replica that keeps the objective
    now: Outcome  # at the load's rate, shared out
    limit: str
    saturation: float  # requests a second that a replica can't exceed


def outcome(times: Sequence[Times], rate: float) -> Outcome:
    """Return what a simulation shows, once it is warm."""
    counted = times[int(WARM * len(times)) :]
    seconds: dict[str, dict[str, Spread]] = {}
    for kind, thinks in (("quick", False), ("thinking", True)):
        of = [one for one in counted if one.thinks == thinks]
        if of:
            seconds[kind] = {
                what: Spread(
                    sum(values) / len(values), percentile(values, 0.5), percentile(values, PART)
                )
                for what in ("first", "answer", "end")
                for values in [[float(getattr(one, what)) for one in of]]
            }
    stay = sum(one.end for one in counted) / len(counted)
    return Outcome(rate, seconds, rate * stay)


QUEUE = "queue"  # missed where more are in flight, in the mean, than run at once


def missed(found: Outcome, objective: Objective, at_once: float) -> str:
    """Return which objective is missed; QUEUE where most wait; empty if neither."""
    for kind, most in (("quick", objective.quick), ("thinking", objective.thinking)):
        if kind in found.seconds and found.seconds[kind]["answer"].p95 > most:
            return kind
    return QUEUE if found.running > at_once else ""


def size(engine: Engine, load: Load, objective: Objective) -> Size:
    """Return the replicas for a load.

    The highest rate of one replica that keeps the objective is looked for by halves, with the same
    requests each time. It does not depend on the load's rate, so more load never needs fewer
    replicas; and what keeps a strict objective keeps a loose one, so neither does a stricter one.

    Raises:
        Stop: no number of replicas keeps it.
    """
    requests = drawn(load, COUNT)

    def at(rate: float) -> Outcome:
        return outcome(simulate(engine, requests, rate), rate)

    saturation = engine.saturation(load)
    low, high = saturation / 1000, saturation * (1 - FREE)
    at_once = engine.at_once(load)
    alone = at(low)
    if (kind := missed(alone, objective, at_once)) in _NAMES:
        raise Stop(_never(kind, alone, engine, load, objective))
    best = at(high)
    binding = missed(best, objective, at_once)
    if binding:
        best = alone
        for _ in range(12):
            middle = (low + high) / 2
            found = at(middle)
            if now := missed(found, objective, at_once):
                high, binding = middle, now
            else:
                low, best = middle, found
    replicas = max(1, math.ceil(load.requests / best.rate - 1e-9))
    limit = f"the objective of {_NAMES[binding]}" if binding in _NAMES else _bound(engine, load)
    return Size(replicas, best, at(load.requests / replicas), limit, saturation)


_NAMES = {"quick": "quick answers", "thinking": "answers after thinking"}


def _never(kind: str, alone: Outcome, engine: Engine, load: Load, objective: Objective) -> str:
    """Say why no number of replicas keeps an objective, and what would."""
    option, most = (
        ("quick", objective.quick) if kind == "quick" else ("first-answer", objective.thinking)
    )
    seen, one = alone.seconds[kind]["answer"], engine.step(1)
    text = (
        f"--{option} {most:g}: no number of replicas keeps it: {_NAMES[kind]}, even alone on a "
        f"replica, begin after {seen.mean:.1f} s in the mean and {seen.p95:.1f} s at the "
        "95th percentile"
    )
    if kind == "thinking":
        budget = max(0, int((most - engine.prefill(load.prompt) - engine.overhead) / one - 1))
        text += (
            f" ({load.thinking:.0f} tokens of thinking in the mean, {1e3 * one:.1f} ms each). Ways "
            f"out: thinking of at most about {budget} tokens (reasoning.tokenBudget; then "
            "--thinking and --variation are less too)"
        )
    else:
        text += f" (a start takes {engine.prefill(load.prompt):.2f} s). Ways out: shorter prompts"
    return text + (
        f", an objective of {math.ceil(1.1 * seen.p95)} s or more, or a faster replica: another "
        "--accelerator, an -fp8 --preset, more accelerators (--set parallelism.tensor=N)"
    )


def _bound(engine: Engine, load: Load) -> str:
    """Return what keeps a replica from more."""
    rate, running = engine.saturation(load), engine.at_once(load)
    prefill = engine.prefill(load.prompt)
    if rate * prefill > 0.5:
        return f"prefill: it takes {100 * rate * prefill:.0f} % of a replica's time"
    by_cache = engine.cache / engine.room(load.over_time(1)) < engine.sequences
    double = load.generated * engine.step(2 * running) / (2 * running) + prefill
    if 1 / double < 1.1 * rate:
        return "decode: twice as many sequences at once would bring less than a tenth"
    if by_cache:
        return f"the KV cache: {running:.0f} sequences of this length fill it"
    more = 100 / rate / double - 100
    return (
        f"engine.maxNumSeqs: twice {engine.sequences} at once would bring {more:.0f} % more "
        f"(try --set engine.maxNumSeqs={2 * engine.sequences})"
    )
