"""The surfaces that a model can be asked by, each whole and streamed, as the bytes on the wire."""

import json
from dataclasses import dataclass, field
from typing import Any

from .conftest import KEY, MODEL, Server

QUESTION = "What is greater between 7.8 and 7.11 ?"
ANSWER = "7.8 is greater than 7.11."


@dataclass
class Reply:
    """What a client sees of one answer."""

    # {name in the answer: thinking}; on the surfaces with a shape of their own there is one name
    thinking: dict[str, str] = field(default_factory=dict)
    content: str = ""
    thinking_tokens: int | None = None
    finish: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)  # of a stream
    text: str = ""  # the body as it came
    decided: str = ""  # the header that says what came of an adaptive request
    usage: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, thinking: str | None) -> None:
        self.thinking[name] = self.thinking.get(name, "") + (thinking or "")


class Chat:
    """OpenAI's Chat Completions API."""

    path = "/v1/chat/completions"
    names = ("reasoning", "reasoning_content")
    limit = "max_tokens"
    finished, cut = "stop", "length"
    bad_request = "messages"

    def body(self, question: str, streamed: bool) -> dict[str, Any]:
        usage = {"stream_options": {"include_usage": True}} if streamed else {}
        return {"messages": [{"role": "user", "content": question}], **usage}

    def whole(self, answer: Any, reply: Reply) -> None:
        self._choices(answer, "message", reply)

    def events(self, events: list[Any], reply: Reply) -> None:
        for event in events:
            self._choices(event, "delta", reply)

    def _choices(self, event: Any, key: str, reply: Reply) -> None:
        if usage := event.get("usage"):
            reply.usage = usage
            reply.thinking_tokens = counted(usage, "completion_tokens_details")
        for choice in event["choices"]:
            message = choice[key]
            reply.content += message.get("content") or ""
            reply.finish = choice["finish_reason"] or reply.finish
            for name in set(self.names) & set(message):
                reply.add(name, message[name])


class Responses:
    """OpenAI's Responses API."""

    path = "/v1/responses"
    names = ("reasoning_text",)
    limit = "max_output_tokens"
    finished, cut = "completed", "incomplete"
    bad_request = "input"

    def body(self, question: str, streamed: bool) -> dict[str, Any]:
        return {"input": question}

    def whole(self, answer: Any, reply: Reply) -> None:
        reply.finish, reply.usage = answer["status"], answer["usage"]
        reply.thinking_tokens = counted(reply.usage, "output_tokens_details")
        for item in answer["output"]:
            for part in item["content"] or ():
                if part["type"] == "reasoning_text":
                    reply.add("reasoning_text", part["text"])
                else:
                    reply.content += part["text"]

    def events(self, events: list[Any], reply: Reply) -> None:
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        for event in events:
            if event["type"] == "response.reasoning_text.delta":
                reply.add("reasoning_text", event["delta"])
            elif event["type"] == "response.output_text.delta":
                reply.content += event["delta"]
        last = Reply()
        self.whole(events[-1]["response"], last)  # has all of it once more
        assert (last.content, last.thinking) == (reply.content, reply.thinking)
        reply.finish, reply.thinking_tokens = last.finish, last.thinking_tokens
        reply.usage = last.usage


class Messages:
    """Anthropic's Messages API."""

    path = "/v1/messages"
    names = ("thinking",)
    limit = "max_tokens"
    finished, cut = "end_turn", "max_tokens"
    bad_request = "messages"

    def body(self, question: str, streamed: bool) -> dict[str, Any]:
        return {"messages": [{"role": "user", "content": question}], "max_tokens": 1000}

    def whole(self, answer: Any, reply: Reply) -> None:
        reply.finish, reply.usage = answer["stop_reason"], answer["usage"]
        reply.thinking_tokens = counted(reply.usage, "output_tokens_details")
        for block in answer["content"]:
            if block["type"] == "thinking":
                reply.add("thinking", block["thinking"])
            else:
                reply.content += block["text"]

    def events(self, events: list[Any], reply: Reply) -> None:
        assert (events[0]["type"], events[-1]["type"]) == ("message_start", "message_stop")
        for event in events:
            delta = event.get("delta", {})
            if delta.get("type") == "thinking_delta":
                reply.add("thinking", delta["thinking"])
            reply.content += delta.get("text") or ""
            if event["type"] == "message_delta":
                reply.finish, reply.usage = delta["stop_reason"], event["usage"]
                reply.thinking_tokens = counted(reply.usage, "output_tokens_details")


def counted(usage: dict[str, Any], details: str) -> int | None:
    """Return the tokens of thinking that a usage has, None where nothing counts them."""
    found = usage.get(details) or {}
    tokens: int | None = found.get("reasoning_tokens", found.get("thinking_tokens"))
    return tokens


def names(error: dict[str, Any], field: str) -> bool:
    """Tell whether an error names a field; Anthropic's has its message alone for that."""
    return error["param"] == field if "param" in error else field in error["message"]


SURFACES: dict[str, Any] = {"chat": Chat(), "responses": Responses(), "messages": Messages()}


def ask(
    server: Server,
    surface: Any,
    streamed: bool,
    question: str = QUESTION,
    *,
    key: str = KEY,
    **request: Any,
) -> Reply:
    """Ask with greedy sampling, and insist on a 200."""
    sent = {"model": MODEL, "temperature": 0, "stream": streamed}
    sent |= surface.body(question, streamed) | request
    headers = {"authorization": f"Bearer {key}"}
    response = server.send(surface.path, json=sent, headers=headers)
    assert response.status_code == 200, response.text
    reply = Reply(text=response.text, decided=response.headers.get("adaptive-thinking", ""))
    if streamed:
        assert response.headers["content-type"].startswith("text/event-stream")
        data = [line[5:] for line in response.text.splitlines() if line.startswith("data: {")]
        reply.events = [json.loads(event) for event in data]
        surface.events(reply.events, reply)
    else:
        surface.whole(response.json(), reply)
    return reply
