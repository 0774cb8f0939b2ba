"""A call of a model by Ray's ingress, which ends when nobody waits for it any more.

Serve cancels what a request has called when the request itself is cancelled. A part of one, as a
draft that is not trusted (`app.thinking.adaptive`), would write on to its end in the engine.
"""

from collections.abc import AsyncIterator
from typing import Any


class Ending:
    """A handle of Ray Serve, or a method of one."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def __getattr__(self, name: str) -> Any:
        return Ending(getattr(self._handle, name))

    def options(self, **options: Any) -> "Ending":
        """Return the handle with options."""
        return Ending(self._handle.options(**options))

    async def remote(self, *arguments: Any, **named: Any) -> AsyncIterator[Any]:
        """Call a method that streams, and yield what it gives."""
        responses = self._handle.remote(*arguments, **named)
        begun = ended = False
        try:
            async for response in responses:
                begun = isinstance(response, (str, list))  # of a stream; else it is all there is
                yield response
            ended = True
        finally:
            # Before it has begun Serve may still be choosing a replica, for which this would wait.
            if begun and not ended:
                responses.cancel()
