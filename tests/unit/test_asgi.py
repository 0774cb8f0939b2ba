"""The whole stack as both serving modes load it, and what its layers share."""

import asyncio
import importlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from asgi_client import CHAT, answer, ask, http, openai_error, stream, untouched
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

from app.asgi import Message, Scope
from app.edge.auth import BearerAuth
from app.middleware import IMPORT_PATHS, STACK
from app.rewriting import ResponseRewriter, Rewrite, each_line
from app.thinking.fixed import VALUES, Thinking, dumped

KEY = {"authorization": "Bearer sk-right"}


def as_in_the_ingress(api: FastAPI) -> None:
    """Add the layers as app/serve.py does."""
    for layer in STACK:
        if layer is BearerAuth:
            api.add_middleware(layer, required=True)
        else:
            api.add_middleware(layer)


def as_in_vllm(api: FastAPI) -> None:
    """Add the layers as vLLM does with its `middleware` option."""
    for path in IMPORT_PATHS:
        module, name = path.rsplit(".", 1)
        api.add_middleware(getattr(importlib.import_module(module), name))


@pytest.fixture(params=[as_in_the_ingress, as_in_vllm], ids=["ingress", "vllm"])
def api(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    """A small server of chat completions behind the whole stack."""
    for name in ("HYBRID_LLM_AUTH", "HYBRID_LLM_API_KEYS_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HYBRID_LLM_API_KEYS", "test: sk-right")
    monkeypatch.setenv("HYBRID_LLM_MAX_BODY_BYTES", "1000")
    models = {name: Thinking() for name in ("m", "broken", "dies")}
    monkeypatch.setenv(VALUES, dumped(models))
    api = FastAPI()

    @api.post(CHAT)
    async def chat(request: Request) -> Any:
        body = await request.json()
        if body.get("model") == "broken":
            raise RuntimeError("ray.exceptions.ActorDiedError: secret of the engine")
        if not body.get("stream"):
            message = {"role": "assistant", "content": "7.8", "reasoning": "Hm"}
            return JSONResponse({"choices": [{"index": 0, "message": message}]})

        async def events() -> AsyncIterator[str]:
            for delta in ({"reasoning": "\n"}, {"reasoning": "Hm"}, {"content": "7.8"}):
                yield f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta}]})}\n\n"
            if body.get("model") == "dies":
                raise RuntimeError("ray.exceptions.ActorDiedError: secret of the engine")
            yield "data: [DONE]\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    request.param(api)
    return api


def post(api: FastAPI, **options: Any) -> httpx.Response:
    """Send one request to the application over HTTP's own types; JSON is of a chat completion."""
    if "json" in options:
        chat = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        options["json"] = chat | options["json"]

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=api)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.request("POST", CHAT, **options)

    return asyncio.run(send())


def events_of(response: httpx.Response) -> list[Any]:
    """Return the parsed events of a stream; [DONE] as a string."""
    data = [event.strip().removeprefix("data: ") for event in response.text.split("\n\n")]
    return [event if event == "[DONE]" else json.loads(event) for event in data if event]


def test_both_names_reach_a_client_with_a_key(api: FastAPI) -> None:
    response = post(api, json={}, headers=KEY)
    message = response.json()["choices"][0]["message"]
    assert message["reasoning"] == message["reasoning_content"] == "Hm"


def test_both_names_reach_a_client_in_a_stream(api: FastAPI) -> None:
    *events, done = events_of(post(api, json={"stream": True}, headers=KEY))
    assert done == "[DONE]"
    assert [event["choices"][0]["delta"] for event in events] == [
        {"reasoning": None, "reasoning_content": None},
        {"reasoning": "\nHm", "reasoning_content": "\nHm"},
        {"content": "7.8"},
    ]


@pytest.mark.parametrize(
    ("status", "code", "request_"),
    [
        pytest.param(401, "invalid_api_key", {"content": b"x"}, id="a key before all else"),
        pytest.param(
            401, "invalid_api_key", {"content": b"x" * 1001}, id="a key before the size of the body"
        ),
        pytest.param(
            415, "unsupported_media_type", {"content": b"x" * 1001, "headers": KEY}, id="no JSON"
        ),
        pytest.param(
            413,
            "request_too_large",
            {"json": {"x": "y" * 1000}, "headers": KEY},
            id="declared too large",
        ),
        pytest.param(
            404, "model_not_found", {"json": {"model": "unknown"}, "headers": KEY}, id="model"
        ),
        pytest.param(500, None, {"json": {"model": "broken"}, "headers": KEY}, id="exception"),
    ],
)
def test_every_layer_answers_in_openais_shape(
    api: FastAPI, status: int, code: str | None, request_: dict[str, Any]
) -> None:
    response = post(api, **request_)
    assert response.status_code == status
    assert openai_error(response.json())["code"] == code
    assert "secret" not in response.text


def test_a_refusal_keeps_its_own_words(
    api: FastAPI, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The path of a file, which no error of the layers behind may show, is what helps here."""
    assert "1000 bytes" in post(api, json={"x": "y" * 1000}, headers=KEY).text
    assert "application/json" in post(api, content=b"x", headers=KEY).text
    monkeypatch.delenv("HYBRID_LLM_API_KEYS")
    monkeypatch.setenv("HYBRID_LLM_API_KEYS_FILE", str(tmp_path / "keys"))
    api.middleware_stack = None  # as at a new start
    response = post(api, json={})
    assert response.status_code == 401
    assert str(tmp_path / "keys") in openai_error(response.json())["message"]
    assert response.headers["www-authenticate"] == "Bearer"


def test_an_undeclared_body_that_grows_too_large_is_refused(api: FastAPI) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    response = post(api, content=pieces(), headers={**KEY, "content-type": "application/json"})
    assert response.status_code == 413
    assert openai_error(response.json())["code"] == "request_too_large"


def test_a_stream_that_dies_ends_in_one_error_event(api: FastAPI) -> None:
    response = post(api, json={"stream": True, "model": "dies"}, headers=KEY)
    *chunks, error = events_of(response)
    assert len(chunks) == 3
    assert openai_error(error)["type"] == "server_error"
    assert "secret" not in response.text


def test_the_middleware_needs_neither_ray_nor_vllm_nor_fastapi() -> None:
    script = (
        "import sys, app.middleware\n"
        "heavy = {'ray', 'vllm', 'fastapi', 'starlette', 'torch', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def wrapped(app: Any) -> Any:
    """Put all layers around an application with no keys needed."""
    for layer in STACK:
        app = layer(app)
    return app


def chat(**request: Any) -> bytes:
    """Return the body of a chat completion."""
    return json.dumps({"messages": [{"role": "user", "content": "Hi"}], **request}).encode()


@pytest.fixture
def no_keys_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRID_LLM_AUTH", "off")
    monkeypatch.setenv(VALUES, dumped({"m": Thinking()}))


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
@pytest.mark.usefixtures("no_keys_needed")
def test_scopes_other_than_http_reach_the_application(kind: str) -> None:
    calls: list[Scope] = []
    scope = {"type": kind, "path": CHAT, "headers": []}
    ask(wrapped(untouched(calls)), scope, whole=False)
    assert calls == [scope]


@pytest.mark.usefixtures("no_keys_needed")
def test_a_response_with_no_headers_is_passed_on() -> None:
    """ASGI lets an application leave them out."""

    async def app(scope: Scope, receive: object, send: Callable[[Message], Any]) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"{}"})

    assert ask(wrapped(app), http(path="/v1/embeddings")).body == b"{}"
    assert ask(wrapped(app), body=[chat()]).body == b"{}"


@pytest.mark.usefixtures("no_keys_needed")
def test_the_last_message_may_be_empty() -> None:
    """Starlette ends each stream with an empty message; it must not swallow what was held back."""
    event = b'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
    app = wrapped(stream([event, b"data: cut", b""]))
    assert ask(app, body=[chat(stream=True)]).body == event + b"data: cut"


@pytest.mark.usefixtures("no_keys_needed")
def test_the_media_type_of_a_stream_is_case_insensitive() -> None:
    headers = [(b"Content-Type", b"Text/Event-Stream")]
    event = b'data: {"choices":[{"index":0,"delta":{"reasoning":"x"}}]}\n\n'
    app = wrapped(answer(200, [event, event], headers, cut=True))
    response = ask(app, body=[chat(stream=True)], whole=False)
    assert response.chunks == [event.replace(b'"x"', b'"x","reasoning_content":"x"')] * 2


class Marked(ResponseRewriter):
    """A rewriter of all responses, to see which lines and bodies it is given."""

    marker = b""

    def rewrite(self, scope: Scope, status: int, streamed: bool) -> Rewrite:
        return self

    def lines(self, lines: bytes) -> bytes:
        return each_line(lambda line: b"<%s>" % line if line else line, lines)

    def body(self, body: bytes) -> bytes:
        return b"[%s]" % body


def test_a_stream_is_rewritten_line_by_line() -> None:
    chunks = ask(Marked(stream([b"a\nb", b"", b"c", b"\n", b"d"]))).chunks
    assert chunks == [b"<a>\n", b"<bc>\n", b"<d>"]


def test_a_body_is_rewritten_whole() -> None:
    headers = [(b"Content-Length", b"3"), (b"Content-Type", b"text/plain"), (b"x-other", b"kept")]
    response = ask(Marked(answer(201, [b"a", b"", b"bc"], headers)))
    assert (response.status, response.chunks) == (201, [b"[abc]"])
    assert response.header("content-length") == "5"
    assert response.header("content-type") == "application/json"
    assert response.header("x-other") == "kept"
