"""Names of a model that carry a mode, as /v1/models lists them."""

import json
import time
from typing import Any

import pytest
from asgi_client import answer, ask, http

from app.asgi import App, Receive, Scope, Send
from app.edge.aliases import ModelAliases, split
from app.edge.errors import OpenAIErrors
from app.scope import with_key
from app.thinking.fixed import Thinking

NEVER = Thinking(default=False, override=False)
MODELS = {"Qwen/m": Thinking(keys={"batch": {"default": False, "override": False}}), "n": NEVER}


def listing(*names: str) -> App:
    """Return a server with these models, as vLLM's: without a path for each of them."""
    cards = [{"id": name, "object": "model", "max_model_len": 9} for name in names]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found = scope["path"].endswith("/v1/models") and scope["raw_path"] == scope["path"].encode()
        body = {"object": "list", "data": cards} if found else {"detail": "Not Found"}
        await answer(200 if found else 404, json.dumps(body).encode())(scope, receive, send)

    return app


def get(path: str, key: str = "", app: App | None = None) -> tuple[int, Any]:
    scope = http("GET", path, ())
    server = ModelAliases(app or listing("Qwen/m", "Qwen/m:lora", "n"), MODELS)
    response = ask(OpenAIErrors(server), with_key(scope, key) if key else scope, [b""])
    return response.status, json.loads(response.body)


@pytest.mark.parametrize("path", ["/v1/models", "/prefix/v1/models", "/v1/models/"])
def test_the_names_stand_beside_their_model(path: str) -> None:
    status, body = get(path)
    assert (status, body["object"]) == (200, "list")
    names = [
        "Qwen/m",
        "Qwen/m:think",
        "Qwen/m:no-think",
        "Qwen/m:auto",
        "Qwen/m:lora",
        "n",
        "n:no-think",
    ]
    assert [card["id"] for card in body["data"]] == names
    assert {card["max_model_len"] for card in body["data"]} == {9}


@pytest.mark.parametrize("behind", [("n",), ("n", "n:sql")], ids=["Ray's ingress", "vLLM"])
def test_adapters_stand_beside_their_model_whoever_lists_them(behind: tuple[str, ...]) -> None:
    models = {"n": Thinking(default=False, override=False, adapters=("sql", "law"))}
    server = ModelAliases(listing(*behind), models)
    cards = json.loads(ask(server, http("GET", "/v1/models", ()), [b""]).body)["data"]
    names = ["n", "n:no-think", "n:sql", "n:sql:no-think", "n:law", "n:law:no-think"]
    assert [card["id"] for card in cards] == names
    assert [card.get("parent") for card in cards] == [None, None, "n", "n", "n", "n"]
    own = json.loads(ask(server, http("GET", "/v1/models/sql", ()), [b""]).body)
    assert own["id"] == "n:sql"


def test_a_key_sees_what_it_may_use() -> None:
    names = [card["id"] for card in get("/v1/models", "batch")[1]["data"]]
    assert names == ["Qwen/m", "Qwen/m:no-think", "Qwen/m:lora", "n", "n:no-think"]


@pytest.mark.parametrize("name", ["Qwen/m", "Qwen/m:think", "Qwen/m:lora", "n"])
def test_each_is_known_by_itself(name: str) -> None:
    status, card = get(f"/v1/models/{name}")
    created = card.pop("created")
    assert (status, card) == (200, {"id": name, "object": "model", "max_model_len": 9})
    assert abs(time.time() - created) < 60


@pytest.mark.parametrize("said", [{}, {"created": 1}], ids=["Ray's", "vLLM's"])
def test_a_models_time_of_creation_stays(said: dict[str, int], monkeypatch) -> None:
    """Ray's ingress has none; vLLM's server has the time at which it is asked."""
    body = json.dumps({"object": "list", "data": [{"id": "n", "object": "model", **said}]})
    server = ModelAliases(answer(200, body.encode()), MODELS)
    begun = int(time.time())
    for later in (0, 3600):
        monkeypatch.setattr(time, "time", lambda later=later: begun + later)
        cards = json.loads(ask(server, http("GET", "/v1/models", ()), [b""]).body)["data"]
        assert [type(card["created"]) for card in cards] == [int] * len(cards)
        assert {card["created"] - begun for card in cards} <= {0, 1}


@pytest.mark.parametrize("name", ["x", "n:think", "Qwen/m:lora:think", "Qwen"])
def test_what_is_not_listed_is_not_there(name: str) -> None:
    status, body = get(f"/v1/models/{name}")
    assert (status, body["error"]["code"]) == (404, "model_not_found")
    assert name in body["error"]["message"]


def test_an_error_behind_stays_one() -> None:
    assert get("/v1/models", app=answer(503, b"no replica"))[0] == 503


@pytest.mark.parametrize("scope", [http("POST", "/v1/models"), http("GET", "/v1/modelsx")])
def test_nothing_else_is_touched(scope: Scope) -> None:
    calls: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        calls.append(scope)
        await answer()(scope, receive, send)

    ask(ModelAliases(app, MODELS), scope)
    assert calls == [scope] and calls[0] is scope


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("m", ("m", None)),
        ("m:think", ("m", True)),
        ("m:no-think", ("m", False)),
        ("m:lora", ("m:lora", None)),
        ("m:lora:think", ("m:lora", True)),
        (":think", (":think", None)),
        ("", ("", None)),
    ],
)
def test_a_name_is_split_into_model_and_mode(given: str, expected: tuple[str, bool | None]) -> None:
    assert split(given) == expected
