"""OpenAI's Responses API: https://platform.openai.com/docs/api-reference/responses"""

from typing import TYPE_CHECKING, Any

from app.answers.responses import ResponsesAnswer
from app.answers.translated import Answer
from app.edge.errors import Refusal
from app.surfaces.parsing import understood

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
_NOT_STORED = "Responses are not stored on this server. Send the whole history in `input`."


def translate(request: dict[str, Any]) -> tuple[dict[str, Any], Answer]:
    """Return the fields of the chat completion that a response is asked as, by vLLM's converters.

    Args:
        request: the body. The controls of its thinking (`reasoning.effort`) are for
            `app.thinking.controls`; here `reasoning` is only repeated in the response.

    Returns:
        The fields, and what turns the answer back.

    Raises:
        Refusal: a bad request, or it asks for what is not here.
    """
    from vllm.entrypoints.openai.responses.protocol import ResponsesRequest

    _check(request)
    read = {**request, "input": _typed(request.get("input"))}
    parsed = understood(lambda: ResponsesRequest.model_validate(read))
    return understood(lambda: _chat(parsed, request)), ResponsesAnswer(parsed)


def _chat(parsed: "ResponsesRequest", request: dict[str, Any]) -> dict[str, Any]:
    from vllm.entrypoints.openai.responses.utils import (
        construct_input_messages,
        construct_tool_dicts,
        should_continue_final_message,
    )

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
    return chat


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
