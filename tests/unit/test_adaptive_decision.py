"""The third mode of the one decision: a request that leaves it to the model whether it thinks."""

from typing import Any

import pytest

from app.edge.errors import Refusal
from app.thinking.controls import readable
from app.thinking.decision import Decision, decide, decide_plain
from app.thinking.fixed import Thinking

# Each way to ask for it: the request, and the ending of its model's name
WAYS: dict[str, tuple[dict[str, Any], Any]] = {
    "thinking": ({"thinking": {"type": "adaptive"}}, None),
    "reasoning_effort": ({"reasoning_effort": "auto"}, None),
    "reasoning": ({"reasoning": {"effort": "auto"}}, None),
    "output_config": ({"output_config": {"effort": "auto"}}, None),
    "the name": ({"model": "m:auto"}, "adaptive"),
}
DEFAULT = Thinking(default="adaptive")
SAMPLING = {"thinking": {"temperature": 0.6}, "nonThinking": {"temperature": 0.7, "top_p": 0.8}}


def says(text: str = "2 + 2?", **request: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **request}


def decided(thinking: Thinking, ending: Any = None, /, **request: Any) -> tuple[Decision, Any]:
    return decide(says(**request), thinking, ending)


def modes(decision: Decision, told: dict[str, Any]) -> list[bool | None]:
    """Return the modes that the engine is asked in, one after the other."""
    asked = [told] if decision.draft is None else [decision.draft, told]
    return [each["chat_template_kwargs"]["enable_thinking"] for each in asked]


@pytest.mark.parametrize(("request_says", "ending"), WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("default", [True, False, "adaptive"])
def test_each_way_asks_without_thinking_first(
    request_says: dict[str, Any], ending: Any, default: Any
) -> None:
    decision, told = decided(Thinking(default=default), ending, **request_says)
    assert modes(decision, told) == [False, True]
    assert decision.thinks


def test_the_operators_default_may_be_adaptive() -> None:
    assert modes(*decided(DEFAULT)) == [False, True]
    assert modes(*decided(DEFAULT, enable_thinking=True)) == [True]
    assert modes(*decided(DEFAULT, enable_thinking=False)) == [False]
    assert modes(*decided(DEFAULT, reasoning_effort="low")) == [True]
    assert modes(*decide(says("2 + 2? /no_think"), DEFAULT)) == [False]
    assert modes(*decide(says("2 + 2? /think"), DEFAULT)) == [True]


def test_a_switch_in_the_messages_does_not_count_against_it() -> None:
    request = says("2 + 2? /no_think", thinking={"type": "adaptive"})
    decision, told = decide(request, Thinking())
    assert modes(decision, told) == [False, True]
    assert request["messages"] == told["messages"] == [{"role": "user", "content": "2 + 2? "}]


def test_what_is_named_with_it_is_for_the_thinking() -> None:
    thinking = Thinking(efforts={"low": 7}, max_budget=90)
    asks = {"thinking": {"type": "adaptive"}}
    for named, budget in (
        ({"reasoning_effort": "low"}, 7),
        ({"output_config": {"effort": "low"}}, 7),
        ({"thinking_token_budget": 5}, 5),
        ({"thinking": {"type": "adaptive", "budget_tokens": 6}}, 6),
        ({}, 90),
    ):
        decision, told = decided(thinking, **{**asks, **named})
        assert decision.budget == told["thinking_token_budget"] == budget
        assert decision.draft and decision.draft["thinking_token_budget"] == 90  # the cap


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"enable_thinking": True}, "enable_thinking"),
        ({"enable_thinking": False}, "enable_thinking"),
        ({"reasoning_effort": "none"}, "reasoning_effort"),
    ],
)
def test_it_is_a_mode_like_the_others_and_no_two_may_be_named(
    other: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        decided(Thinking(), thinking={"type": "adaptive"}, **other)
    message = refusal.value.error["error"]["message"]
    assert refusal.value.code == "conflicting_parameters"
    assert field in message and "thinking.type" in message


@pytest.mark.parametrize("default", [True, False])
def test_who_leaves_it_to_the_server_takes_what_the_operator_has_fixed(default: bool) -> None:
    for request_says, ending in WAYS.values():
        decision, told = decided(Thinking(default=default, override=False), ending, **request_says)
        assert modes(decision, told) == [default]
        assert decision.draft is None


def test_it_can_be_fixed() -> None:
    fixed = Thinking(default="adaptive", override=False)
    assert modes(*decided(fixed, reasoning_effort="high")) == [False, True]
    for asks, way_out in (
        ({"enable_thinking": True}, "leave it out."),
        ({"reasoning_effort": "none"}, "leave it out."),
        ({"thinking": {"type": "enabled"}}, "leave it out."),
    ):
        with pytest.raises(Refusal) as refusal:
            decided(fixed, **asks)
        message = refusal.value.error["error"]["message"]
        assert "has fixed thinking to adaptive" in message and message.endswith(way_out)


def test_an_answer_that_is_begun_is_not_thought_about() -> None:
    begun = {"continue_final_message": True, "add_generation_prompt": False}
    assert modes(*decided(DEFAULT, **begun)) == [False]
    assert modes(*decided(Thinking(), thinking={"type": "adaptive"}, **begun)) == [False]


def test_without_a_threshold_there_are_no_drafts() -> None:
    thinking = Thinking(threshold=None, keys={"own": {"threshold": 0.5}})
    assert modes(*decided(thinking, thinking={"type": "adaptive"})) == [True]
    own = thinking.for_key("own")
    assert modes(*decided(own, thinking={"type": "adaptive"})) == [False, True]


def test_each_has_the_sampling_and_the_lane_of_its_mode() -> None:
    thinking = Thinking(default="adaptive", sampling=SAMPLING, patience=30)
    decision, told = decided(thinking)
    assert decision.draft is not None
    assert (told["temperature"], decision.draft["temperature"]) == (0.6, 0.7)
    assert "top_p" not in told and decision.draft["top_p"] == 0.8
    assert 29_900 < told["priority"] - decision.draft["priority"] < 30_100
    decision, told = decided(thinking, temperature=0)
    assert decision.draft is not None
    assert "temperature" not in told and "temperature" not in decision.draft


def test_the_engines_own_models_see_no_effort_that_they_do_not_know() -> None:
    asks = {"reasoning_effort": "auto", "reasoning": {"effort": "auto", "summary": "auto"}}
    assert readable(says(**asks)) == says(reasoning={"summary": "auto"})
    assert asks["reasoning_effort"] == "auto"
    assert readable(says(reasoning_effort="low")) == says(reasoning_effort="low")


def test_a_plain_completion_has_no_such_mode() -> None:
    with pytest.raises(Refusal, match="no thinking mode"):
        decide_plain({"prompt": "a", "thinking": {"type": "adaptive"}}, Thinking())
    decide_plain({"prompt": "a"}, DEFAULT)
