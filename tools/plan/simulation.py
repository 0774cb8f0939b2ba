"""One replica's engine, step by step.

A step gives every running sequence a token, and takes the prompts of those that start as far as it
has room for them, which makes it longer for all. Steps without a prompt are alike until something
happens (a request comes, or reaches its answer or its end), and are taken together: what is
simulated is exact to the step, at a few events a request.
"""

import heapq
import math
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from .curve import Curve
from .load import Load


@dataclass(frozen=True)
class Engine:
    """How fast a replica is.

    Args:
        step: seconds of a step of so many sequences.
        start: seconds that the start of a request takes from all, whatever its prompt.
        token: seconds more for each token of its prompt.
        overhead: seconds until a client sees a token, outside the engine.
        sequences: that run at once, at most.
        cache: tokens that the KV cache holds.
        batched: tokens that a step takes; a longer prompt takes several.
        kept: tokens' worth that a sequence takes of the cache, however short it is.
        of_token: what a token takes beside that; 1: all that the cache has room for by tokens.
    """

    step: Curve
    start: float
    token: float
    overhead: float
    sequences: int
    cache: float = math.inf
    batched: float = math.inf
    kept: float = 0.0
    of_token: float = 1.0

    def room(self, tokens: float) -> float:
        """Return what a sequence takes of the cache, in tokens."""
        return self.kept + self.of_token * tokens

    def prefill(self, prompt: float) -> float:
        """Return the seconds that the start of a request takes from all."""
        return self.start + self.token * prompt

    def at_once(self, load: Load) -> float:
        """Return how many requests run at once where as many as possible wait."""
        return max(1.0, min(self.sequences, self.cache / self.room(load.over_time(1))))

    def saturation(self, load: Load) -> float:
        """Return the requests a second that a replica can't exceed."""
        running = self.at_once(load)
        steps = load.generated * self.step(running) / running
        return 1 / (steps + self.prefill(load.prompt))


@dataclass(frozen=True)
class Request:
    """One request: seconds of its arrival, and tokens."""

    at: float
    prompt: float
    thinking: int
    answer: int

    @property
    def tokens(self) -> float:
        """All that it will have."""
        return self.prompt + self.thinking + self.answer


@dataclass
class Times:
    """When a client sees what, in seconds from its asking."""

    thinks: bool
    first: float = 0
    answer: float = 0
    end: float = 0


def drawn(load: Load, count: int, seed: int = 1) -> list[Request]:
    """Return requests that arrive independently of each other, one a second in the mean.

    Args:
        load: their lengths, which are lognormal.
        count: how many.
        seed: the same seed gives the same requests.
    """
    draw = random.Random(seed)
    sigma = math.sqrt(math.log1p(load.variation**2))
    now, found = 0.0, []
    for _ in range(count):
        now += draw.expovariate(1)
        lengths = [math.exp(draw.gauss(-sigma * sigma / 2, sigma)) for _ in range(2)]
        thinks = draw.random() < load.share
        thinking = max(1, round(load.thinking * lengths[0])) if thinks else 0
        found.append(Request(now, load.prompt, thinking, max(1, round(load.answer * lengths[1]))))
    return found


def simulate(engine: Engine, requests: Sequence[Request], rate: float = 1.0) -> list[Times]:
    """Return what each request's client sees, first come, first served.

    Args:
        engine: of the replica.
        requests: in the order of their arrival.
        rate: their arrivals are that much denser.
    """
    times = [Times(request.thinking > 0) for request in requests]
    coming = 0  # the next to arrive
    waiting: deque[int] = deque()
    starting: deque[list[float]] = deque()  # [number, tokens of its prompt that are left]
    events: list[tuple[int, int, str]] = []  # (step at whose end it happens, number, what)
    now, step, decoding, held = 0.0, 0, 0, 0.0

    def arrives(number: int) -> float:
        return requests[number].at / rate

    def fits(number: int) -> bool:
        running = decoding + len(starting)
        room = held + engine.room(requests[number].tokens) <= engine.cache
        return not running or (running < engine.sequences and room)  # an empty engine takes any

    def sees(number: int, what: str) -> None:
        setattr(times[number], what, now - arrives(number) + engine.overhead)

    while coming < len(requests) or waiting or starting or events:
        while coming < len(requests) and arrives(coming) <= now + 1e-12:
            waiting.append(coming)
            coming += 1
        begun = 0
        while waiting and fits(waiting[0]):
            number = waiting.popleft()
            starting.append([number, requests[number].prompt])
            held += engine.room(requests[number].tokens)
            begun += 1
        if starting:
            room, taken, ready = max(1.0, engine.batched - decoding), 0.0, []
            while starting and taken < room:
                part = min(starting[0][1], room - taken)
                taken += part
                starting[0][1] -= part
                if starting[0][1] <= 0:
                    ready.append(int(starting.popleft()[0]))
            decoding += len(ready)
            now += engine.step(max(1, decoding)) + engine.start * begun + engine.token * taken
            step += 1
            for number in ready:
                request = requests[number]
                sees(number, "first")
                heapq.heappush(events, (step + request.thinking, number, "answer"))
                last = step + request.thinking + request.answer - 1
                heapq.heappush(events, (last, number, "end"))
        elif events:
            one, steps = engine.step(decoding), events[0][0] - step
            if coming < len(requests):  # the step in which the next one arrives ends first
                steps = min(steps, max(1, math.ceil((arrives(coming) - now) / one - 1e-9)))
            now += steps * one
            step += steps
        else:
            now = arrives(coming)
        while events and events[0][0] <= step:
            _, number, what = heapq.heappop(events)
            sees(number, what)
            if what == "end":
                decoding -= 1
                held -= engine.room(requests[number].tokens)
    return times


def percentile(values: Sequence[float], part: float) -> float:
    """Return the value that a part (0 to 1) of all does not exceed; NaN of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else math.nan
