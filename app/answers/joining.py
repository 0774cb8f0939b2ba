"""How many tokens a chunk of a stream carries: one while this process has time, more as it fills.

One process writes every chunk of a replica, and a chunk costs it much the same whether it carries a
token or four. While it has time each token goes out by itself. Once it is busy it would hold up the
accelerator, which costs every client more time than a few tokens at once do.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Open streams for each further token a chunk: a burst is known by its number, before it costs.
STREAMS = 16
MOST_BY_STREAMS = 4
# Shares of a core that the event loop's thread has taken. Above the one it is twice the tokens,
# below the other half; between them nothing changes, or it would go up and down.
BUSY, FREE = 0.7, 0.35
LOAD_S = 0.5  # s over which that is measured
# A burst fills the process before that, and its own first tokens would wait for chunks: twice the
# tokens at once, and only as long as it lasts.
BURST_S = 0.1


class Share:
    """The share of a core that was taken, measured over so many seconds at least."""

    def __init__(self, seconds: float) -> None:
        """Take the least that it is measured over."""
        self._seconds = seconds
        self._since, self._taken = float("-inf"), 0.0

    def due(self, clock: float) -> bool:
        """Tell whether it can be measured."""
        return clock - self._since >= self._seconds

    def taken(self, clock: float, cpu: float) -> float:
        """Return it since the last time, 0 at the first."""
        share = (cpu - self._taken) / (clock - self._since)
        self._since, self._taken = clock, cpu
        return share


class Joining:
    """The open streams of this process, and how busy it is."""

    def __init__(
        self,
        most: int,
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        """Take the values.

        Args:
            most: the most tokens a chunk may carry.
            clock: the time, in seconds.
            cpu: the seconds that this thread has been running.
        """
        self._most, self._clock, self._cpu = most, clock, cpu
        self._open = 0
        self._load, self._burst = Share(LOAD_S), Share(BURST_S)
        self._by_load = self._by_burst = self._tokens = 1

    @contextmanager
    def stream(self, choices: int) -> Iterator[int]:
        """Open a stream, and give vLLM's `stream_interval` for it: tokens a chunk.

        vLLM sends the first token and the last at once all the same.

        Args:
            choices: answers in the stream, each of which has chunks of its own.
        """
        self._count(choices)
        try:
            yield self.tokens()
        finally:
            self._count(-choices)

    def tokens(self) -> int:
        """Return the tokens that a chunk carries now."""
        now = self._clock()
        if self._burst.due(now):
            self._look(now)
        return self._tokens

    def _count(self, more: int) -> None:
        self._open += more
        self._decide()

    def _look(self, now: float) -> None:
        cpu = self._cpu()  # asks the system, which takes longer than the clock
        self._by_burst = 2 * self._tokens if self._burst.taken(now, cpu) > BUSY else 1
        if self._load.due(now):
            share = self._load.taken(now, cpu)
            if share > BUSY:
                self._by_load = min(self._most, 2 * self._by_load)
            elif share < FREE:
                self._by_load = max(1, self._by_load // 2)
        self._decide()

    def _decide(self) -> None:
        by_streams = min(MOST_BY_STREAMS, 1 + max(0, self._open - 1) // STREAMS)
        self._tokens = min(self._most, max(by_streams, self._by_load, self._by_burst))
