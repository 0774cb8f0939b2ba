"""Names of a model that carry a mode, for clients that can choose nothing but a model.

`my-qwen-3-32b:think`, `:no-think` and `:auto` are listed by /v1/models beside the model itself.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

from app.asgi import App, Receive, Scope, Send, answer_of, send_json
from app.edge.errors import error
from app.scope import key_of
from app.thinking.fixed import Thinking, values_of
from app.thinking.modes import ADAPTIVE, Mode

ENDINGS: dict[str, Mode] = {"think": True, "no-think": False, "auto": ADAPTIVE}


def split(model: str) -> tuple[str, Mode | None]:
    """Return a model's own name, and the mode that the one given asks for."""
    name, _, ending = model.rpartition(":")
    return (name, ENDINGS[ending]) if name and ending in ENDINGS else (model, None)


def own_names(models: Mapping[str, Thinking]) -> dict[str, str]:
    """Return {name of a LoRA adapter: the MODEL:ADAPTER that it stands for}."""
    return {
        adapter: f"{model}:{adapter}"
        for model, thinking in models.items()
        for adapter in thinking.adapters
        if adapter not in models
    }


class ModelAliases:
    """Lists the names under /v1/models, for each key those that it may use.

    Each has a `created`, when this server began to serve it: Ray's ingress says none, vLLM the
    time of the request. Strict clients need one, and those that cache need it to stay.

    vLLM's own server has no /v1/models/NAME, so that is answered from the list in both modes.
    """

    def __init__(self, app: App, models: Mapping[str, Thinking] | None = None) -> None:
        """Take the values of all models that are served here.

        Args:
            app: the application behind.
            models: {model id: its values}; $HYBRID_LLM_REASONING by default.
        """
        self.app = app
        self._models = values_of(models)
        self._created = int(time.time())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request, or answer it from the list of the application behind."""
        prefix, found, name = scope.get("path", "").partition("/v1/models")
        asked = scope["type"] == "http" and scope["method"] == "GET" and found
        if not asked or (name and name[0] != "/"):
            return await self.app(scope, receive, send)
        path = prefix + found
        whole = {**scope, "path": path, "raw_path": path.encode()}
        status, body = await answer_of(self.app, whole, receive)
        try:
            cards = json.loads(body)["data"] if status == 200 else None
        except (ValueError, TypeError, KeyError):
            cards = None
        if not isinstance(cards, list):  # an error, which OpenAIErrors puts into its shape
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            return await send({"type": "http.response.body", "body": body})
        cards = self._with_aliases(cards, key_of(scope))
        if name in ("", "/"):
            return await send_json(send, 200, {"object": "list", "data": cards})
        asked = own_names(self._models).get(name[1:], name[1:])
        for card in cards:
            if card["id"] == asked:
                return await send_json(send, 200, card)
        message = f"The model {name[1:101]!r} does not exist."
        await send_json(send, 404, error(404, message, code="model_not_found", param="model"))

    def _with_aliases(self, cards: list[dict[str, Any]], key: str | None) -> list[dict[str, Any]]:
        listed = []
        for card in cards:
            card = {**card, "created": self._created}
            thinking = self._models.get(card["id"])
            if thinking is None:
                model, _, adapter = card["id"].partition(":")
                values = self._models.get(model)
                # vLLM lists those that a model has, Ray's ingress doesn't.
                listed += [] if values and adapter in values.adapters else [card]
                continue
            names = [card["id"], *(f"{card['id']}:{adapter}" for adapter in thinking.adapters)]
            for name in names:
                one = card if name == card["id"] else {**card, "id": name, "parent": card["id"]}
                listed.append(one)
                for ending in _endings(thinking.for_key(key)):
                    listed.append({**one, "id": f"{name}:{ending}"})
        return listed


def _endings(thinking: Thinking) -> list[str]:
    """Return the endings that a request may have."""
    return [
        ending
        for ending, mode in ENDINGS.items()
        if (mode != ADAPTIVE or thinking.threshold is not None)
        and (thinking.override or mode == thinking.default)
    ]
