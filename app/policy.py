"""What an operator has fixed of a model's thinking: its default, its budget, and who may choose."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.asgi import App, Message, Receive, Scope, Send, send_json
from app.errors import error

VALUES = "HYBRID_LLM_REASONING"  # {model id: Thinking} in JSON; app.serve sets it

_FIELDS = "hybrid_llm.fields"  # in a request's scope: those of its model, if not both


@dataclass(frozen=True)
class Thinking:
    """The values of one model; `app.values` says what an operator may write."""

    fields: str = "both"  # | reasoning | reasoning_content: the names that the thinking goes by
    default: bool = True  # whether the model thinks when a request says nothing
    override: bool = True  # whether a request may choose
    budget: int | None = None  # tokens of thinking when a request says nothing
    max_budget: int | None = None  # tokens of thinking that a request may ask for

    @property
    def is_policy(self) -> bool:
        """Whether a request must be read for it."""
        return not self.override or (self.budget, self.max_budget) != (None, None)


def dumped(models: Mapping[str, Thinking]) -> str:
    """Return the text for $HYBRID_LLM_REASONING."""
    return json.dumps({model: asdict(thinking) for model, thinking in models.items()})


def fields(scope: Scope) -> str:
    """Return the names under which this request's thinking is given."""
    return str(scope.get(_FIELDS, "both"))


class ThinkingPolicy:
    """Holds each chat request to what is fixed for its model, and refuses what is against it (400).

    This is for /v1/chat/completions alone. On the other surfaces (/v1/responses, /v1/messages,
    /v1/completions, and the /v1/chat/completions/batch of vLLM's own server) nothing is enforced
    yet; a default that is off counts there as well, since vLLM itself has it.

    Where a request may not choose, the choice is written into it, so that neither a later default
    nor `/think` in a message reopens what the template has closed. `/no_think` and an answer that
    the client has begun itself (`continue_final_message`) are text: what a model makes of them is
    its own doing.

    A body is read only where a policy needs it, and without a change goes on as it came: what is
    added stands at its end, where it counts before anything of the same name.
    """

    def __init__(self, app: App, models: Mapping[str, Thinking] | None = None) -> None:
        """Take the values of all models that are served here, also of those with none.

        Args:
            app: the application behind.
            models: {model id: its values}; $HYBRID_LLM_REASONING by default.
        """
        self.app = app
        if models is None:
            given = json.loads(os.environ.get(VALUES) or "{}")
            models = {model: Thinking(**values) for model, values in given.items()}
        self._models = models
        # Who is the only model has all requests, whatever name they give it or none.
        self._only = next(iter(models.values())) if len(models) == 1 else None
        if self._only:
            self._reads = self._only.is_policy
        else:
            self._reads = any(thinking != Thinking() for thinking in models.values())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request as the policy has it, or refuse it."""
        chat = scope["type"] == "http" and scope["path"].endswith("/chat/completions")
        if not chat or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        if not self._reads:
            return await self.app(_named(scope, self._only), receive, send)
        if (body := await _whole(receive)) is None:
            return  # nobody waits for an answer, or RequestLimits gives it
        try:
            thinking, changed = self._applied(body)
        except _Refusal as refusal:
            return await send_json(send, 400, refusal.error)
        except RecursionError:  # a parser behind may have more room left, and take it
            return await send_json(send, 400, error(400, "The request body is nested too deeply."))
        scope = _named(scope, thinking)
        if changed != body:
            kept = [(k, v) for k, v in scope["headers"] if k.lower() != b"content-length"]
            scope = {**scope, "headers": [*kept, (b"content-length", b"%d" % len(changed))]}
        await self.app(scope, _replayed(changed, receive), send)

    def _applied(self, body: bytes) -> tuple[Thinking | None, bytes]:
        """Return the values of the model that a request names, and the body that goes on.

        Raises:
            _Refusal: the request asks for what it may not.
            RecursionError: it is nested too deeply.
        """
        try:
            request = json.loads(body)
        except ValueError:
            return self._only, body
        if not isinstance(request, dict):
            return self._only, body
        thinking = self._only or self._of(request.get("model"))
        added = _decided(request, thinking) if thinking else {}
        if not added:
            return thinking, body
        # The encoding that json.loads and so the application finds too.
        text = body.decode(json.detect_encoding(body), "surrogatepass")
        head = text.rstrip()[:-1]  # without the last brace
        comma = ", " if request else ""
        changed = head + comma + json.dumps(added)[1:]
        return thinking, changed.encode("utf-8", "surrogatepass")

    def _of(self, model: object) -> Thinking | None:
        """Return the values of a model by its ID, or by that of a LoRA adapter of it."""
        return self._models.get(model.split(":")[0]) if isinstance(model, str) else None


class _Refusal(Exception):
    """A request that asks for what the operator has ruled out."""

    def __init__(self, param: str, message: str, code: str) -> None:
        super().__init__(message)
        self.error = error(400, message, code=code, param=param)


def _decided(request: Mapping[str, Any], thinking: Thinking) -> dict[str, Any]:
    """Return the fields that a request gets; what it has of a wrong type is left to the engine.

    Raises:
        _Refusal: it asks for what it may not.
    """
    added: dict[str, Any] = {}
    given = request.get("chat_template_kwargs")
    if not thinking.override and (given is None or isinstance(given, dict)):
        kwargs = given or {}
        _check_mode(kwargs, request.get("reasoning_effort"), thinking.default)
        if kwargs.get("enable_thinking") is None:
            added["chat_template_kwargs"] = {**kwargs, "enable_thinking": thinking.default}
    budget = request.get("thinking_token_budget")
    limit = thinking.max_budget
    if budget is None:
        default = limit if thinking.budget is None else thinking.budget
        if default is not None:
            added["thinking_token_budget"] = default
    # -1 is vLLM's word for no limit; booleans, which are integers in Python, it refuses itself.
    elif limit is not None and type(budget) is int and (budget == -1 or budget > limit):
        asked = "-1 (no limit)" if budget == -1 else str(budget)[:20]
        raise _Refusal(
            "thinking_token_budget",
            f"thinking_token_budget: {asked} is more than the {limit} tokens that the operator of "
            "this server allows for this model.",
            "integer_above_max_value",
        )
    return added


def _check_mode(kwargs: Mapping[str, Any], effort: object, default: bool) -> None:
    """Refuse a request that asks for another mode than the operator's, by either control."""
    mode = "on" if default else "off"
    fixed = f"the operator of this server has fixed thinking to {mode} for this model; leave it out"
    asked = kwargs.get("enable_thinking")
    if asked is not None and asked is not default:
        field = "chat_template_kwargs.enable_thinking"
        message = f"{field}: {fixed} or set it to {json.dumps(default)}."
        raise _Refusal(field, message, "unsupported_value")
    if effort is not None and (effort != "none") is not default:
        field = "reasoning_effort"
        message = f"{field}: {fixed}." if default else f'{field}: {fixed} or set it to "none".'
        raise _Refusal(field, message, "unsupported_value")


def _named(scope: Scope, thinking: Thinking | None) -> Scope:
    """Return a scope that gives `fields` those of a model; the one given where these are both."""
    if thinking is None or thinking.fields == "both":
        return scope
    return {**scope, _FIELDS: thinking.fields}


async def _whole(receive: Receive) -> bytes | None:
    """Return the request's body, None when it breaks off."""
    pieces = []
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body first and then what comes after it."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
