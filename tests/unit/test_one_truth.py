"""However a request is spelt, on whatever API, what the engine reads is what was decided on.

The engine's own reading is made here by vLLM's models and the embedded model's own template.
"""

import contextlib
import json
from typing import Any

import pytest
from asgi_client import answer, ask, http
from hypothesis import given, settings
from meters import Kept
from spellings import THINK, asked
from transformers import AutoTokenizer
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
from vllm.entrypoints.openai.completion.protocol import CompletionRequest
from vllm.exceptions import VLLMValidationError

from app.asgi import Receive, Scope, Send
from app.requests import Requests
from app.scope import Call, call_of
from app.surfaces.parsing import chat_completion
from app.thinking.fixed import Thinking

CAP = 9
NANO = "models/nano"
CLOSED = "<think>\n\n</think>\n\n"
REPLY = {
    "id": "x",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


class Engine:
    """The application behind: reads a request as vLLM does."""

    def __init__(self) -> None:
        self.read: Any = None
        self.body: Any = None
        self.call: Call | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.call = call_of(scope)
        self.body = json.loads((await receive())["body"])
        plain = scope["path"] == "/v1/completions"
        model = CompletionRequest if plain else ChatCompletionRequest
        self.read = model.model_validate(json.loads(json.dumps(self.body)))
        with contextlib.suppress(ValueError, VLLMValidationError):  # then it is the engine's 400
            self.read.to_sampling_params(40, {})
        reply = json.dumps(REPLY).encode()
        if self.read.stream:
            raise AssertionError("no stream was asked for")
        await answer(200, reply)(scope, receive, send)


def sent(thinking: Thinking, request: tuple[str, bytes]) -> Engine | None:
    """Return the engine that has read a request, None for one that is refused."""
    path, body = request
    engine = Engine()
    response = ask(Requests(engine, {"m": thinking}, Kept()), http(path=path), [body])
    if engine.read is None:
        assert 400 <= response.status < 500, response.body
        return None
    return engine


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(NANO)


def prompt(tokenizer: Any, read: ChatCompletionRequest) -> str:
    """Return the prompt that vLLM makes of what it has read."""
    arguments = read.build_chat_params(None, "string").get_apply_chat_template_kwargs()
    arguments.pop("chat_template", None)
    messages = [
        {**message, "content": text_of(message.get("content"))}  # type: ignore[misc]
        for message in read.messages
    ]
    text = tokenizer.apply_chat_template(messages, tokenize=False, **arguments)
    assert isinstance(text, str)
    return text


def text_of(content: Any) -> str:
    if isinstance(content, str) or content is None:
        return content or ""
    return "\n".join(part["text"] for part in content)


@given(request=asked("m"))
@settings(max_examples=1000, deadline=None)
def test_a_model_fixed_to_off_is_never_asked_to_think(tokenizer: Any, request: Any) -> None:
    engine = sent(Thinking(default=False, override=False), request)
    if engine is None:
        return
    assert engine.call and engine.call.decision.thinks is False
    assert "<think>" in engine.read.bad_words
    assert not engine.read.ignore_eos and not engine.read.min_tokens
    if isinstance(engine.read, CompletionRequest) or engine.read.continue_final_message:
        assert engine.read.thinking_token_budget == 0  # the text is the client's own
        return
    assert engine.read.add_generation_prompt
    assert prompt(tokenizer, engine.read).endswith(CLOSED)


@given(request=asked("m"))
@settings(max_examples=1000, deadline=None)
def test_no_request_thinks_past_its_cap(tokenizer: Any, request: Any) -> None:
    engine = sent(Thinking(max_budget=CAP), request)
    if engine is None:
        return
    assert 0 <= engine.read.thinking_token_budget <= CAP
    assert not engine.read.ignore_eos and not engine.read.min_tokens
    thinks = engine.call is not None and engine.call.decision.thinks
    if isinstance(engine.read, ChatCompletionRequest) and not engine.read.continue_final_message:
        assert prompt(tokenizer, engine.read).endswith(CLOSED) is not thinks


@given(request=asked("m"))
@settings(max_examples=500, deadline=None)
def test_what_goes_on_reads_as_it_was_read(request: Any) -> None:
    """Parsed again it is the same, so no layer behind can take it for something else."""
    engine = sent(Thinking(), request)
    if engine is not None and request[0] != "/v1/completions":
        assert chat_completion(engine.body) == engine.body


def test_the_embedded_model_has_the_token(tokenizer: Any) -> None:
    assert tokenizer.convert_tokens_to_ids("<think>") == THINK
