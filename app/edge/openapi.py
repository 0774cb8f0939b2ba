"""GET /openapi.json: the APIs that are open here, made of the engine's own request models."""

import functools
from typing import Any

from app.asgi import App, Receive, Scope, Send, send_json
from app.surfaces.fields import CHAT, COMPLETIONS
from app.thinking.controls import AUTO
from app.thinking.native import EFFORTS

Schema = dict[str, Any]

# What every API takes of the thinking, beside what its own model has
_CONTROLS: Schema = {
    "enable_thinking": {"type": ["boolean", "null"]},
    "thinking": {
        "anyOf": [
            {
                "type": "object",
                "required": ["type"],
                "properties": {
                    "type": {"enum": ["enabled", "disabled", "adaptive"]},
                    "budget_tokens": {"type": "integer", "minimum": 0},
                },
            },
            {"type": "null"},
        ]
    },
    "thinking_token_budget": {"type": ["integer", "null"], "minimum": -1},
    "reasoning_effort": {"enum": [*EFFORTS, AUTO, None]},
    "reasoning": {
        "anyOf": [
            {"type": "object", "properties": {"effort": {"enum": [*EFFORTS, AUTO, None]}}},
            {"type": "null"},
        ]
    },
    "output_config": {
        "anyOf": [
            {"type": "object", "properties": {"effort": {"enum": [*EFFORTS, AUTO, None]}}},
            {"type": "null"},
        ]
    },
    "chat_template_kwargs": {"type": ["object", "null"], "additionalProperties": True},
}
_OPENAI_ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "additionalProperties": False,
            "properties": {
                "message": {"type": "string", "minLength": 1},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_ANTHROPIC_ERROR: Schema = {
    "type": "object",
    "required": ["type", "error"],
    "properties": {
        "type": {"const": "error"},
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {
                "type": {
                    "enum": [
                        "invalid_request_error",
                        "authentication_error",
                        "permission_error",
                        "not_found_error",
                        "request_too_large",
                        "rate_limit_error",
                        "timeout_error",
                        "api_error",
                        "overloaded_error",
                    ]
                },
                "message": {"type": "string", "minLength": 1},
            },
        },
        "request_id": {"type": ["string", "null"]},
    },
}


class Documentation:
    """Answers with the document, in place of the one of the server behind, which has other APIs."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request, or answer it."""
        own = scope["type"] == "http" and scope["path"].endswith("/openapi.json")
        if not own or scope["method"] != "GET":
            return await self.app(scope, receive, send)
        await send_json(send, 200, document())


@functools.cache
def document() -> Schema:
    """Return the OpenAPI document."""
    from vllm.entrypoints.anthropic.protocol import (
        AnthropicCountTokensRequest,
        AnthropicMessagesRequest,
    )
    from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
    from vllm.entrypoints.openai.completion.protocol import CompletionRequest
    from vllm.entrypoints.openai.responses.protocol import ResponsesRequest

    schemas: Schema = {"OpenAIError": _OPENAI_ERROR, "AnthropicError": _ANTHROPIC_ERROR}
    posts = {
        "/v1/chat/completions": (ChatCompletionRequest, CHAT, "OpenAIError", True),
        "/v1/completions": (CompletionRequest, COMPLETIONS, "OpenAIError", True),
        "/v1/responses": (ResponsesRequest, None, "OpenAIError", True),
        "/v1/messages": (AnthropicMessagesRequest, None, "AnthropicError", True),
        "/v1/messages/count_tokens": (
            AnthropicCountTokensRequest,
            None,
            "AnthropicError",
            False,
        ),
    }
    paths: Schema = {}
    for path, (model, taken, error, streams) in posts.items():
        schemas |= _schemas(model, taken, path != "/v1/completions")
        body = {"$ref": f"#/components/schemas/{model.__name__}"}
        paths[path] = {
            "post": {
                "operationId": path.removeprefix("/v1/").replace("/", "_"),
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": body}},
                },
                "responses": _responses(error, streams),
            }
        }
    paths["/v1/models"] = {
        "get": {"operationId": "models", "responses": _responses("OpenAIError", False)}
    }
    name = {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}
    paths["/v1/models/{model}"] = {
        "get": {
            "operationId": "model",
            "parameters": [name],
            "responses": _responses("OpenAIError", False),
        }
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "hybrid-llm", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


def _schemas(model: Any, taken: frozenset[str] | None, chats: bool) -> Schema:
    """Return {name: schema} of a model of the engine's, and of all that it refers to."""
    own = model.__name__
    template = f"#/components/schemas/{own}.{{model}}"
    schema: Schema = model.model_json_schema(ref_template=template)
    parts: Schema = schema.pop("$defs", {})
    properties = schema["properties"]
    if taken is not None:
        schema["properties"] = properties = {
            name: value for name, value in properties.items() if name in taken
        }
    if chats:
        efforts = {"reasoning_effort": _CONTROLS["reasoning_effort"]}  # the engine knows fewer
        schema["properties"] = _CONTROLS | properties | efforts
    return {own: schema} | {f"{own}.{name}": part for name, part in parts.items()}


def _responses(error: str, streams: bool) -> Schema:
    whole: Schema = {"application/json": {"schema": {"type": "object"}}}
    if streams:
        whole["text/event-stream"] = {}  # OpenAPI 3.1 has no schema of an event
    schema = {"$ref": f"#/components/schemas/{error}"}
    failed = {"description": "An error", "content": {"application/json": {"schema": schema}}}
    return {"200": {"description": "The answer", "content": whole}, "default": failed}
