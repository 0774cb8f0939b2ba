"""Anthropic's Messages API: https://platform.claude.com/docs/en/api/messages"""

from typing import Any

from app.answers.messages import MessagesAnswer
from app.answers.translated import Answer
from app.asgi import App
from app.edge.errors import Refusal
from app.surfaces.translated import Translated

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


class MessagesAPI(Translated):
    """Answers POST */v1/messages by vLLM's own converters.

    The controls of the thinking are those of a chat completion by now: an outer layer has read
    `thinking` and `output_config.effort`.
    """

    surface = "messages"

    def __init__(self, app: App) -> None:
        """Import vLLM; with the first request that would hold up everybody else's for seconds."""
        super().__init__(app)
        import vllm.entrypoints.anthropic.serving  # noqa: F401

    def translate(self, request: dict[str, Any]) -> tuple[dict[str, Any], Answer]:
        """Return the body of the chat completion, and what turns its answer back.

        Raises:
            Refusal: there are tools that the server would have to run.
            pydantic.ValidationError, vllm.exceptions.VLLMValidationError: a bad request.
        """
        from vllm.entrypoints.anthropic.protocol import AnthropicMessagesRequest
        from vllm.entrypoints.anthropic.serving import AnthropicServingMessages

        _check_tools(request.get("tools"))
        config = request.get("output_config")
        if isinstance(config, dict):
            config = {key: value for key, value in config.items() if key != "effort"}
        parsed = AnthropicMessagesRequest.model_validate({**request, "output_config": config})
        # Merged, as vLLM does it, since some templates take a system message at the start alone.
        converted = AnthropicServingMessages.to_chat_completion_request(
            parsed, merge_inline_system=True
        )
        # Continuous usage, which vLLM asks for, gives message_start the number of input tokens.
        chat = converted.model_dump(
            mode="json", by_alias=True, exclude_unset=True, exclude_none=True
        )
        chat |= {name: request[name] for name in _CARRIED if name in request}
        if _is_begun(chat["messages"]):
            chat |= {"add_generation_prompt": False, "continue_final_message": True}
        return chat, MessagesAnswer()


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
