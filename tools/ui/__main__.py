"""`make ui`: a page to talk to the model, on this machine alone, until Ctrl-C."""

import argparse
import contextlib
import os
import socket
import sys
from urllib.parse import urlsplit

from nicegui import app, ui
from starlette.middleware.trustedhost import TrustedHostMiddleware

from .asking import Endpoint
from .guard import Guard
from .page import Page

HOST = "127.0.0.1"  # whoever reaches the page uses the key


def main() -> int:
    """Serve the page, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="make ui",
        description=(__doc__ or "").split("\n")[0],
        epilog="The environment: BASE_URL of the server, API_KEY where it asks for one.",
    )
    parser.add_argument("--port", type=int, default=7860, help="of the page; default: %(default)s")
    port = parser.parse_args().port
    if reason := in_the_way(port):
        print(f"error: port {port} on {HOST}: {reason}; make ui PORT=7861", file=sys.stderr)
        return 1
    try:
        url = base_url(os.environ.get("BASE_URL") or "http://127.0.0.1:8000/v1")
    except ValueError:
        print("error: BASE_URL is no http:// or https:// address", file=sys.stderr)
        return 1
    endpoint = Endpoint(url, os.environ.get("API_KEY") or "FAKE_KEY")
    app.add_middleware(Guard)
    # A page of the web whose name leads here (DNS rebinding) is another host, and gets nothing.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    app.on_startup(lambda: print(f"http://{HOST}:{port}  (asks {url}; Ctrl-C ends)", flush=True))
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn has ended well, and hands it on
        ui.run(
            lambda: Page(endpoint).build(),
            host=HOST,
            port=port,
            title="hybrid-llm",
            dark=None,  # as the system is
            reconnect_timeout=60,  # s; on a busy machine a page would be gone before it is shown
            show=False,
            reload=False,
            show_welcome_message=False,
        )
    return 0


def base_url(text: str) -> str:
    """Return the address of an API, with `/v1` where it has no path.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError
    return text.rstrip("/") + ("" if parts.path.strip("/") else "/v1")


def in_the_way(port: int) -> str:
    """Return why nothing can listen on a port of this machine, "" where something can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as failure:
            return getattr(failure, "strerror", None) or "no such port"
    return ""


if __name__ == "__main__":
    sys.exit(main())
