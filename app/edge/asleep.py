"""A request for a model that sleeps: how long it waits for the first replica.

Serve lets it wait in the ingress, and starts a replica for it. Where a client, or a load balancer
on the way, is not as patient, an operator says how long that may take; then the answer is a 503
that says when to come again, and the model goes on waking.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from app.answers.ends import Meter
from app.answers.meters import meters
from app.asgi import App, Receive, Scope, Send, send_json
from app.edge.engines import asleep
from app.edge.errors import reshape
from app.scope import call_of

log = logging.getLogger("hybrid_llm.asleep")

_AWAKE_S = 1.0  # s that an answer of a replica holds, so that a flood asks once a second
_WAKING_S = 60.0  # s that waking is said to take, until it has been seen once
_LEAST_S = 5.0  # s, where it takes longer than it did

Handles = Callable[[], Mapping[str, Any]]


class Asleep:
    """Answers 503 where no replica has come in time; Ray's ingress alone needs it."""

    def __init__(
        self,
        app: App,
        handles: Handles = dict,
        waits: Mapping[str, float] = {},
        meter: Meter | None = None,
    ) -> None:
        """Take the models that may sleep.

        Args:
            app: the application behind.
            handles: returns {model id: its `ray.serve.handle.DeploymentHandle`}.
            waits: {model id: seconds that a request waits for its first replica}; to others, for
                which it may wait for ever, nothing is done.
            meter: who is told of refusals; all that are switched on, by default.
        """
        self.app = app
        self._handles = handles
        self._waits = waits
        self._sleepers: dict[str, _Sleeper] = {}
        self._meter = meter or meters()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request, or refuse it."""
        call = call_of(scope)
        wait = self._waits.get(call.model) if call else None
        if call is None or wait is None:
            return await self.app(scope, receive, send)
        sleeper = self._sleepers.get(call.model)
        if sleeper is None:
            sleeper = self._sleepers[call.model] = _Sleeper(self._handles()[call.model])
        if await sleeper.awake_within(wait):
            return await self.app(scope, receive, send)
        self._meter.refused(call, "asleep")
        after = [(b"retry-after", b"%d" % sleeper.seconds_left())]
        await send_json(send, 503, reshape(503, None), after)


class _Sleeper:
    """One model, which wakes when it is called."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._awake_until = 0.0  # time.monotonic()
        self._waking: asyncio.Task[bool] | None = None
        self._since = 0.0
        self._takes = _WAKING_S

    async def awake_within(self, wait: float) -> bool:
        """Wait for a replica so many seconds, and tell whether there is one."""
        if time.monotonic() < self._awake_until:
            return True
        if self._waking is None or self._waking.done():
            if not await asleep(self._handle):
                self._awake_until = time.monotonic() + _AWAKE_S
                return True
            if self._waking is None or self._waking.done():  # or another request has come first
                self._since = time.monotonic()
                self._waking = asyncio.create_task(self._wake())
        waking = self._waking
        await asyncio.wait({waking}, timeout=wait)
        return waking.done() and waking.result()

    async def _wake(self) -> bool:
        """Wait in the queue, for which Serve starts a replica; none for a request that has left."""
        try:
            await self._handle.check_health.remote()
        except Exception:  # as many wait as may, or it is going already
            log.warning("waiting for a replica failed", exc_info=True)
            return False
        self._takes = time.monotonic() - self._since
        self._awake_until = time.monotonic() + _AWAKE_S
        return True

    def seconds_left(self) -> int:
        """Return in how many seconds it should be awake, by how long it took the last time."""
        return round(max(_LEAST_S, self._since + self._takes - time.monotonic()))
