"""A request, from the bytes that a client has sent to what the engine is asked, and back."""

import re
import time
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from app.answers import following
from app.answers.ends import Meter
from app.answers.joining import Joining
from app.answers.meters import meters
from app.answers.spans import span
from app.answers.translated import TranslatedResponse
from app.asgi import (
    App,
    Receive,
    Scope,
    Send,
    dumped,
    header,
    replayed,
    send_json,
    whole_body,
    with_length,
)
from app.edge.aliases import own_names, split
from app.edge.errors import Refusal, error
from app.edge.fixed import Edge
from app.edge.fixed import values_of as edge_of
from app.scope import Call, key_of, with_call
from app.surfaces.apis import API, apis
from app.surfaces.body import read
from app.surfaces.bounds import check
from app.thinking.controls import FIELDS, readable
from app.thinking.decision import Decision, decide, decide_plain
from app.thinking.draft import draft_of
from app.thinking.fixed import Thinking, values_of
from app.thinking.modes import Mode

_ID = b"x-request-id"
_IDS = re.compile(r"[\w.-]{1,100}", re.ASCII)


class Requests:
    """Parses each request once, by the engine's own models, and sends on what it has understood.

    What is decided on, bounded, counted and sent on is one thing: the chat completion (or plain
    completion) that the request becomes, serialized anew. So nothing that a client can spell in two
    ways means two things here. What those models refuse, or fail over, is a 400.
    """

    def __init__(
        self,
        app: App,
        models: Mapping[str, Thinking] | None = None,
        meter: Meter | None = None,
        tokenizes: bool = True,
        edge: Edge | None = None,
    ) -> None:
        """Take the values of all models that are served here; to no other anything goes.

        Args:
            app: the application behind.
            models: {model id: its values}; $HYBRID_LLM_REASONING by default.
            meter: who is told of refusals; all that are switched on, by default.
            tokenizes: whether the application behind has a /tokenize that works.
            edge: the values of the edge, which bound a request; $HYBRID_LLM_EDGE by default.
        """
        # With the first request that would hold up everybody else's for seconds.
        import vllm.entrypoints.anthropic.serving
        import vllm.entrypoints.openai.completion.protocol
        import vllm.entrypoints.openai.responses.streaming_events  # noqa: F401

        self.app = app
        self._models = values_of(models)
        self._adapters = own_names(self._models)
        self._meter = meter or meters()
        self._apis = apis(tokenizes)
        values = edge_of(edge)
        self._bounds = values.bounds
        self._joining = following.joining = Joining(values.max_stream_interval)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request as the policy has it, or refuse it."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        path = scope["path"]
        api = next((api for end, api in self._apis.items() if path.endswith(end)), None)
        if api is None:
            message = "Not Found: there is no such path to POST to."
            return await send_json(send, 404, error(404, message))
        if not api.answers:
            return await self._run(api, scope, receive, send)
        with span(_identified(scope), api.name) as traced:
            await self._run(api, traced, receive, send)

    async def _run(self, api: API, scope: Scope, receive: Receive, send: Send) -> None:
        """Run a request to one of the APIs."""
        path = scope["path"]
        started = time.perf_counter()
        if (body := await whole_body(receive)) is None:
            return  # nobody waits for an answer, or RequestLimits gives it
        key = key_of(scope) or ""
        call = Call(
            *(Decision(True), "unknown", api.name, key, "both", started),
            request_id=_request_id(scope),
        )
        try:
            request = read(body)
            model, ending, name = self._model(request)
            thinking = self._models[model].for_key(call.key)
            call = replace(call, model=model, fields=thinking.fields)
            fields, answer = api.read({**readable(request), "model": name})
            if api.answers:
                call = replace(call, **_shape(fields, api))
            if api.thinks or api.answers:
                check(fields, self._bounds)
                # The controls that a client has written, of any API; what the engine reads wins.
                # It reads a budget of -1, which is no limit, as none.
                said = {field: request[field] for field in FIELDS if field in request}
                said |= {name: value for name, value in fields.items() if value is not None}
                decided = decide if api.thinks else decide_plain
                decision, added = decided(
                    {**said, "model": request.get("model")}, thinking, ending, api.name
                )
                call = replace(call, decision=decision, lanes="priority" in added)
                if decision.draft is not None and api.answers:
                    call = replace(call, draft=draft_of(fields, decision.draft, thinking))
                fields = api.finish({**fields, **added, **_streamed(fields, api)})
        except Refusal as refusal:
            if api.answers:
                self._meter.refused(call, refusal.code)
            return await send_json(send, refusal.status, refusal.error)
        if api.answers:
            scope = with_call(scope, call)
        with self._opened(call) as interval:
            if interval > 1 and not following.on:
                if call.streamed:
                    fields["stream_interval"] = max(interval, fields.get("stream_interval") or 1)
                if call.draft and call.draft.fields is not None:
                    call.draft.fields["stream_interval"] = interval
            data = dumped(fields)
            asked = _asking(scope, path.removesuffix(api.path) + api.behind, len(data))
            if answer is None:
                return await self.app(asked, replayed(data, receive), send)
            response = TranslatedResponse(answer, send)
            try:
                await self.app(asked, replayed(data, receive), response)
                await response.finish()
            finally:
                answer.close()

    def _opened(self, call: Call) -> AbstractContextManager[int]:
        """Return the context of an answer, which has the tokens that a chunk of it carries."""
        return self._joining.stream(call.choices) if call.streams else nullcontext(1)

    def _model(self, request: Mapping[str, Any]) -> tuple[str, Mode | None, str]:
        """Return the model that a request names, the mode that its name asks for, its name behind.

        Raises:
            Refusal: it names none that is here.
        """
        given = request.get("model")
        if given is None and len(self._models) == 1:
            (given,) = self._models
        if not isinstance(given, str):
            known = ", ".join(self._models)
            problem = "required" if given is None else "must be a string"
            message = f"model: {problem}. There are: {known}."
            raise Refusal("model", message, "invalid_parameter")
        name, ending = split(given)
        name = self._adapters.get(name, name)
        model, _, adapter = name.partition(":")  # a LoRA adapter's is MODEL:ADAPTER
        thinking = self._models.get(model)
        there = thinking and (adapter in thinking.adapters or (adapter and thinking.loads_adapters))
        if thinking is None or (":" in name and not there):
            message = f"The model {given[:100]!r} does not exist; GET /v1/models lists those here."
            raise Refusal("model", message, "model_not_found", 404)
        return model, ending, name


def _shape(fields: Mapping[str, Any], api: API) -> dict[str, Any]:
    """Return how an answer will look, as far as the layers in front need it."""
    options = fields.get("stream_options") or {}
    streamed = fields.get("stream") is True
    # The other APIs always have the usage.
    hides = api.path == api.behind and streamed and not options.get("include_usage")
    return {
        "streamed": streamed,
        "choices": fields.get("n") or 1,
        "hides_usage": hides,
        "tools": bool(fields.get("tools")),
    }


def _streamed(fields: Mapping[str, Any], api: API) -> dict[str, Any]:
    """Return what a stream must be asked for, so that its tokens can be counted."""
    if not fields.get("stream"):
        return {}
    return {"stream_options": {**(fields.get("stream_options") or {}), "include_usage": True}}


def _request_id(scope: Scope) -> str:
    return header(scope["headers"], _ID).decode("latin-1")


def _identified(scope: Scope) -> Scope:
    """Return the request's scope with an ID, by which its answer and the logs know it."""
    if _IDS.fullmatch(_request_id(scope)):
        return scope
    others = [(name, value) for name, value in scope["headers"] if name.lower() != _ID]
    return {**scope, "headers": [*others, (_ID, uuid.uuid4().hex.encode())]}


def _asking(scope: Scope, path: str, length: int) -> Scope:
    """Return the scope of a request for a path, with a JSON body of this length."""
    return {**with_length(scope, length), "path": path, "raw_path": quote(path).encode()}
