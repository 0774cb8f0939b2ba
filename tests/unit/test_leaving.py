"""A client that goes ends its answer, which the application behind makes in a task of its own."""

import asyncio
import types
from typing import Any

import pytest
from asgi_client import ask, hello, http
from starlette.requests import Request
from vllm.entrypoints.serve.utils.api_utils import with_cancellation

from app.answers.leaving import Leaving
from app.asgi import Message, Receive, Scope, Send
from app.scope import Call, with_call
from app.thinking.decision import Decision


def call_of(streamed: bool) -> Call:
    return Call(Decision(True), "m", "chat_completions", "", "both", 0.0, streamed=streamed)


def left(streamed: bool) -> str:
    """Return what became of the answer to a client that has gone, whose request Serve cancels."""
    became = "never begun"

    async def write() -> None:
        nonlocal became
        became = "left running"
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            became = "ended"
            raise

    @with_cancellation
    async def handler(request: object, raw_request: Request) -> None:
        await write()

    async def vllm(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # the body
        server = types.SimpleNamespace(state=types.SimpleNamespace())
        await handler(None, Request({**scope, "app": server}, receive))

    async def serve() -> str:
        said = [{"type": "http.request", "body": b"{}"}]
        leaves = asyncio.Event()

        async def receive() -> Message:
            if said:
                return said.pop()
            await leaves.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            raise AssertionError

        asked: Any = Leaving(vllm)(with_call(http(), call_of(streamed)), receive, send)
        request = asyncio.ensure_future(asked)
        await asyncio.sleep(0.01)
        leaves.set()
        request.cancel()
        await asyncio.wait((request,))
        assert request.cancelled()
        await asyncio.sleep(0)
        return became

    return asyncio.run(serve())


def test_a_whole_answer_ends_with_its_client() -> None:
    assert left(streamed=False) == "ended"


def test_vllm_leaves_it_without_this() -> None:
    """When this fails, the layer may have done its time."""
    assert left(streamed=True) == "left running"


@pytest.mark.parametrize("streamed", [True, False])
def test_an_answer_passes_as_it_is(streamed: bool) -> None:
    response = ask(Leaving(hello), with_call(http(), call_of(streamed)), [b"12", b"345"])
    assert response.body == b'{"read":5}'


def test_an_error_passes_as_it_is() -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("broke")

    with pytest.raises(ValueError, match="broke"):
        ask(Leaving(fails), with_call(http(), call_of(False)))
