"""OpenAI's Responses API: https://platform.openai.com/docs/api-reference/responses"""

import json
import time
from typing import TYPE_CHECKING, Any

from app.asgi import App
from app.edge.errors import Refusal
from app.surfaces.translated import Answer, Translated

if TYPE_CHECKING:
    from vllm.entrypoints.openai.responses.protocol import ResponsesRequest

# What a chat completion takes under the same name.
_CARRIED = (
    "cache_salt",
    "chat_template_kwargs",
    "ec_transfer_params",
    "frequency_penalty",
    "ignore_eos",
    "include_reasoning",
    "include_stop_str_in_output",
    "kv_transfer_params",
    "logit_bias",
    "media_io_kwargs",
    "min_p",
    "mm_processor_kwargs",
    "model",
    "presence_penalty",
    "priority",
    "repetition_penalty",
    "seed",
    "skip_special_tokens",
    "stop",
    "structured_outputs",
    "temperature",
    "thinking_token_budget",
    "top_k",
    "top_p",
    "user",
    "vllm_xargs",
)
# What a response repeats of its request.
_ECHOED = (
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "presence_penalty",
    "frequency_penalty",
    "reasoning",
    "service_tier",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
)
_STATUSES = {"stop": "completed", "tool_calls": "completed", "length": "incomplete"}
_NOT_STORED = "Responses are not stored on this server. Send the whole history in `input`."


class ResponsesAPI(Translated):
    """Answers POST */v1/responses by vLLM's own converters.

    The controls of the thinking are those of a chat completion by now: an outer layer has read
    `reasoning.effort`, and `reasoning` is only repeated in the response.
    """

    surface = "responses"

    def __init__(self, app: App) -> None:
        """Import vLLM; with the first request that would hold up everybody else's for seconds."""
        super().__init__(app)
        import vllm.entrypoints.openai.responses.streaming_events  # noqa: F401

    def translate(self, request: dict[str, Any]) -> tuple[dict[str, Any], Answer]:
        """Return the body of the chat completion, and what turns its answer back.

        Raises:
            Refusal: it asks for what is not here.
            ValueError, vllm.exceptions.VLLMValidationError: a bad request.
        """
        from vllm.entrypoints.openai.responses.protocol import ResponsesRequest
        from vllm.entrypoints.openai.responses.utils import (
            construct_input_messages,
            construct_tool_dicts,
            should_continue_final_message,
        )

        _check(request)
        parsed = ResponsesRequest.model_validate({**request, "input": _typed(request.get("input"))})
        try:
            messages = construct_input_messages(
                request_instructions=parsed.instructions, request_input=parsed.input
            )
        except (AttributeError, IndexError):  # the converter takes the first text of an item
            message = "input: A message of the assistant, or its reasoning, has no text."
            raise Refusal("input", message) from None
        chat = {name: request[name] for name in _CARRIED if request.get(name) is not None}
        chat["messages"] = _merged([_message(message) for message in messages])
        if should_continue_final_message(parsed.input):
            chat |= {"add_generation_prompt": False, "continue_final_message": True}
        if parsed.max_output_tokens is not None:
            chat["max_completion_tokens"] = parsed.max_output_tokens
        if parsed.truncation == "auto":
            chat["truncate_prompt_tokens"] = -1
        if tools := construct_tool_dicts(parsed.tools, parsed.tool_choice):
            chat |= {"tools": tools, "tool_choice": _tool_choice(request.get("tool_choice"))}
            if parsed.parallel_tool_calls is not None:
                chat["parallel_tool_calls"] = parsed.parallel_tool_calls
        if (form := _response_format(parsed)) is not None:
            chat["response_format"] = form
        if parsed.stream:
            chat |= {"stream": True, "stream_options": {"include_usage": True}}
        return chat, _Answer(parsed)


def _check(request: dict[str, Any]) -> None:
    """Refuse what vLLM would ignore, or would need another server for.

    Raises:
        Refusal: it asks for such a thing.
    """
    for name in ("previous_response_id", "conversation", "prompt"):
        if request.get(name) is not None:
            raise Refusal(name, f"{name}: {_NOT_STORED}")
    if request.get("background"):
        raise Refusal("background", f"background: {_NOT_STORED} There is nothing to poll for.")
    include = request.get("include")
    if isinstance(include, list) and "message.output_text.logprobs" in include:
        message = "include: Log probabilities are given by /v1/chat/completions alone."
        raise Refusal("include", message)
    tools = request.get("tools")
    if tools is not None and not isinstance(tools, list):
        raise Refusal("tools", "tools: Input should be a valid list")
    for number, tool in enumerate(tools or ()):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if isinstance(kind, str) and kind != "function":
            message = f"Tools of the type {kind[:100]!r} are not available here, only functions."
            raise Refusal(f"tools.{number}.type", f"tools.{number}.type: {message}")
    choice = request.get("tool_choice")
    kind = choice.get("type") if isinstance(choice, dict) else None
    if isinstance(kind, str) and kind != "function":
        message = f"tool_choice: A choice of the type {kind[:100]!r} is not available here."
        raise Refusal("tool_choice", message)


def _typed(items: Any) -> Any:
    """Return the input with the type of messages, which clients may leave out and vLLM needs."""
    if not isinstance(items, list):
        return items
    return [
        {"type": "message", **item} if isinstance(item, dict) and "role" in item else item
        for item in items
    ]


def _message(message: Any) -> dict[str, Any]:
    """Return a message of vLLM's converter as chat completions take it.

    Raises:
        Refusal: it is an item that the converter doesn't know, and gives back as it is.
    """
    if not isinstance(message, dict) or "role" not in message:
        kind = message.get("type") if isinstance(message, dict) else getattr(message, "type", None)
        raise Refusal("input", f"input: Items of the type {kind!r} are not available here.")
    kept = {key: value for key, value in message.items() if key not in ("type", "id", "status")}
    if kept["role"] == "developer":  # OpenAI's newer name, which few templates know
        kept["role"] = "system"
    if isinstance(kept.get("content"), list):
        kept["content"] = [_part(part) for part in kept["content"]]
    return kept


def _part(part: Any) -> Any:
    """Return a part of a message's content under the name that chat completions have for it."""
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in ("input_text", "output_text"):
        return {"type": "text", "text": part["text"]}
    if kind == "input_image" and part.get("image_url"):
        return {"type": "image_url", "image_url": {"url": part["image_url"]}}
    return part


def _merged(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the messages with the system's at the start in one; some templates take no second."""
    texts = []
    for message in messages:
        if message["role"] != "system" or not isinstance(message.get("content"), str):
            break
        texts.append(message["content"])
    if len(texts) < 2:
        return messages
    return [{"role": "system", "content": "\n\n".join(texts)}, *messages[len(texts) :]]


def _tool_choice(choice: Any) -> Any:
    """Return the choice in the form of chat completions."""
    if isinstance(choice, dict):
        return {"type": "function", "function": {"name": choice["name"]}}
    return choice or "auto"


def _response_format(request: "ResponsesRequest") -> dict[str, Any] | None:
    """Return the form that the text must have, as chat completions take it."""
    form = request.text.format if request.text else None
    if form is None or form.type == "text":
        return None
    dumped = form.model_dump(mode="json", by_alias=True, exclude_none=True)
    kind = dumped.pop("type")
    return {"type": kind, "json_schema": dumped} if dumped else {"type": kind}


class _Answer:
    """Turns a chat completion into a response."""

    def __init__(self, request: "ResponsesRequest") -> None:
        from vllm.entrypoints.openai.responses.streaming_events import (
            SimpleStreamingEventProcessor,
        )

        self._request = request
        self._response: dict[str, Any] = {}  # as it was at the start of the stream
        self._processor = SimpleStreamingEventProcessor(tools=request.tools)
        self._output: list[dict[str, Any]] = []  # the items that are done
        self._finished: str | None = None
        self._usage: dict[str, Any] | None = None
        self._number = 0  # of the next event

    def whole(self, body: bytes) -> dict[str, Any]:
        """Return the response.

        Raises:
            RuntimeError: the completion has not come to its end.
        """
        from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionResponse
        from vllm.entrypoints.openai.responses.utils import build_response_output_items

        completion = ChatCompletionResponse.model_validate_json(body)
        choice = completion.choices[0]
        status = _STATUSES.get(choice.finish_reason or "")
        if status is None:
            raise RuntimeError(f"the completion ended with {choice.finish_reason}")
        calls = []
        for call in choice.message.tool_calls:
            call.function.id = call.id  # where vLLM's own server has it
            calls.append(call.function)
        items = build_response_output_items(
            reasoning=choice.message.reasoning,
            content=choice.message.content,
            tool_calls=calls,
            tools=self._request.tools,
        )
        self._output = [item.model_dump(mode="json", by_alias=True) for item in items]
        if status == "incomplete" and self._output:
            self._output[-1]["status"] = "incomplete"
        self._usage = _usage(completion.usage)
        self._response = self._begun(completion.model)
        return self._ended(status)

    def event(self, data: bytes) -> bytes:
        """Return the events of one chunk."""
        from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionStreamResponse

        chunk = ChatCompletionStreamResponse.model_validate_json(data)
        sent = b""
        if not self._response:
            self._response = self._begun(chunk.model)
            for kind in ("response.created", "response.in_progress"):
                sent += self._event(kind, response=self._response)
        if chunk.usage is not None:
            self._usage = _usage(chunk.usage)
        for choice in chunk.choices[:1]:
            sent += self._delta(choice.delta)
            self._finished = choice.finish_reason or self._finished
        return sent

    def done(self) -> bytes | None:
        """Return the end of the response; None if the completion has not come to its own."""
        status = _STATUSES.get(self._finished or "")
        if status is None:
            return None
        events = self._processor.close_current()
        if status == "incomplete" and events:
            item: Any = events[-1]
            item.item.status = "incomplete"
        return self._dumped(events) + self._event(
            f"response.{status}", response=self._ended(status)
        )

    def failed(self, status: int, error: dict[str, Any]) -> bytes:
        """Return the events of a failure: `error`, and `response.failed` if there is a response."""
        code = error["code"] or "server_error"
        fields = {"code": code, "message": error["message"], "param": error["param"]}
        events = self._event("error", **fields)
        if self._response:
            known = {400: "invalid_prompt", 429: "rate_limit_exceeded"}.get(status, "server_error")
            response = self._ended("failed")
            response["error"] = {"code": known, "message": error["message"]}
            events += self._event("response.failed", response=response)
        return events

    def close(self) -> None:
        """Do nothing: nothing is held."""

    def _delta(self, delta: Any) -> bytes:
        from vllm.entrypoints.openai.responses.streaming_events import split_delta

        processor = self._processor
        delta.reasoning = delta.reasoning or None  # an empty one would begin an item
        events = []
        for part in split_delta(delta):
            state, call = processor.resolve_target_state(part)
            if state.name == "NONE":
                continue
            if processor.needs_transition(state, call):
                events += processor.close_current()
                events += processor.open(state, call)
            output: Any = None  # of the engine, for log probabilities alone
            events += processor.emit_delta(part, output)
        return self._dumped(events)

    def _dumped(self, events: list[Any]) -> bytes:
        """Return vLLM's events as they are sent; keep the items that are done."""
        sent = []
        for event in events:
            event.sequence_number = self._number
            self._number += 1
            if event.type == "response.output_item.done":
                self._output.append(event.item.model_dump(mode="json", by_alias=True))
            sent.append(f"event: {event.type}\ndata: {event.model_dump_json(by_alias=True)}\n\n")
        return "".join(sent).encode()

    def _event(self, kind: str, **fields: Any) -> bytes:
        event = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return f"event: {kind}\ndata: {json.dumps(event)}\n\n".encode()

    def _begun(self, model: str) -> dict[str, Any]:
        """Return the response as it is before there is any output."""
        echoed = self._request.model_dump(mode="json", by_alias=True, include=set(_ECHOED))
        return {
            "id": self._request.request_id,
            "object": "response",
            "created_at": int(time.time()),
            "status": "in_progress",
            "model": model,
            "output": [],
            "background": False,
            "error": None,
            "incomplete_details": None,
            "previous_response_id": None,
            "store": False,
            "usage": None,
            **echoed,
        }

    def _ended(self, status: str) -> dict[str, Any]:
        """Return the response as it is in the end."""
        details = {"reason": "max_output_tokens"} if status == "incomplete" else None
        ended = {"status": status, "output": self._output, "usage": self._usage}
        return {**self._response, **ended, "incomplete_details": details}


def _usage(usage: Any) -> dict[str, Any] | None:
    """Return the usage of a response, given vLLM's of a chat completion."""
    if usage is None:
        return None
    read, written = usage.prompt_tokens_details, usage.completion_tokens_details
    output_tokens = usage.completion_tokens or 0
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": (read and read.cached_tokens) or 0,
            "cache_write_tokens": (read and read.created_cache_tokens) or 0,
        },
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": written.reasoning_tokens if written else 0},
        "total_tokens": usage.prompt_tokens + output_tokens,
    }
