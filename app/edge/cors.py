"""Which pages of other origins may read answers in a browser: https://fetch.spec.whatwg.org/"""

from app.asgi import App, Receive, Scope, Send, header
from app.edge.fixed import Edge, values_of

_METHODS = ("GET", "POST")
_HEADERS = ("*",)  # that a page may send: SDKs send a dozen of their own
# That it may read, beside the usual ones
_EXPOSED = ("adaptive-thinking", "request-id", "retry-after", "x-request-id")


class CrossOrigin:
    """Answers preflights, and lets pages of the allowed origins read every answer, errors too.

    Cookies are never asked for: keys are sent in headers.
    """

    def __init__(self, app: App, edge: Edge | None = None) -> None:
        """Take the values.

        Args:
            app: the application behind.
            edge: the values; those of $HYBRID_LLM_EDGE by default.
        """
        from starlette.middleware.cors import CORSMiddleware

        self.app = app
        self._cors = CORSMiddleware(
            self._behind,
            allow_origins=values_of(edge).origins,
            allow_methods=_METHODS,
            allow_headers=_HEADERS,
            expose_headers=_EXPOSED,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request; one that no browser's page has sent to another origin is untouched."""
        if scope["type"] != "http" or not header(scope["headers"], b"origin"):
            return await self.app(scope, receive, send)
        await self._cors(scope, receive, send)

    async def _behind(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request without its origin, so that Ray's ingress and vLLM say nothing of it.

        They allow every origin, Ray's ingress with cookies.
        """
        headers = [(key, value) for key, value in scope["headers"] if key.lower() != b"origin"]
        await self.app({**scope, "headers": headers}, receive, send)
