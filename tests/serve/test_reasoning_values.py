"""The values of an operator, the `reasoning` map of a Serve config, as a client sees them."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import openai
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from spellings import asked

from .conftest import BOB, DAVE, KEY, MODEL, Server, metrics
from .operators_values import FIXED, both_modes, in_the_ingress
from .surfaces import SURFACES, Reply, ask, names

QUESTION = "What is 347 * 86?"
HI = [{"role": "user", "content": "Hello"}]
streamed_or_not = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
each_surface = pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)

ON = {
    "enable_thinking": {"chat_template_kwargs": {"enable_thinking": True}},
    "reasoning_effort": {"reasoning_effort": "minimal"},
    "/think": {"question": f"{QUESTION} /think"},
    "the name :think": {"model": f"{MODEL}:think"},
}


def thinking_of(reply: Reply, surface: Any) -> str:
    """Return the thinking, which has the one name that is set, or the surface's own."""
    name = "reasoning" if surface is SURFACES["chat"] else surface.names[0]
    assert set(reply.thinking) <= {name}
    return reply.thinking.get(name, "")


def refused(server: Server, surface: Any, key: str | None = None, **request: Any) -> dict[str, Any]:
    """Return the error of a request that is refused, with its status."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    body = {"model": MODEL, **surface.body(QUESTION, False), **request}
    response = server.send(surface.path, json=body, headers=headers)
    assert 400 <= response.status_code < 500
    return {**response.json()["error"], "status": response.status_code}


@both_modes
@streamed_or_not
@each_surface
def test_the_default_is_off(server: Server, streamed: bool, surface: Any):
    reply = ask(server, surface, streamed, QUESTION)
    assert not thinking_of(reply, surface)
    assert reply.thinking_tokens == 0
    assert reply.content.endswith(".")


@both_modes
@streamed_or_not
@each_surface
@pytest.mark.parametrize("control", ON.values(), ids=ON)
def test_a_request_may_turn_it_on_and_gets_the_default_budget_under_one_name(
    server: Server, streamed: bool, surface: Any, control: dict[str, Any]
):
    reply = ask(server, surface, streamed, **{"question": QUESTION, **control})
    assert thinking_of(reply, surface).strip()
    assert 0 < reply.thinking_tokens <= 5 + 2  # the tags themselves may count
    assert reply.content.endswith(".")


@both_modes
@each_surface
@pytest.mark.parametrize(
    ("effort", "least", "most"), [("low", 0, 0), ("medium", 6, 10), ("high", 11, 20)]
)
def test_an_effort_is_a_budget(server: Server, surface: Any, effort: str, least: int, most: int):
    """`high` has none of its own, so the most that anybody may ask for."""
    says = {"reasoning_effort": effort}
    if surface is SURFACES["responses"]:
        says = {"reasoning": {"effort": effort}}
    elif surface is SURFACES["messages"]:
        says = {"output_config": {"effort": effort}}
    reply = ask(server, surface, False, QUESTION, **says)
    assert least <= reply.thinking_tokens <= most + 2


@both_modes
@streamed_or_not
def test_a_request_may_name_a_budget_up_to_the_limit(server: Server, streamed: bool):
    says = {**ON["enable_thinking"], "thinking_token_budget": 20}
    reply = ask(server, SURFACES["chat"], streamed, QUESTION, **says)
    assert 5 + 2 < reply.thinking_tokens <= 20 + 2


@both_modes
@each_surface
@pytest.mark.parametrize("budget", [21, -1])
def test_more_than_the_limit_is_refused(server: Server, surface: Any, budget: int):
    error = refused(server, surface, thinking_token_budget=budget)
    assert error["status"] == 400 and names(error, "thinking_token_budget")
    assert error.get("code", "integer_above_max_value") == "integer_above_max_value"
    assert "20 tokens" in error["message"]
    if budget > 0:
        thinking = {"type": "enabled", "budget_tokens": budget}
        error = refused(server, surface, thinking=thinking)
        assert names(error, "thinking.budget_tokens")


@both_modes
def test_no_name_and_another_encoding_are_no_way_around(server: Server):
    request = {"messages": [{"role": "user", "content": "Hello"}], "thinking_token_budget": 21}
    if len(server.client().models.list().data) > 3:
        request["model"] = MODEL  # Ray wants to know which
    for encoding in ("utf-8", "utf-16"):
        response = server.send(
            content=json.dumps(request).encode(encoding),
            headers={"content-type": "application/json"},
        )
        assert response.status_code == 400
        assert response.json()["error"]["param"] == "thinking_token_budget"


@both_modes
@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions/batch",
        "/inference/v1/generate",
        "/v1/chat/completions/render",
        "/sleep",
    ],
)
def test_a_path_around_the_policy_is_closed(server: Server, path: str):
    response = server.send(path, json={"model": MODEL, "messages": HI})
    assert response.status_code == 404
    assert response.json()["error"]["type"] == "invalid_request_error"


@both_modes
@each_surface
def test_with_lanes_a_request_has_no_priority_of_its_own(server: Server, surface: Any):
    assert names(refused(server, surface, priority=-1), "priority")


# A key that never thinks


@both_modes
@each_surface
@pytest.mark.parametrize(
    ("control", "param"),
    [
        ({"enable_thinking": True}, "enable_thinking"),
        ({"thinking": {"type": "enabled"}}, "thinking.type"),
        ({"model": f"{MODEL}:think"}, "model"),
    ],
    ids=["enable_thinking", "thinking", "name"],
)
def test_a_key_that_never_thinks_gets_a_403(
    server: Server, surface: Any, control: dict[str, Any], param: str
):
    error = refused(server, surface, BOB, **control)
    assert error["status"] == 403 and names(error, param)
    assert "API key" in error["message"] and BOB not in error["message"]


@both_modes
def test_a_key_that_never_thinks_does_not_whatever_the_prompt_says(server: Server):
    client = server.client(BOB)
    completion = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": f"{QUESTION} /think"}]
    )
    assert completion.choices[0].message.reasoning is None
    assert completion.usage.completion_tokens_details.reasoning_tokens == 0
    completion = client.completions.create(model=MODEL, prompt="<think>\n", max_tokens=20)
    assert completion.choices[0].text.lstrip().startswith("</think>")
    begun = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": "<think>\nMultiplication: 347 * 86."},
    ]
    completion = client.chat.completions.create(
        model=MODEL,
        messages=begun,
        extra_body={"continue_final_message": True, "add_generation_prompt": False},
    )
    assert (completion.choices[0].message.content or "").lstrip().startswith("</think>")
    with pytest.raises(openai.PermissionDeniedError):
        client.chat.completions.create(model=MODEL, messages=HI, reasoning_effort="high")


@both_modes
def test_a_key_sees_the_names_that_it_may_use(server: Server):
    names = {model.id for model in server.client().models.list().data}
    assert {MODEL, f"{MODEL}:think", f"{MODEL}:no-think"} <= names
    names = {model.id for model in server.client(BOB).models.list().data}
    assert f"{MODEL}:no-think" in names and f"{MODEL}:think" not in names
    assert server.client().models.retrieve(f"{MODEL}:think").id == f"{MODEL}:think"
    with pytest.raises(openai.NotFoundError):
        server.client(BOB).models.retrieve(f"{MODEL}:think")


# A model whose mode is fixed


@in_the_ingress
@streamed_or_not
def test_what_is_fixed_is_so_with_the_limit_as_its_budget(server: Server, streamed: bool):
    for control in ({}, ON["enable_thinking"], {"question": f"{QUESTION} /no_think"}):
        says = {"question": QUESTION, "model": FIXED, **control}
        reply = ask(server, SURFACES["chat"], streamed, **says)
        assert list(reply.thinking) == ["reasoning_content"]
        assert 0 < reply.thinking_tokens <= 5 + 2


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
        server.client().chat.completions.create(model=FIXED, messages=HI, extra_body=control)
    assert refusal.value.param == param
    assert refusal.value.type == "invalid_request_error"


@in_the_ingress
@pytest.mark.parametrize("priority", [-1, 0, 7])
def test_without_lanes_a_request_may_name_its_priority(server: Server, priority: int):
    assert ask(server, SURFACES["chat"], False, model=FIXED, priority=priority).content


# What is counted of it


@both_modes
def test_each_request_is_counted_under_its_keys_name(server: Server):
    chat = SURFACES["chat"]
    for streamed in (False, True):
        ask(server, chat, streamed, QUESTION, key=DAVE, **ON["enable_thinking"])
        ask(server, chat, streamed, QUESTION, key=DAVE)
    ask(server, SURFACES["messages"], True, QUESTION, key=DAVE)
    refused(server, chat, DAVE, thinking_token_budget=21)
    refused(server, chat, BOB, enable_thinking=True)
    assert refused(server, chat, DAVE, max_tokens=-5)["status"] == 400
    on, off = f"{MODEL} chat_completions on dave", f"{MODEL} chat_completions off dave"
    refusals = f"hybrid_llm_refusals_total {MODEL} chat_completions none"
    expected = {
        f"hybrid_llm_requests_total {on} ok": 2,
        f"hybrid_llm_requests_total {off} ok": 2,
        f"hybrid_llm_requests_total {off} invalid": 1,
        f"hybrid_llm_requests_total {MODEL} messages off dave ok": 1,
        f"hybrid_llm_request_thinking_tokens_count {on}": 2,
        f"hybrid_llm_thinking_tokens_total {on}": 10,
        f"hybrid_llm_budget_hits_total {on}": 2,
        f"hybrid_llm_request_answer_tokens_count {on}": 2,
        f"hybrid_llm_request_answer_tokens_count {off}": 2,
        f"hybrid_llm_time_to_first_thinking_token_seconds_count {on}": 1,
        f"hybrid_llm_time_to_first_answer_token_seconds_count {on}": 1,
        f"hybrid_llm_time_to_first_answer_token_seconds_count {off}": 1,
        f"{refusals} dave integer_above_max_value": 1,
    }
    end = time.monotonic() + 60  # a worker reports every few seconds
    seen: dict[str, float] = {}
    while seen != expected and time.monotonic() < end:
        time.sleep(1)
        counted = metrics(server)
        seen = {name: counted.get(name, 0) for name in expected}
    assert seen == expected
    assert counted[f"hybrid_llm_answer_tokens_total {off}"] > 10
    assert counted[f"{refusals} bob unsupported_value"] >= 1
    assert not any(key in "".join(counted) for key in (KEY, BOB, DAVE))


def generated(count: int) -> list[tuple[str, bytes]]:
    """Return that many requests in any spelling, the same ones in each run."""
    requests: list[tuple[str, bytes]] = []

    @settings(
        max_examples=count,
        derandomize=True,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(request=asked(MODEL))
    def collect(request: tuple[str, bytes]) -> None:
        requests.append(request)

    collect()
    return requests


def written(answer: dict[str, Any]) -> tuple[str, int]:
    """Return all that a model has written into an answer, and how much of it is thinking."""
    texts, usage = [], answer["usage"]
    for choice in answer.get("choices", ()):
        message = choice.get("message", {})
        texts += [choice.get("text"), message.get("content"), message.get("reasoning")]
    for item in answer.get("output", ()):
        texts += [part["text"] for part in item["content"] or ()]
    for block in answer["content"] if answer.get("type") == "message" else ():
        texts += [block.get("text"), block.get("thinking")]
    details = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    tokens = details.get("reasoning_tokens") or details.get("thinking_tokens") or 0
    return "".join(filter(None, texts)), tokens


@both_modes
@pytest.mark.parametrize("key", [BOB, KEY], ids=["never thinks", "has a cap"])
def test_no_request_however_it_is_spelt_thinks_against_its_policy(server: Server, key: str):
    def send(request: tuple[str, bytes]) -> httpx.Response:
        path, content = request
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        return server.send(path, content=content, headers=headers)

    requests = generated(125)
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(send, requests))
    answered = 0
    for request, response in zip(requests, responses, strict=True):
        assert response.status_code < 500, (request, response.text)
        if response.status_code != 200:
            continue
        answered += 1
        text, tokens = written(response.json())
        if key == BOB:
            assert "<think>" not in text and not tokens, (request, response.text)
        else:
            assert tokens <= 20 + 2, (request, response.text)  # the tags themselves may count
    assert answered > 10  # else nothing is shown
