"""Thinking as an operator has set it: decides on each request before the engine sees it."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.answers.metrics import Meter, ray_meter
from app.asgi import App, Receive, Scope, Send, replayed, send_json, whole_body
from app.edge.aliases import split
from app.edge.errors import Refusal, error
from app.scope import Call, key_of, with_call
from app.thinking.decision import Decision, decide, decide_plain
from app.thinking.fixed import Thinking, values_of

# {end of a path: the surface}; a model answers here, so these alone are decided on
SURFACES = {
    "/v1/chat/completions": "chat_completions",
    "/v1/responses": "responses",
    "/v1/messages": "messages",
    "/v1/completions": "completions",
}
# What else may be asked by POST: nothing there makes a model write.
_HARMLESS = ("/v1/messages/count_tokens", "/tokenize", "/detokenize", "/v1/embeddings", "/v1/score")


class ThinkingPolicy:
    """Holds each request to what is fixed for its model and key, and refuses what is against it.

    `app.thinking.decision` says how. A body goes on as it came but for what is added at its end,
    where it counts before anything of the same name. Streams are asked for their usage, for
    `app.answers.metering`.

    Other paths that take a POST are closed (404): some of vLLM's own server would let a request
    around all of this.
    """

    def __init__(
        self, app: App, models: Mapping[str, Thinking] | None = None, meter: Meter | None = None
    ) -> None:
        """Take the values of all models that are served here, also of those with none.

        Args:
            app: the application behind.
            models: {model id: its values}; $HYBRID_LLM_REASONING by default.
            meter: where refusals are counted; Ray's metrics by default.
        """
        self.app = app
        self._models = values_of(models)
        self._meter = meter or ray_meter()
        # Who is the only model has all requests, whatever name they give it or none.
        self._only = next(iter(self._models)) if len(self._models) == 1 else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request as the policy has it, or refuse it."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        path = scope["path"]
        surface = next((name for end, name in SURFACES.items() if path.endswith(end)), None)
        if surface is None:
            if path.endswith(_HARMLESS):
                return await self.app(scope, receive, send)
            message = "Not Found: there is no such path to POST to."
            return await send_json(send, 404, error(404, message))
        started = time.perf_counter()
        if (body := await whole_body(receive)) is None:
            return  # nobody waits for an answer, or RequestLimits gives it
        call = Call(Decision(True), "unknown", surface, key_of(scope) or "", "both", started)
        try:
            call, changed = self._applied(call, body)
        except _Refused as refused:
            refusal = refused.refusal
            self._meter.refused(refused.call, refusal.code)
            return await send_json(send, refusal.status, refusal.error)
        except RecursionError:  # a parser behind may have more room left, and take it
            return await send_json(send, 400, error(400, "The request body is nested too deeply."))
        scope = with_call(scope, call)
        if changed is not body:
            kept = [(k, v) for k, v in scope["headers"] if k.lower() != b"content-length"]
            scope = {**scope, "headers": [*kept, (b"content-length", b"%d" % len(changed))]}
        await self.app(scope, replayed(changed, receive), send)

    def _applied(self, call: Call, body: bytes) -> tuple[Call, bytes]:
        """Return what is known of a request after the decision, and the body that goes on.

        Raises:
            _Refused: the request asks for what it may not.
            RecursionError: it is nested too deeply.
        """
        try:
            request = json.loads(body)
        except ValueError:
            return call, body
        if not isinstance(request, dict):
            return call, body
        given = request.get("model")
        model, ending = split(given) if isinstance(given, str) else ("", None)
        known = self._only or model.split(":")[0]  # a LoRA adapter's is MODEL:ADAPTER
        if known not in self._models or (ending is not None and model.split(":")[0] != known):
            return call, body  # the engine refuses it
        thinking = self._models[known].for_key(call.key)
        call = replace(call, model=known, fields=thinking.fields, **_shape(request))
        try:
            decided = decide_plain if call.surface == "completions" else decide
            decision, added = decided(request, thinking, ending, call.surface)
        except Refusal as refusal:
            raise _Refused(call, refusal) from None
        if ending is not None:
            added["model"] = model
        options = request.get("stream_options")
        asks = call.surface in ("chat_completions", "completions")  # the others always have it
        if asks and call.streamed and (options is None or isinstance(options, dict)):
            added["stream_options"] = {**(options or {}), "include_usage": True}
        else:
            call = replace(call, hides_usage=False)
        call = replace(call, decision=decision)
        if not added:
            return call, body
        # The encoding that json.loads and so the application finds too.
        text = body.decode(json.detect_encoding(body), "surrogatepass")
        head = text.rstrip()[:-1]  # without the last brace
        comma = ", " if request else ""
        changed = head + comma + json.dumps(added)[1:]
        return call, changed.encode("utf-8", "surrogatepass")


class _Refused(Exception):
    """A refusal, and what is known of the request."""

    def __init__(self, call: Call, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.call, self.refusal = call, refusal


def _shape(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return how an answer will look, as far as the layers in front need it."""
    options, choices = request.get("stream_options"), request.get("n")
    wants_usage = isinstance(options, dict) and options.get("include_usage")
    return {
        "streamed": request.get("stream") is True,
        "choices": choices if isinstance(choices, int) and choices > 1 else 1,
        "hides_usage": not wants_usage,
    }
