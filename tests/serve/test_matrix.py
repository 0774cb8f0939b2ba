"""Every control of the thinking, on every surface, whole and streamed, in both serving modes."""

from typing import Any

import pytest

from .conftest import MODEL, Server
from .surfaces import ANSWER, QUESTION, SURFACES, ask, names

HARD = "What is 347 * 86?"

# What a request says: whether the model then thinks
CONTROLS: dict[str, tuple[dict[str, Any], bool]] = {
    "nothing": ({}, True),
    "enable_thinking of the template, true": (
        {"chat_template_kwargs": {"enable_thinking": True}},
        True,
    ),
    "enable_thinking of the template, false": (
        {"chat_template_kwargs": {"enable_thinking": False}},
        False,
    ),
    "enable_thinking at the top, true": ({"enable_thinking": True}, True),
    "enable_thinking at the top, false": ({"enable_thinking": False}, False),
    "reasoning_effort high": ({"reasoning_effort": "high"}, True),
    "reasoning_effort none": ({"reasoning_effort": "none"}, False),
    "reasoning.effort high": ({"reasoning": {"effort": "high"}}, True),
    "reasoning.effort none": ({"reasoning": {"effort": "none"}}, False),
    "thinking enabled": ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, True),
    "thinking disabled": ({"thinking": {"type": "disabled"}}, False),
    # Of this question the model is sure.
    "thinking adaptive": ({"thinking": {"type": "adaptive"}}, False),
    "reasoning_effort auto": ({"reasoning_effort": "auto"}, False),
    "reasoning.effort auto": ({"reasoning": {"effort": "auto"}}, False),
    "output_config.effort auto": ({"output_config": {"effort": "auto"}}, False),
    "the name :auto": ({"model": f"{MODEL}:auto"}, False),
    "/no_think against :auto": (
        {"model": f"{MODEL}:auto", "question": f"{QUESTION} /no_think"},
        False,
    ),
    "the name :think": ({"model": f"{MODEL}:think"}, True),
    "the name :no-think": ({"model": f"{MODEL}:no-think"}, False),
    "/think": ({"question": f"{QUESTION} /think"}, True),
    "/no_think": ({"question": f"{QUESTION} /no_think"}, False),
    "/no_think against a field": (
        {"question": f"{QUESTION} /no_think", "enable_thinking": True},
        True,
    ),
    "/think against a field": ({"question": f"{QUESTION} /think", "enable_thinking": False}, False),
}

pytestmark = [
    pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"]),
    pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES),
]


@pytest.mark.parametrize(("request_says", "thinks"), CONTROLS.values(), ids=CONTROLS)
def test_control(
    server: Server, surface: Any, streamed: bool, request_says: dict[str, Any], thinks: bool
):
    reply = ask(server, surface, streamed, **request_says)
    assert reply.content == ANSWER  # with nothing before it
    assert reply.finish == surface.finished
    if thinks:
        assert set(reply.thinking) == set(surface.names)
        assert len(set(reply.thinking.values())) == 1
        assert "7.8 > 7.11" in reply.thinking[surface.names[0]]
        assert reply.thinking_tokens > 10
    else:
        assert not any(reply.thinking.values())
        assert reply.thinking_tokens == 0


@pytest.mark.parametrize("budget", [0, 5, 20])
@pytest.mark.parametrize("control", ["thinking_token_budget", "thinking.budget_tokens"])
def test_a_budget_cuts_the_thinking_and_the_model_still_answers(
    server: Server, surface: Any, streamed: bool, control: str, budget: int
):
    says = {"thinking_token_budget": budget}
    if control == "thinking.budget_tokens":
        says = {"thinking": {"type": "enabled", "budget_tokens": budget}}
    reply = ask(server, surface, streamed, "What is 347 * 86?", **says)
    assert reply.thinking_tokens <= budget + 2  # the tags themselves may count
    assert reply.content.endswith(".")
    assert reply.finish == surface.finished


def test_thinking_that_takes_all_tokens_leaves_no_answer(
    server: Server, surface: Any, streamed: bool
):
    reply = ask(server, surface, streamed, "What is 347 * 86?", **{surface.limit: 8})
    assert reply.content == ""
    assert reply.thinking[surface.names[0]].strip()
    assert reply.finish == surface.cut


ADAPTIVE: dict[str, dict[str, Any]] = {
    "thinking adaptive": {"thinking": {"type": "adaptive"}},
    "an effort with it": {"model": f"{MODEL}:auto", "reasoning_effort": "high"},
    "/no_think against it": {"thinking": {"type": "adaptive"}, "question": f"{HARD} /no_think"},
}


@pytest.mark.parametrize("request_says", ADAPTIVE.values(), ids=ADAPTIVE)
def test_a_model_that_is_left_the_choice_thinks_where_it_is_in_doubt(
    server: Server, surface: Any, streamed: bool, request_says: dict[str, Any]
):
    reply = ask(server, surface, streamed, **{"question": HARD, **request_says})
    assert reply.content == "347 * 86 = 29842."
    assert reply.finish == surface.finished
    assert "347" in reply.thinking[surface.names[0]]
    assert reply.decided.startswith("thought;")


def test_it_is_sure_and_answers_at_once(server: Server, surface: Any, streamed: bool):
    reply = ask(server, surface, streamed, thinking={"type": "adaptive"})
    assert (reply.content, reply.thinking_tokens) == (ANSWER, 0)
    assert reply.decided.startswith("answered;")


CONFLICTS = {
    "adaptive and off": (
        {"thinking": {"type": "adaptive"}, "enable_thinking": False},
        ("thinking.type", "enable_thinking"),
    ),
    "adaptive and an effort of none": (
        {"model": f"{MODEL}:auto", "reasoning_effort": "none"},
        ("model", "reasoning_effort"),
    ),
    "two fields": (
        {"reasoning_effort": "none", "enable_thinking": True},
        ("reasoning_effort", "enable_thinking"),
    ),
    "a field and a name": (
        {"model": f"{MODEL}:think", "thinking": {"type": "disabled"}},
        ("model", "thinking.type"),
    ),
    "two budgets": (
        {"thinking_token_budget": 5, "thinking": {"type": "enabled", "budget_tokens": 6}},
        ("thinking_token_budget", "thinking.budget_tokens"),
    ),
}


@pytest.mark.parametrize(("request_says", "fields"), CONFLICTS.values(), ids=CONFLICTS)
def test_two_controls_that_disagree_are_a_400_that_names_both(
    server: Server,
    surface: Any,
    streamed: bool,
    request_says: dict[str, Any],
    fields: tuple[str, str],
):
    body = {"model": MODEL, "stream": streamed, **surface.body(QUESTION, streamed), **request_says}
    response = server.send(surface.path, json=body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error.get("code", "conflicting_parameters") == "conflicting_parameters"
    assert all(field in error["message"] for field in fields)


@pytest.mark.parametrize("field", ["enable_thinking", "thinking", "reasoning_effort"])
def test_a_control_that_means_nothing_is_a_400(
    server: Server, surface: Any, streamed: bool, field: str
):
    body = {"model": MODEL, "stream": streamed, **surface.body(QUESTION, streamed), field: "yes"}
    response = server.send(surface.path, json=body)
    assert response.status_code == 400
    assert names(response.json()["error"], field)


def test_a_bad_request_is_a_400_that_names_its_field(server: Server, surface: Any, streamed: bool):
    body = {"model": MODEL, "stream": streamed, **surface.body(QUESTION, streamed)}
    body[surface.bad_request] = 5
    response = server.send(surface.path, json=body)
    assert response.status_code == 400
    assert names(response.json()["error"], surface.bad_request)


def test_earlier_thinking_may_be_sent_back(server: Server, surface: Any, streamed: bool):
    """In each surface's own shape; chat takes it under either name."""
    first, last = {"role": "user", "content": "Hello"}, {"role": "user", "content": QUESTION}
    said: list[list[dict[str, Any]]]
    if surface.path.endswith("/responses"):
        text = {"type": "output_text", "text": "Hello!", "annotations": []}
        thought = {"type": "reasoning_text", "text": "Hm."}
        said = [
            [
                {"type": "reasoning", "id": "rs_1", "summary": [], "content": [thought]},
                {
                    "type": "message",
                    "id": "msg_1",
                    "role": "assistant",
                    "status": "completed",
                    "content": [text],
                },
            ]
        ]
    elif surface.path.endswith("/messages"):
        blocks = [
            {"type": "thinking", "thinking": "Hm.", "signature": "x"},
            {"type": "text", "text": "Hello!"},
        ]
        said = [[{"role": "assistant", "content": blocks}]]
    else:
        names = ("reasoning", "reasoning_content")
        said = [[{"role": "assistant", "content": "Hello!", name: "Hm."}] for name in names]
    field = surface.bad_request
    for turn in said:
        reply = ask(server, surface, streamed, **{field: [first, *turn, last]})
        assert reply.content == ANSWER
