"""Anthropic's Messages API: https://platform.claude.com/docs/en/api/messages"""

from typing import Any

from app.answers.messages import MessagesAnswer
from app.answers.translated import Answer
from app.edge.errors import Refusal
from app.surfaces.parsing import understood

# What a chat completion takes under the same name, beyond what vLLM's converter takes over.
_CARRIED = (
    "cache_salt",
    "chat_template_kwargs",
    "ignore_eos",
    "include_reasoning",
    "min_p",
    "priority",
    "repetition_penalty",
    "seed",
    "thinking_token_budget",
    "top_k",
    "vllm_xargs",
)


def translate(request: dict[str, Any]) -> tuple[dict[str, Any], Answer]:
    """Return the fields of the chat completion that a message is asked as, by vLLM's converter.

    Args:
        request: the body. The controls of its thinking (`thinking`, `output_config.effort`) are for
            `app.thinking.controls`.

    Returns:
        The fields, and what turns the answer back.

    Raises:
        Refusal: a bad request, or there are tools that the server would have to run.
    """
    from vllm.entrypoints.anthropic.protocol import AnthropicMessagesRequest

    parsed = understood(lambda: AnthropicMessagesRequest.model_validate(_readable(request)))
    return understood(lambda: _chat(parsed, request)), MessagesAnswer()


def translate_count(request: dict[str, Any]) -> dict[str, Any]:
    """Return the same for a request that only wants its tokens counted.

    Raises:
        Refusal: a bad request.
    """
    from vllm.entrypoints.anthropic.protocol import AnthropicCountTokensRequest

    understood(lambda: AnthropicCountTokensRequest.model_validate(_readable(request)))
    return translate({**request, "max_tokens": 1, "stream": False})[0]


def _readable(request: dict[str, Any]) -> dict[str, Any]:
    """Return the request without what vLLM's model would refuse, and is for the controls."""
    _check_tools(request.get("tools"))
    config = request.get("output_config")
    if isinstance(config, dict):
        config = {key: value for key, value in config.items() if key != "effort"}
    return {**request, "output_config": config}


def _chat(parsed: Any, request: dict[str, Any]) -> dict[str, Any]:
    from vllm.entrypoints.anthropic.serving import AnthropicServingMessages

    # Merged, as vLLM does it, since some templates take a system message at the start alone.
    converted = AnthropicServingMessages.to_chat_completion_request(
        parsed, merge_inline_system=True
    )
    # Continuous usage, which vLLM asks for, gives message_start the number of input tokens.
    chat: dict[str, Any] = converted.model_dump(
        mode="json", by_alias=True, exclude_unset=True, exclude_none=True
    )
    chat |= {name: request[name] for name in _CARRIED if name in request}
    if _is_begun(chat["messages"]):
        chat |= {"add_generation_prompt": False, "continue_final_message": True}
    return chat


def _check_tools(tools: object) -> None:
    """Refuse the tools that Anthropic's servers run.

    Raises:
        Refusal: there is one.
    """
    for number, tool in enumerate(tools if isinstance(tools, list) else ()):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind not in (None, "custom"):
            message = f"Tools of the type {str(kind)[:100]!r} are not available here, only custom."
            raise Refusal(f"tools.{number}.type", f"tools.{number}.type: {message}")


def _is_begun(messages: list[dict[str, Any]]) -> bool:
    """Tell whether the client has begun the answer itself."""
    last = messages[-1] if messages else {}
    return (
        last.get("role") == "assistant" and bool(last.get("content")) and "tool_calls" not in last
    )
