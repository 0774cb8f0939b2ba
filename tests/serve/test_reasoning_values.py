"""The values of an operator, the `reasoning` map of a Serve config, as a client sees them."""

import copy
import json
from dataclasses import dataclass, field
from typing import Any

import openai
import pytest
import yaml

from .conftest import CONFIGS, MODEL, MODES, ROOT, Server

FIXED = "fixed"  # in the ingress mode a second model; direct streaming has one


def with_values(mode: str) -> str:
    """Return the Serve config of the embedded model with values and lanes."""
    config = yaml.safe_load((ROOT / CONFIGS[mode]).read_text())
    config.pop("http_options", None)  # then make run sees to it that this machine alone is served
    arguments = config["applications"][0]["args"]
    (model,) = arguments["llm_configs"]
    model["engine_kwargs"]["scheduling_policy"] = "priority"
    arguments["reasoning"] = {
        MODEL: {
            "fields": "reasoning",
            "thinkingDefault": False,
            "allowOverride": True,
            "tokenBudget": 5,
            "maxTokenBudget": 20,
        }
    }
    if mode == "ingress":
        second = copy.deepcopy(model)
        second["model_loading_config"]["model_id"] = FIXED
        arguments["llm_configs"].append(second)
        arguments["reasoning"][FIXED] = {
            "fields": "reasoning_content",
            "allowOverride": False,
            "maxTokenBudget": 5,
        }
    return yaml.safe_dump(config)


SERVERS = [(mode, with_values(mode)) for mode in MODES]
both_modes = pytest.mark.parametrize("server", SERVERS, ids=list(MODES), indirect=True)
in_the_ingress = pytest.mark.parametrize("server", SERVERS[:1], ids=["ingress"], indirect=True)
streamed_or_not = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


@dataclass
class Reply:
    """What a client sees of one answer: each name that occurs, with its thinking."""

    thinking: dict[str, str] = field(default_factory=dict)
    content: str = ""
    reasoning_tokens: int = 0


def ask(server: Server, streamed: bool, **request: Any) -> Reply:
    """Ask what 347 * 86 is, with greedy sampling."""
    messages = [{"role": "user", "content": "What is 347 * 86?"}]
    request = {"model": MODEL, "messages": messages, "temperature": 0, **request}
    if streamed:
        request |= {"stream": True, "stream_options": {"include_usage": True}}
    response = server.send(json=request)
    assert response.status_code == 200, response.text
    texts = [response.text]
    if streamed:
        texts = [line[5:] for line in response.text.splitlines() if line.startswith("data: {")]
    reply = Reply()
    for event in map(json.loads, texts):
        if event.get("usage"):
            reply.reasoning_tokens = event["usage"]["completion_tokens_details"]["reasoning_tokens"]
        for choice in event["choices"]:
            message = choice["delta" if streamed else "message"]
            reply.content += message.get("content") or ""
            for name in {"reasoning", "reasoning_content"} & set(message):
                reply.thinking[name] = reply.thinking.get(name, "") + (message[name] or "")
    return reply


ON = {
    "enable_thinking": {"chat_template_kwargs": {"enable_thinking": True}},
    "reasoning_effort": {"reasoning_effort": "low"},
}


@both_modes
@streamed_or_not
def test_the_default_is_off(server: Server, streamed: bool):
    reply = ask(server, streamed)
    assert not any(reply.thinking.values())
    assert reply.reasoning_tokens == 0
    assert reply.content.strip().endswith(".")


@both_modes
@streamed_or_not
@pytest.mark.parametrize("control", ON.values(), ids=ON)
def test_a_request_may_turn_it_on_and_gets_the_default_budget_under_one_name(
    server: Server, streamed: bool, control: dict[str, Any]
):
    reply = ask(server, streamed, **control)
    assert list(reply.thinking) == ["reasoning"]
    assert reply.thinking["reasoning"].strip()
    assert 0 < reply.reasoning_tokens <= 5 + 2  # the tags themselves may count
    assert reply.content.strip().endswith(".")


@both_modes
@streamed_or_not
def test_a_request_may_name_a_budget_up_to_the_limit(server: Server, streamed: bool):
    reply = ask(server, streamed, **ON["enable_thinking"], thinking_token_budget=20)
    assert 5 + 2 < reply.reasoning_tokens <= 20 + 2


@both_modes
@pytest.mark.parametrize("budget", [21, -1])
def test_more_than_the_limit_is_refused(server: Server, budget: int):
    with pytest.raises(openai.BadRequestError, match="20 tokens") as refusal:
        server.client().chat.completions.create(
            model=MODEL, messages=[], extra_body={"thinking_token_budget": budget}
        )
    assert refusal.value.param == "thinking_token_budget"
    assert refusal.value.code == "integer_above_max_value"


@both_modes
def test_no_name_and_another_encoding_are_no_way_around(server: Server):
    request = {"messages": [{"role": "user", "content": "Hello"}], "thinking_token_budget": 21}
    if len(server.client().models.list().data) > 1:
        request["model"] = MODEL  # Ray wants to know which
    for encoding in ("utf-8", "utf-16"):
        response = server.send(
            content=json.dumps(request).encode(encoding),
            headers={"content-type": "application/json"},
        )
        assert response.status_code == 400
        assert response.json()["error"]["param"] == "thinking_token_budget"


@both_modes
@pytest.mark.parametrize("priority", [-1, 0, 7])
def test_a_request_may_name_its_lane(server: Server, priority: int):
    assert ask(server, False, priority=priority).content


@in_the_ingress
@streamed_or_not
def test_what_is_fixed_is_so_with_the_limit_as_its_budget(server: Server, streamed: bool):
    for control in ({}, *ON.values()):
        reply = ask(server, streamed, model=FIXED, **control)
        assert list(reply.thinking) == ["reasoning_content"]
        assert 0 < reply.reasoning_tokens <= 5 + 2


@in_the_ingress
@pytest.mark.parametrize(
    ("control", "param"),
    [
        (
            {"chat_template_kwargs": {"enable_thinking": False}},
            "chat_template_kwargs.enable_thinking",
        ),
        ({"reasoning_effort": "none"}, "reasoning_effort"),
    ],
)
def test_against_what_is_fixed_a_request_is_refused(
    server: Server, control: dict[str, Any], param: str
):
    with pytest.raises(openai.BadRequestError, match="operator .* has fixed") as refusal:
        server.client().chat.completions.create(model=FIXED, messages=[], extra_body=control)
    assert refusal.value.param == param
    assert refusal.value.type == "invalid_request_error"
