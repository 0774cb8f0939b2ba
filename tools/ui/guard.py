"""What the browser may load for the page: nothing but the page, whatever an answer says."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# An answer is the model's, and may name a picture anywhere. NiceGUI has its scripts in the page,
# and Vue makes functions of its templates.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


class Guard:
    """Adds the headers that say so to every response."""

    def __init__(self, app: ASGIApp) -> None:
        """Take the application behind."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = POLICY
                headers["referrer-policy"] = "no-referrer"
            await send(message)

        await self.app(scope, receive, guarded if scope["type"] == "http" else send)
