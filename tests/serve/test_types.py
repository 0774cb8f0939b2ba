"""Every answer has the types of the clients of OpenAI and Anthropic, whole and in each event.

Their pydantic models are the judge, strictly. A field that they don't know must be one of those
that vLLM is known to add.
"""

import json
from typing import Any

import pydantic
import pytest
from anthropic.types import Message, RawMessageStreamEvent
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent

from .conftest import MODEL, Server
from .test_answers import WEATHER

TYPES: dict[tuple[str, bool], Any] = {
    ("chat", False): ChatCompletion,
    ("chat", True): ChatCompletionChunk,
    ("responses", False): Response,
    ("responses", True): ResponseStreamEvent,
    ("messages", False): Message,
    ("messages", True): RawMessageStreamEvent,
}
PATHS = {
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
    "messages": "/v1/messages",
}
ADDED = {
    "chat": {
        *("reasoning", "reasoning_content"),
        *("stop_reason", "token_ids", "routed_experts", "prompt_logprobs", "prompt_token_ids"),
        *("prompt_text", "kv_transfer_params", "ec_transfer_params", "metrics"),
    },
    # What OpenAI itself adds, and a name that its clients before 3.0 require.
    "responses": {"store", "presence_penalty", "frequency_penalty", "name"},
    "messages": set(),
}
COMPARE = "What is greater between 7.8 and 7.11 ?"
MADRID = "What is the weather in Madrid?"
NAME = WEATHER["function"]["name"]
# {a request: (its question, the tool choice, the most tokens)}
REQUESTS: dict[str, tuple[str, str | None, int]] = {
    "plain": (COMPARE, None, 500),
    "cut off in the thinking": (COMPARE, None, 9),
    "cut off in the answer": (COMPARE, None, 76),
    "auto": (MADRID, "auto", 500),
    "required": (MADRID, "required", 500),
    "named": (MADRID, "named", 500),
    "cut off in the thinking about a call": (MADRID, "required", 9),
    "cut off in a call": (MADRID, "required", 41),
    "cut off in a named call": (MADRID, "named", 41),
    "a call not made": (COMPARE, "auto", 500),
    "a call forbidden": (COMPARE, "none", 500),
}
# A call's first 19 tokens are the same without thinking.
WITHOUT_THINKING = {76: 5, 41: 19}


def body(surface: str, request: str, thinking: bool) -> dict[str, Any]:
    """Return a request in the words of a surface."""
    question, choice, most = REQUESTS[request]
    if not thinking:
        most = WITHOUT_THINKING.get(most, most)
    common = {"model": MODEL, "temperature": 0}
    function = WEATHER["function"]
    if surface == "chat":
        asked = {
            "messages": [{"role": "user", "content": question}],
            "max_tokens": most,
            "chat_template_kwargs": {"enable_thinking": thinking},
        }
        tools: dict[str, Any] = {"tools": [WEATHER], "tool_choice": choice}
        if choice == "named":
            tools["tool_choice"] = {"type": "function", "function": {"name": NAME}}
    elif surface == "responses":
        asked = {"input": question, "max_output_tokens": most}
        asked |= {} if thinking else {"reasoning": {"effort": "none"}}
        tools = {"tools": [{"type": "function", **function}], "tool_choice": choice}
        if choice == "named":
            tools["tool_choice"] = {"type": "function", "name": NAME}
    else:
        asked = {
            "messages": [{"role": "user", "content": question}],
            "max_tokens": most,
            "thinking": {"type": "enabled", "budget_tokens": 1024} if thinking else OFF,
        }
        tool = {key: value for key, value in function.items() if key != "parameters"}
        kind = {"required": "any", "named": "tool"}.get(choice or "", choice)
        tools = {
            "tools": [{**tool, "input_schema": function["parameters"]}],
            "tool_choice": {"type": kind, **({"name": NAME} if choice == "named" else {})},
        }
    return {**common, **asked, **(tools if choice else {})}


OFF = {"type": "disabled"}


def ask(server: Server, surface: str, asked: dict[str, Any], streamed: bool) -> list[Any]:
    """Return the answer, or the events of its stream, each of which has its type."""
    response = server.send(PATHS[surface], json={**asked, "stream": streamed})
    assert response.status_code == 200, response.text
    texts = [response.text]
    if streamed:
        texts = [line[6:] for line in response.text.splitlines() if line.startswith("data: {")]
    kind = pydantic.TypeAdapter(TYPES[surface, streamed])
    for text in texts:
        checked = kind.validate_json(text, strict=True)
        assert not extras(checked) - ADDED[surface], text
    return [json.loads(text) for text in texts]


def extras(value: Any) -> set[str]:
    """Return the names of all fields that are in no type."""
    if isinstance(value, pydantic.BaseModel):
        found = set(value.model_extra or ())
        return found.union(*(extras(getattr(value, name)) for name in type(value).model_fields))
    if isinstance(value, list):
        return set().union(*map(extras, value))
    return set()


def parts(surface: str, events: list[Any], streamed: bool) -> tuple[list[str], str]:
    """Return the kinds of what an answer is made of, and why it has ended."""
    if surface == "chat":
        kinds, why = [], ""
        for event in events:
            for choice in event["choices"]:
                piece = choice["delta" if streamed else "message"]
                named = {"thinking": "reasoning", "text": "content", "call": "tool_calls"}
                kinds += [kind for kind, field in named.items() if piece.get(field)]
                why = choice["finish_reason"] or why
        return list(dict.fromkeys(kinds)), why
    if surface == "responses":
        response = events[-1]["response"] if streamed else events[0]
        names = {"reasoning": "thinking", "message": "text", "function_call": "call"}
        return [names[item["type"]] for item in response["output"]], response["status"]
    names = {"thinking": "thinking", "text": "text", "tool_use": "call"}
    if not streamed:
        return [names[block["type"]] for block in events[0]["content"]], events[0]["stop_reason"]
    blocks = [e["content_block"] for e in events if e["type"] == "content_block_start"]
    (last,) = (e["delta"] for e in events if e["type"] == "message_delta")
    return [names[block["type"]] for block in blocks], last["stop_reason"]


# {tool choice: why an answer ends with a call}. OpenAI gives `stop` to a call that was named.
ENDS = {
    "chat": {None: "stop", "auto": "tool_calls", "required": "tool_calls", "named": "stop"},
    "responses": dict.fromkeys((None, "auto", "required", "named"), "completed"),
    "messages": {None: "end_turn", "auto": "tool_use", "required": "tool_use", "named": "tool_use"},
}
CUT = {"chat": "length", "responses": "incomplete", "messages": "max_tokens"}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("thinking", [True, False], ids=["thinking", "no thinking"])
@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("surface", PATHS)
def test_an_answer_has_its_types_and_its_end(
    server: Server, surface: str, request_: str, thinking: bool, streamed: bool
):
    events = ask(server, surface, body(surface, request_, thinking), streamed)
    kinds, why = parts(surface, events, streamed)
    choice = REQUESTS[request_][1]
    if "in the thinking" in request_ and thinking:
        assert (kinds, why) == (["thinking"], CUT[surface])
    elif "cut off" in request_:
        assert why == CUT[surface]
    else:
        called = choice and request_ not in ("a call not made", "a call forbidden")
        assert kinds == ["thinking"] * thinking + (["call"] if called else ["text"])
        assert why == ENDS[surface][choice if called else None]


@pytest.mark.parametrize("usage", [True, False], ids=["usage", "no usage"])
@pytest.mark.parametrize("request_", ["plain", "required", "cut off in the thinking"])
def test_a_chat_stream_is_of_one_answer(server: Server, request_: str, usage: bool):
    asked = {**body("chat", request_, True), "stream_options": {"include_usage": usage}}
    events = ask(server, "chat", asked, True)
    assert len({(event["id"], event["created"], event["model"]) for event in events}) == 1
    assert not [event for event in events if "system_fingerprint" in event]
    if usage:
        *before, last = events
        assert all(event["usage"] is None and event["choices"] for event in before)
        assert last["choices"] == [] and last["usage"]["total_tokens"]
    else:
        assert all("usage" not in event and event["choices"] for event in events)


@pytest.mark.parametrize("choice", ["required", "named"])
def test_a_forced_call_has_no_content(server: Server, choice: str):
    (completion,) = ask(server, "chat", body("chat", choice, False), False)
    message = completion["choices"][0]["message"]
    assert message["content"] is None
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"city": "Madrid"}


@pytest.mark.parametrize("surface", PATHS)
def test_forbidden_tools_are_not_in_the_prompt(server: Server, surface: str):
    """A model that sees them writes calls, which would come as text."""
    read = []
    for request_ in ("plain", "a call forbidden", "a call not made"):
        (answer,) = ask(server, surface, body(surface, request_, False), False)
        usage = answer["usage"]
        read.append(usage["prompt_tokens" if surface == "chat" else "input_tokens"])
    plain, forbidden, offered = read
    assert plain == forbidden < offered


def test_a_response_repeats_its_request_as_openai_does(server: Server):
    (plain,) = ask(server, "responses", body("responses", "plain", False), False)
    assert plain["metadata"] == {}
    assert plain["text"] == {"format": {"type": "text"}, "verbosity": "medium"}
    assert (plain["tool_choice"], plain["tools"]) == ("auto", [])
    named = {**body("responses", "named", False), "metadata": {"a": "b"}}
    *_, last = ask(server, "responses", named, True)
    assert last["response"]["metadata"] == {"a": "b"}
    assert last["response"]["tool_choice"] == {"type": "function", "name": NAME}
    (tool,) = last["response"]["tools"]
    assert tool["name"] == NAME and not {"async", "defer_loading"} & set(tool)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("request_", ["plain", "required"])
def test_the_ids_of_a_response_say_of_what_they_are(server: Server, request_: str, streamed: bool):
    events = ask(server, "responses", body("responses", request_, True), streamed)
    response = events[-1]["response"] if streamed else events[0]
    prefixes = {"reasoning": "rs_", "message": "msg_", "function_call": "fc_"}
    assert response["id"].startswith("resp_")
    assert len(response["output"]) == 2
    for item in response["output"]:
        assert item["id"].startswith(prefixes[item["type"]])
        assert item.get("call_id", "call_").startswith("call_")
    items = [item["id"] for item in response["output"]]
    given = [event["item_id"] for event in events if "item_id" in event]
    assert set(given) == (set(items) if streamed else set())
