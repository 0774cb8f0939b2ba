"""A client that leaves takes its answer along, also one that is no stream.

Serve cancels the request of a client that has gone. vLLM makes a whole answer in a task of its own,
which it cancels when it hears of that; being cancelled itself at that moment, it leaves the task,
and the engine writes the answer to its end for nobody (vLLM 0.29, Ray 2.60).
"""

import asyncio

from app.asgi import App, Message, Receive, Scope, Send, retrieved
from app.scope import call_of

PATIENCE_S = 5.0  # that the application behind has to end by itself


class Leaving:
    """Lets the application behind hear that the client has gone, in place of being cancelled."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request; streams, and what isn't for a model, pass untouched."""
        call = call_of(scope)
        if call is None or call.streams:
            return await self.app(scope, receive, send)
        gone = asyncio.Event()
        answering = asyncio.ensure_future(self.app(scope, _or_gone(receive, gone), send))
        answering.add_done_callback(retrieved)
        try:
            await asyncio.shield(answering)
        except asyncio.CancelledError:
            gone.set()
            try:
                await asyncio.wait((answering,), timeout=PATIENCE_S)
            finally:
                answering.cancel()
            raise


def _or_gone(receive: Receive, gone: asyncio.Event) -> Receive:
    """Return a `receive` that says that the client has gone once it has."""

    async def received() -> Message:
        coming, leaving = asyncio.ensure_future(receive()), asyncio.ensure_future(gone.wait())
        try:
            await asyncio.wait((coming, leaving), return_when=asyncio.FIRST_COMPLETED)
            return coming.result() if coming.done() else {"type": "http.disconnect"}
        finally:
            coming.cancel()
            leaving.cancel()

    return received
