"""Which pages may read answers in a browser: the same for every answer, and none by default."""

import pytest
from asgi_client import CHAT, JSON, Response, answer, ask, http, untouched
from starlette.middleware.cors import CORSMiddleware

from app.asgi import App, Scope
from app.edge.auth import BearerAuth
from app.edge.cors import CrossOrigin
from app.edge.fixed import VALUES, Edge, dumped
from app.middleware import STACK

PAGE = "https://app.example.com"
OTHERS = ["https://evil.example", "https://app.example.com.evil.example", "null", f"{PAGE}:8443"]


def as_ray_has_it(app: App) -> App:
    """Ray's ingress app: any origin, with cookies."""
    return CORSMiddleware(app, allow_origins=["*"], allow_credentials=True, allow_methods=["*"])


def asked(
    origin: str | None,
    *origins: str,
    method: str = "GET",
    app: App | None = None,
    preflight: str = "",
) -> Response:
    """Send a request of a page to a server with these allowed origins."""
    headers = [(b"origin", origin.encode())] if origin else []
    if preflight:
        headers.append((b"access-control-request-method", preflight.encode()))
        headers.append((b"access-control-request-headers", b"authorization,x-stainless-os"))
    inner = as_ray_has_it(app or answer(200))
    return ask(CrossOrigin(inner, Edge(origins)), http(method, CHAT, headers))


def allowed(response: Response) -> set[str]:
    return {
        name.decode().lower() for name, _ in response.headers if b"access-control-allow" in name
    }


@pytest.mark.parametrize("status", [200, 401, 404, 413, 500])
def test_a_page_of_an_allowed_origin_reads_every_answer(status: int) -> None:
    response = asked(PAGE, "https://b.example", PAGE, app=answer(status))
    assert response.status == status
    assert allowed(response) == {"access-control-allow-origin"}
    assert response.header("access-control-allow-origin") == PAGE
    assert "Origin" in (response.header("vary") or "")  # or a cache would give it to another
    for name in ("x-request-id", "request-id", "retry-after", "adaptive-thinking"):
        assert name in (response.header("access-control-expose-headers") or "")


@pytest.mark.parametrize("origins", [(), (PAGE,)], ids=["off", "on"])
@pytest.mark.parametrize("origin", OTHERS)
def test_any_other_page_reads_nothing(origin: str, origins: tuple[str, ...]) -> None:
    assert not allowed(asked(origin, *origins))
    preflight = asked(origin, *origins, method="OPTIONS", preflight="POST")
    assert preflight.status == 400
    assert preflight.header("access-control-allow-origin") is None


def test_all_origins_get_no_cookies() -> None:
    response = asked("https://any.example", "*")
    assert response.header("access-control-allow-origin") == "*"
    assert allowed(response) == {"access-control-allow-origin"}


@pytest.mark.parametrize("preflight", ["GET", "POST"])
def test_preflights_are_answered_before_anything_else(preflight: str) -> None:
    async def never(scope, receive, send) -> None:
        pytest.fail("a preflight went further")

    response = asked(PAGE, PAGE, method="OPTIONS", preflight=preflight, app=never)
    assert response.status == 200
    assert response.header("access-control-allow-origin") == PAGE
    assert preflight in (response.header("access-control-allow-methods") or "")
    assert "authorization" in (response.header("access-control-allow-headers") or "")
    assert response.header("access-control-allow-credentials") is None


def test_a_method_that_there_is_not_is_not_allowed() -> None:
    assert asked(PAGE, PAGE, method="OPTIONS", preflight="DELETE").status == 400


def test_a_request_of_no_page_is_untouched() -> None:
    calls: list[Scope] = []
    scope = http("GET", CHAT, [JSON])
    ask(CrossOrigin(untouched(calls), Edge(("*",))), scope, whole=False)
    assert calls == [scope] and calls[0] is scope


def test_the_values_come_by_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = [(b"origin", PAGE.encode())]
    assert not allowed(ask(CrossOrigin(answer()), http("GET", CHAT, headers)))
    monkeypatch.setenv(VALUES, dumped(Edge((PAGE,))))
    assert allowed(ask(CrossOrigin(answer()), http("GET", CHAT, headers)))


def test_refusals_of_the_whole_stack_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VALUES, dumped(Edge((PAGE,))))
    monkeypatch.setenv("HYBRID_LLM_API_KEYS", "me: sk-me")
    app: App = answer()
    for layer in STACK:
        app = layer(app)
    right = (b"authorization", b"Bearer sk-me")
    for headers, status in (([JSON], 401), ([right], 415), ([right, JSON], 404)):
        scope = http("POST", "/v1/closed", [*headers, (b"origin", PAGE.encode())])
        response = ask(app, scope)
        assert (response.status, allowed(response)) == (status, {"access-control-allow-origin"})
    assert STACK.index(CrossOrigin) > STACK.index(BearerAuth)
