"""How many tokens a chunk of a stream carries: one while few streams are open, more as there are more.

One process writes every chunk of a replica, and a chunk costs it much the same whether it carries a
token or four. With few streams each token goes out by itself. With many, that process would hold up
the accelerator, which then costs each client more time than a few tokens at once do.
"""

from collections.abc import Iterator
from contextlib import contextmanager

# Open streams for each further token a chunk: about half of what a process can write with a token a
# chunk at the pace of an 8B model on an H100 (bench/results).
STREAMS = 32


class Joining:
    """The open streams of this process."""

    def __init__(self, most: int) -> None:
        """Take the most tokens a chunk may carry."""
        self._most = most
        self._open = 0

    @contextmanager
    def stream(self, choices: int) -> Iterator[int]:
        """Open a stream, and give vLLM's `stream_interval` for it: tokens a chunk.

        vLLM sends the first token and the last at once all the same.

        Args:
            choices: answers in the stream, each of which has chunks of its own.
        """
        interval = min(self._most, 1 + self._open // STREAMS)
        self._open += choices
        try:
            yield interval
        finally:
            self._open -= choices
