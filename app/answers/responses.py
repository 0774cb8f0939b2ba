"""A chat completion as a response of OpenAI's Responses API, whole or streamed."""

import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vllm.entrypoints.openai.responses.protocol import ResponsesRequest

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
# What a tool has only where the request says so.
_UNSAID = ("allowed_callers", "async", "defer_loading", "output_schema")
_PREFIXES = {"message": "msg_", "reasoning": "rs_", "function_call": "fc_"}
_STATUSES = {"stop": "completed", "tool_calls": "completed", "length": "incomplete"}


class ResponsesAnswer:
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
            call.function.id = _call_id(call.id)  # where vLLM's own server has it
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
        events = self._closed()
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
                events += self._closed()
                events += self._opened(processor.open(state, call), call)
            output: Any = None  # of the engine, for log probabilities alone
            events += processor.emit_delta(part, output)
        return self._dumped(events)

    def _opened(self, events: list[Any], call: Any) -> list[Any]:
        """Return vLLM's events of a new item as OpenAI has them: with its kind in its id."""
        state, item = self._processor.state, events[0].item
        state.current_item_id = item.id = _PREFIXES[item.type] + item.id
        if call is not None and call.id:
            state.tool_call_id = item.call_id = _call_id(call.id)
        for event in events[1:]:
            event.item_id = item.id
        return [_of_content(event) for event in events]

    def _closed(self) -> list[Any]:
        """Return the events that end the current item, if there is one."""
        events: list[Any] = self._processor.close_current()
        if events and events[-1].item.type == "message":
            events[-1].item.__pydantic_extra__.pop("summary", None)  # which only thinking has
        return [_of_content(event) for event in events]

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
        if not echoed["tools"]:
            echoed["tool_choice"] = "auto"  # vLLM has made it `none`
        for tool in echoed["tools"]:
            for name in [name for name in _UNSAID if tool.get(name) is None]:
                tool.pop(name, None)
        text = {key: value for key, value in (echoed["text"] or {}).items() if value is not None}
        reasoning = echoed["reasoning"] or {}
        echoed |= {
            "metadata": echoed["metadata"] or {},
            "reasoning": {name: reasoning.get(name) for name in ("effort", "summary")},
            "service_tier": "default",  # the one there is
            "text": {"format": {"type": "text"}, "verbosity": "medium", **text},
        }
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
            "completed_at": None,
            "previous_response_id": None,
            "store": False,
            "usage": None,
            **echoed,
        }

    def _ended(self, status: str) -> dict[str, Any]:
        """Return the response as it is in the end."""
        details = {"reason": "max_output_tokens"} if status == "incomplete" else None
        ended: dict[str, Any] = {"status": status, "output": self._output, "usage": self._usage}
        if status == "completed":
            ended["completed_at"] = int(time.time())
        return {**self._response, **ended, "incomplete_details": details}


def _call_id(call: str) -> str:
    """Return the id of a call, given that of a chat completion's."""
    return f"call_{call.removeprefix('chatcmpl-tool-')}" if call.startswith("chatcmpl") else call


def _of_content(event: Any) -> Any:
    """Return vLLM's event of a part of the thinking as OpenAI's, which is that of any content."""
    from openai.types.responses import ResponseContentPartAddedEvent, ResponseContentPartDoneEvent

    kinds: dict[str, Any] = {
        "added": ResponseContentPartAddedEvent,
        "done": ResponseContentPartDoneEvent,
    }
    began, _, ended = event.type.partition("reasoning_part.")
    if not ended:
        return event
    fields = {**event.model_dump(), "type": f"{began}content_part.{ended}"}
    return kinds[ended].model_validate(fields)


def _usage(usage: Any) -> dict[str, Any] | None:
    """Return the usage of a response, given vLLM's of a chat completion."""
    if usage is None:
        return None
    read, written = usage.prompt_tokens_details, usage.completion_tokens_details
    output_tokens = usage.completion_tokens or 0
    # As in chat completions, of a draft: `app.thinking.adaptive`
    rejected = {} if written is None else written.model_extra or {}
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": (read and read.cached_tokens) or 0,
            "cache_write_tokens": (read and read.created_cache_tokens) or 0,
        },
        "output_tokens": output_tokens,
        "output_tokens_details": {
            "reasoning_tokens": written.reasoning_tokens if written else 0,
            **rejected,
        },
        "total_tokens": usage.prompt_tokens + output_tokens,
    }
