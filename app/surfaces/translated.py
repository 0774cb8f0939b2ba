"""What the further API surfaces share: a request of theirs is asked as a chat completion."""

import json
from typing import Any
from urllib.parse import quote

from app.answers.translated import Answer, TranslatedResponse
from app.asgi import (
    App,
    Receive,
    Scope,
    Send,
    replayed,
    send_json,
    whole_body,
)
from app.edge.errors import Refusal, error


class Translated:
    """Middleware that answers POST */v1/{surface} out of the chat completions of the app behind.

    A subclass says what the surface is and how a request is translated. An error response passes
    through as it is. A body that is no JSON object is for the app behind to refuse.
    """

    surface: str

    def __init__(self, app: App) -> None:
        self.app = app

    def translate(self, request: dict[str, Any]) -> tuple[dict[str, Any], Answer]:
        """Return the body of the chat completion to ask for, and what turns its answer back.

        Raises:
            Refusal, ValueError, vllm.exceptions.VLLMValidationError: a bad request.
        """
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request; one of another path passes untouched."""
        path = scope.get("path", "")
        own = scope["type"] == "http" and path.endswith(f"/v1/{self.surface}")
        if not own or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        if (body := await whole_body(receive)) is None:
            return  # nobody waits for an answer
        answer = None
        try:
            request = json.loads(body)
        except ValueError:
            request = None
        except RecursionError:
            return await send_json(send, 400, error(400, "The request body is nested too deeply."))
        if isinstance(request, dict):
            try:
                chat, answer = self.translate(request)
            except Exception as mistake:
                if (refused := _refused(mistake)) is None:
                    raise
                return await send_json(send, 400, refused)
            body = json.dumps(chat).encode()
        scope = _asking(scope, path.removesuffix(self.surface) + "chat/completions", len(body))
        receive = replayed(body, receive)
        if answer is None:
            return await self.app(scope, receive, send)
        response = TranslatedResponse(answer, send)
        try:
            await self.app(scope, receive, response)
            await response.finish()
        finally:
            answer.close()


def _refused(mistake: Exception) -> dict[str, Any] | None:
    """Return the error object for an exception that a bad request has caused, None for others."""
    from pydantic import ValidationError
    from vllm.exceptions import VLLMValidationError

    if isinstance(mistake, Refusal):
        return mistake.error
    if isinstance(mistake, VLLMValidationError):  # str() of it adds the value
        return error(400, str(mistake.args[0]), param=mistake.parameter)
    if not isinstance(mistake, ValidationError):
        return error(400, str(mistake)) if isinstance(mistake, ValueError) else None
    # Of a union every member has complained; the one that fits best got furthest.
    errors = mistake.errors(include_url=False, include_input=False)
    furthest = max(errors, key=lambda one: len(one["loc"]))
    field, message = "", furthest["msg"].removeprefix("Value error, ")
    for part in furthest["loc"]:
        if isinstance(part, str) and part[:1].isupper():  # the member's name: which one is a guess
            message = "Input has none of the forms that are allowed here."
            break
        if isinstance(part, int) or (part.isidentifier() and part != "str"):
            field += f".{part}" if field else str(part)
    return error(400, f"{field}: {message}" if field else message, param=field or None)


def _asking(scope: Scope, path: str, length: int) -> Scope:
    """Return the scope of a request for another path, with a body of this length."""
    replaced = (b"content-length", b"transfer-encoding")
    headers = [(k, v) for k, v in scope["headers"] if k.lower() not in replaced]
    headers.append((b"content-length", b"%d" % length))
    return {**scope, "path": path, "raw_path": quote(path).encode(), "headers": headers}
