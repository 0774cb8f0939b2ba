"""Whether the server lives and can answer, for load balancers and monitors; no key is needed."""

import asyncio
import time

from app.asgi import App, Receive, Scope, Send, answer_of, send_json

LIVE = "/livez"
# /health is vLLM's own name for what Kubernetes calls ready.
READY = frozenset({"/readyz", "/health"})
PATHS = READY | {LIVE}

_KNOWN_S = 1.0  # s that an answer of the engine holds, so that a flood asks it once a second
_PATIENCE_S = 5.0  # s that it may take


def is_health(scope: Scope) -> bool:
    """Tell whether a request asks for the server's health."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "").rstrip("/")) in PATHS


class Health:
    """Answers GET /livez, /readyz and /health: 200, or 503 where no completion would be answered.

    Live is a server that answers at all. Ready is one whose application behind says so by its own
    /health: vLLM's server has one, and `app.serve` gives Ray's ingress one.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._lock = asyncio.Lock()  # one asks, the others wait for what it learns
        self._ready = False
        self._known_until = 0.0  # time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request, or answer it."""
        if not is_health(scope):
            return await self.app(scope, receive, send)
        well = scope["path"].endswith(LIVE) or await self._is_ready(scope, receive)
        status, word = (200, "ok") if well else (503, "unavailable")
        body = scope["method"] != "HEAD"
        await send_json(send, status, {"status": word}, body=body)

    async def _is_ready(self, scope: Scope, receive: Receive) -> bool:
        async with self._lock:
            if time.monotonic() >= self._known_until:
                self._ready = await self._asked(scope, receive)
                self._known_until = time.monotonic() + _KNOWN_S
            return self._ready

    async def _asked(self, scope: Scope, receive: Receive) -> bool:
        """Return what the application behind says."""
        path = scope.get("root_path", "").rstrip("/") + "/health"
        asking = {**scope, "method": "GET", "path": path, "raw_path": path.encode()}
        try:
            async with asyncio.timeout(_PATIENCE_S):
                status, _ = await answer_of(self.app, asking, receive)
        except Exception:
            return False
        return status == 200
