"""The one decision on a request's thinking: which control counts, what is refused, what is told."""

import itertools
import json
import time
from typing import Any

import pytest

from app.edge.errors import Refusal
from app.thinking.controls import switch
from app.thinking.decision import Decision, decide, decide_plain
from app.thinking.fixed import Thinking

# Each way to ask for a mode, by its field: (on, off)
CONTROLS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "chat_template_kwargs.enable_thinking": (
        {"chat_template_kwargs": {"enable_thinking": True}},
        {"chat_template_kwargs": {"enable_thinking": False}},
    ),
    "enable_thinking": ({"enable_thinking": True}, {"enable_thinking": False}),
    "reasoning_effort": ({"reasoning_effort": "low"}, {"reasoning_effort": "none"}),
    "reasoning.effort": ({"reasoning": {"effort": "low"}}, {"reasoning": {"effort": "none"}}),
    "thinking.type": ({"thinking": {"type": "enabled"}}, {"thinking": {"type": "disabled"}}),
    "model": ({"model": "m:think"}, {"model": "m:no-think"}),
}
FIXED_ON = Thinking(override=False)
FIXED_OFF = Thinking(default=False, override=False)


def says(text: str = "2 + 2?", **request: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **request}


def decided(thinking: Thinking, request: dict[str, Any]) -> tuple[Decision, dict[str, Any]]:
    """Decide, with the ending of the model's name read as the policy reads it."""
    ending = {"m:think": True, "m:no-think": False}.get(request.get("model", ""))
    return decide(request, thinking, ending)


def refused(thinking: Thinking, request: dict[str, Any]) -> dict[str, Any]:
    """Return the error of a request that is refused; it must name its field and say what to do."""
    with pytest.raises(Refusal) as refusal:
        decided(thinking, request)
    error: dict[str, Any] = refusal.value.error["error"]
    assert error["param"] in error["message"]
    assert error["code"] == refusal.value.code
    return {**error, "status": refusal.value.status}


each_control = pytest.mark.parametrize("field", CONTROLS)
each_mode = pytest.mark.parametrize("on", [True, False], ids=["on", "off"])


@each_control
@each_mode
@pytest.mark.parametrize("default", [True, False])
def test_every_control_decides_and_the_engine_is_told(field: str, on: bool, default: bool) -> None:
    request = says(**CONTROLS[field][0 if on else 1])
    decision, added = decided(Thinking(default=default), request)
    assert decision.thinks is on
    assert added["chat_template_kwargs"]["enable_thinking"] is on


@pytest.mark.parametrize("pair", list(itertools.permutations(CONTROLS, 2)), ids=" and ".join)
def test_two_controls_that_disagree_are_refused_and_both_named(pair: tuple[str, str]) -> None:
    first, second = pair
    request = says(**CONTROLS[first][0]) | CONTROLS[second][1]
    if "model" in pair:
        request["model"] = CONTROLS["model"][0 if first == "model" else 1]["model"]
    if {first, second} == {"reasoning_effort", "reasoning.effort"}:
        request |= CONTROLS[first][0]
    error = refused(Thinking(), request)
    assert error["code"] == "conflicting_parameters" and error["status"] == 400
    assert first in error["message"] and second in error["message"]


@pytest.mark.parametrize("pair", list(itertools.combinations(CONTROLS, 2)), ids=" and ".join)
@each_mode
def test_two_controls_that_agree_are_one(pair: tuple[str, str], on: bool) -> None:
    request = says() | CONTROLS[pair[0]][0 if on else 1] | CONTROLS[pair[1]][0 if on else 1]
    assert decided(Thinking(default=not on), request)[0].thinks is on


@each_control
@each_mode
@pytest.mark.parametrize("of_key", [False, True], ids=["model", "key"])
def test_against_what_is_fixed_every_control_is_refused(field: str, on: bool, of_key: bool) -> None:
    thinking = Thinking(default=not on, override=False, of_key=of_key)
    error = refused(thinking, says(**CONTROLS[field][0 if on else 1]))
    assert error["param"] == field
    assert error["status"] == (403 if of_key else 400)
    assert ("this API key" in error["message"]) is of_key
    decision, added = decided(thinking, says(**CONTROLS[field][1 if on else 0]))
    assert decision.thinks is not on
    assert added["chat_template_kwargs"] == {"enable_thinking": not on}


@pytest.mark.parametrize(
    ("thinking", "request_says", "way_out"),
    [
        (FIXED_OFF, {"enable_thinking": True}, "leave it out or set it to false."),
        (FIXED_ON, {"enable_thinking": False}, "leave it out or set it to true."),
        (FIXED_OFF, {"reasoning_effort": "high"}, 'leave it out or set it to "none".'),
        (FIXED_ON, {"reasoning_effort": "none"}, "leave it out."),
        (FIXED_OFF, {"thinking": {"type": "enabled"}}, 'leave it out or set it to "disabled".'),
        (FIXED_OFF, {"model": "m:think"}, "use the model's name without it."),
    ],
)
def test_a_refusal_says_what_to_do(
    thinking: Thinking, request_says: dict[str, Any], way_out: str
) -> None:
    assert refused(thinking, says(**request_says))["message"].endswith(f"for this model; {way_out}")


def test_adaptive_thinking_is_no_choice_of_a_mode() -> None:
    for thinking in (FIXED_ON, FIXED_OFF):
        assert decided(thinking, says(thinking={"type": "adaptive"}))[0].thinks is thinking.default


# /think and /no_think


@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Hi /think"], True),
        (["Hi /no_think"], False),
        (["/no_think Hi"], False),
        (["Hi\n/no_think\n"], False),
        (["Hi /no_think."], False),
        (["/think /no_think"], False),
        (["Hi /no_think", "And now? /think"], True),
        (["Hi /think", "And now? /no_think"], False),
        (["Hi /no_think", "And now?"], False),
        (["Hi"], None),
        (["see a/think, /thinking, /no_think/x, //think and /think-tank"], None),
    ],
)
def test_the_last_switch_of_the_messages_counts(
    texts: list[str], expected: bool | None, default: bool
) -> None:
    messages = [{"role": "user", "content": text} for text in texts]
    before = json.dumps(messages)
    decision, added = decide({"messages": messages}, Thinking(default=default))
    assert decision.thinks is (default if expected is None else expected)
    assert json.dumps(messages) == before and "messages" not in added


@pytest.mark.parametrize(
    "request_says",
    [
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi /no_think"}]}]},
        {
            "messages": [
                {"role": "system", "content": "/no_think"},
                {"role": "user", "content": "?"},
            ]
        },
        {
            "messages": [
                {"role": "developer", "content": [{"type": "text", "text": "/no_think"}]},
                {"role": "user", "content": "?"},
            ]
        },
    ],
)
def test_a_switch_is_found_in_every_message_and_taken_out_where_another_control_decides(
    request_says: dict[str, Any],
) -> None:
    assert decide(json.loads(json.dumps(request_says)), Thinking())[0].thinks is False
    decision, added = decide({**request_says, "enable_thinking": True}, Thinking())
    assert decision.thinks is True
    assert switch({**request_says, **added}) is None
    assert "no_think" not in json.dumps({**request_says, **added})


def test_what_a_model_has_said_is_no_switch() -> None:
    messages = [
        {"role": "assistant", "content": "Say /no_think"},
        {"role": "tool", "content": "/no_think"},
    ]
    assert decide({"messages": messages}, Thinking())[0].thinks is True


def test_where_thinking_is_fixed_on_the_models_own_switch_is_taken_out_and_nothing_else() -> None:
    decision, added = decide(says("a  b /no_think c", x=1), FIXED_ON)
    assert decision.thinks is True
    assert added["messages"] == [{"role": "user", "content": "a  b  c"}]
    decision, added = decide(says("a /think"), FIXED_OFF)
    assert decision.thinks is False and "messages" not in added


# An answer that the client has begun

# (the API, the field that an error names): the chat completion says so alike for all
BEGUN = [
    ("chat_completions", "continue_final_message"),
    ("messages", "messages"),
    ("responses", "input"),
]


@pytest.mark.parametrize(("surface", "field"), BEGUN)
def test_nothing_is_thought_before_an_answer_that_is_begun(surface: str, field: str) -> None:
    """vLLM's parser would take all of what follows for thinking."""
    begun = says(continue_final_message=True)
    assert decide(begun, Thinking(), surface=surface)[0].thinks is False
    for thinking, on in ((Thinking(), {"enable_thinking": True}), (FIXED_ON, {})):
        with pytest.raises(Refusal, match=field):
            decide({**begun, **on}, thinking, surface=surface)
    with pytest.raises(Refusal, match="let the model begin its answer itself"):
        decide(begun, FIXED_ON, surface=surface)


@pytest.mark.parametrize(
    ("thinking", "expected"),
    [
        (Thinking(), None),
        (Thinking(max_budget=9), 9),
        (FIXED_OFF, 0),
        (Thinking(default=False, override=False, counted=False), None),
    ],
)
def test_an_answer_that_begins_with_a_think_of_its_own_has_the_budget(
    thinking: Thinking, expected: int | None
) -> None:
    added = decided(thinking, says(continue_final_message=True))[1]
    assert added.get("thinking_token_budget") == expected


def test_a_history_is_no_beginning() -> None:
    messages = [*says()["messages"], {"role": "assistant", "content": "So"}]
    assert decide({"messages": messages}, Thinking())[0].thinks is True
    assert decide(says(continue_final_message=False), Thinking())[0].thinks is True


# Where thinking is fixed to off, or limited


def test_a_model_fixed_to_off_can_not_begin_to_think_by_any_means() -> None:
    """vLLM applies `bad_words` after logit_bias, allowed_token_ids and what a client has begun."""
    for words in ({}, {"bad_words": None}, {"bad_words": ["x"]}):
        for plain in (decide, decide_plain):
            added = plain({**says(), **words}, FIXED_OFF)[1]
            assert added["bad_words"] == [*(words.get("bad_words") or ()), "<think>"]
    for thinking in (Thinking(), FIXED_ON, Thinking(default=False), Thinking(max_budget=0)):
        assert "bad_words" not in decided(thinking, says())[1]


@pytest.mark.parametrize("field", ["ignore_eos", "min_tokens"])
def test_an_answer_has_an_end_where_thinking_is_limited(field: str) -> None:
    """After its end a model begins anew, with thinking."""
    for thinking in (FIXED_OFF, Thinking(max_budget=9)):
        assert refused(thinking, says(**{field: 1}))["param"] == field
        assert decided(thinking, says(**{field: 0}))
    assert decided(Thinking(), says(**{field: 1}))


@pytest.mark.parametrize("field", ["allowed_token_ids", "bad_words", "logit_bias"])
def test_no_token_is_forced_where_thinking_has_a_cap(field: str) -> None:
    """vLLM's budget is for each `<think>`, and a forced one can come again and again."""
    forced = {"bad_words": ["<|im_end|>"], "logit_bias": {"5": 100}, "allowed_token_ids": [5]}
    assert refused(Thinking(max_budget=9), says(**{field: forced[field]}))["param"] == field
    for thinking in (Thinking(), FIXED_OFF):
        assert decided(thinking, says(**{field: forced[field]}))


def test_tags_in_messages_are_written_apart_where_thinking_has_a_cap() -> None:
    """After a lone </think> a model may think with no <think>, from which alone vLLM counts."""
    text = "What is <think>x</think>?"
    messages = [
        {"role": "system", "content": text},
        {"role": "user", "content": [{"type": "text", "text": text}]},
        {"role": "tool", "content": text},
        {"role": "assistant", "content": text},
    ]
    copy = json.loads(json.dumps(messages))
    added = decide({"messages": copy}, Thinking(max_budget=9))[1]
    apart = "What is < think>x</ think>?"
    assert [message["content"] for message in added["messages"]] == [
        apart,
        [{"type": "text", "text": apart}],
        apart,
        text,
    ]
    assert "messages" not in decide({"messages": messages}, Thinking())[1]


# What means nothing


@pytest.mark.parametrize("field", ["chat_template_kwargs.enable_thinking", "enable_thinking"])
@pytest.mark.parametrize("value", [1, 0, "true", "false", [], {}])
def test_a_switch_that_is_no_boolean_is_refused(field: str, value: Any) -> None:
    """The template would take each for a yes."""
    head, _, tail = field.partition(".")
    error = refused(Thinking(), says(**{head: {tail: value} if tail else value}))
    assert error["param"] == field and "true or false" in error["message"]


@pytest.mark.parametrize("field", ["reasoning_effort", "reasoning.effort", "output_config.effort"])
@pytest.mark.parametrize("value", ["bogus", 5, True, [], "sk-not-to-be-echoed"])
def test_an_unknown_effort_is_refused(field: str, value: Any) -> None:
    head, _, tail = field.partition(".")
    error = refused(Thinking(), says(**{head: {tail: value} if tail else value}))
    assert error["param"] == field and "none, minimal, low" in error["message"]
    assert "sk-" not in error["message"]


@pytest.mark.parametrize(
    "value", ["enabled", True, {}, {"type": "on"}, {"type": []}, {"budget_tokens": 5}, []]
)
def test_an_unknown_kind_of_thinking_is_refused(value: Any) -> None:
    assert refused(Thinking(), says(thinking=value))["param"] == "thinking"


@pytest.mark.parametrize("value", ["5", 5.0, -1, True, []])
def test_a_budget_of_anthropics_that_is_no_number_is_refused(value: Any) -> None:
    thinking = {"type": "enabled", "budget_tokens": value}
    assert refused(Thinking(), says(thinking=thinking))["param"] == "thinking.budget_tokens"


@pytest.mark.parametrize("kwargs", ["enable_thinking", [["enable_thinking", True]], 1, True])
def test_template_arguments_of_a_wrong_type_are_left_to_the_engine(kwargs: Any) -> None:
    assert "chat_template_kwargs" not in decided(FIXED_OFF, says(chat_template_kwargs=kwargs))[1]


@pytest.mark.parametrize("value", [None, {}, {"effort": None}, {"summary": "auto"}])
def test_what_says_nothing_of_a_mode_is_no_control(value: Any) -> None:
    for field in ("reasoning", "output_config", "chat_template_kwargs"):
        assert decided(Thinking(default=False), says(**{field: value}))[0].thinks is False


# Budgets


EFFORT_BUDGETS = {"low": 3, "medium": 6, "high": None}


@pytest.mark.parametrize(
    ("budget", "limit", "asked", "expected"),
    [
        (None, None, {}, None),
        (5, None, {}, 5),
        (0, None, {}, 0),
        (5, 9, {}, 5),
        (None, 9, {}, 9),
        (5, None, {"thinking_token_budget": 100}, 100),
        (5, None, {"thinking_token_budget": -1}, None),  # no limit, for which vLLM has no number
        (5, 9, {"thinking_token_budget": 9}, 9),
        (5, 9, {"thinking_token_budget": 0}, 0),
        (5, 9, {"thinking_token_budget": None}, 5),
        (5, 9, {"thinking": {"type": "enabled", "budget_tokens": 7}}, 7),
        (5, 9, {"thinking": {"type": "enabled"}}, 5),
        (5, 9, {"reasoning_effort": "low"}, 3),
        (5, 9, {"reasoning_effort": "minimal"}, 5),  # not in the table
        (5, 9, {"reasoning_effort": "high"}, 9),
        (5, None, {"reasoning_effort": "high"}, None),
        (5, None, {"reasoning": {"effort": "medium"}}, 6),
        (5, None, {"output_config": {"effort": "low"}}, 3),
        (5, 9, {"reasoning_effort": "low", "thinking_token_budget": 8}, 8),
        (5, 9, {"reasoning_effort": "low", "reasoning": {"effort": "low"}}, 3),
    ],
)
def test_budgets(
    budget: int | None, limit: int | None, asked: dict[str, Any], expected: int | None
) -> None:
    thinking = Thinking(budget=budget, max_budget=limit, efforts=EFFORT_BUDGETS)
    decision, added = decided(thinking, says(**asked))
    assert added.get("thinking_token_budget") == expected
    assert decision.budget == expected
    off = asked | {"chat_template_kwargs": {"enable_thinking": False}}
    if not {"reasoning_effort", "reasoning", "output_config", "thinking"} & set(asked):
        # The prompt has closed the thinking; the cap holds for any that comes all the same.
        assert decided(thinking, says(**off))[1].get("thinking_token_budget") == limit


@pytest.mark.parametrize("asked", [10, 10**4000, -1])
@pytest.mark.parametrize("of_key", [False, True])
def test_more_than_the_limit_is_refused(asked: int, of_key: bool) -> None:
    thinking = Thinking(budget=5, max_budget=9, of_key=of_key)
    error = refused(thinking, says(thinking_token_budget=asked))
    assert error["param"] == "thinking_token_budget" and "operator" in error["message"]
    assert str(asked)[:20] in error["message"] and "9 tokens" in error["message"]
    assert error["status"] == (403 if of_key else 400) and len(error["message"]) < 200
    off = says(thinking_token_budget=asked, enable_thinking=False)
    assert refused(thinking, off)["message"] == error["message"]


def test_more_than_the_limit_is_refused_under_anthropics_name() -> None:
    error = refused(Thinking(max_budget=9), says(thinking={"type": "enabled", "budget_tokens": 10}))
    assert error["param"] == "thinking.budget_tokens"


@pytest.mark.parametrize(
    "pair",
    [
        {"thinking_token_budget": 5, "thinking": {"type": "enabled", "budget_tokens": 6}},
        {"reasoning_effort": "low", "reasoning": {"effort": "high"}},
        {"reasoning_effort": "low", "output_config": {"effort": "high"}},
    ],
)
def test_two_budgets_are_refused(pair: dict[str, Any]) -> None:
    error = refused(Thinking(), says(**pair))
    assert error["code"] == "conflicting_parameters"
    assert all(field in error["message"] for field in pair)


@pytest.mark.parametrize("asked", ["10", 10.0, 10.5, True, [], {}, -2])
def test_a_budget_of_a_wrong_type_is_left_to_the_engine(asked: Any) -> None:
    """vLLM refuses each of them itself, so it must still be there."""
    added = decided(Thinking(), says(thinking_token_budget=asked))[1]
    assert "thinking_token_budget" not in added


# Keys


def test_a_key_has_what_is_otherwise_for_it() -> None:
    never = {"default": False, "override": False}
    thinking = Thinking(max_budget=9, keys={"batch": never, "trial": {"max_budget": 4}})
    assert decided(thinking.for_key("alice"), says())[0] == Decision(True, 9)
    assert decided(thinking.for_key("trial"), says())[0] == Decision(True, 4)
    assert decided(thinking.for_key("batch"), says("Hi /think"))[0] == Decision(False)
    assert decided(thinking.for_key(None), says())[0] == Decision(True, 9)
    error = refused(thinking.for_key("batch"), says(reasoning_effort="low"))
    assert (error["status"], error["type"]) == (403, "permission_error")
    assert refused(thinking.for_key("trial"), says(thinking_token_budget=5))["status"] == 403


# Sampling


def test_each_mode_has_its_own_sampling_unless_a_request_says_otherwise() -> None:
    on, off = {"temperature": 0.6, "top_k": 20}, {"temperature": 0.7}
    thinking = Thinking(sampling={"thinking": on, "nonThinking": off})
    for says_what, expected in (
        ({}, on),
        ({"enable_thinking": False}, off),
        ({"temperature": 0, "top_k": None}, {"top_k": 20}),
        ({"temperature": 0, "enable_thinking": False}, {}),
    ):
        added = decided(thinking, says(**says_what))[1]
        assert {k: v for k, v in added.items() if k in on} == expected


# Lanes


def test_the_lane_is_a_time_that_a_request_may_wait_for() -> None:
    lanes = Thinking(patience=30)
    now = time.time() * 1000
    quick = decided(lanes, says(enable_thinking=False))[1]["priority"]
    thinks = decided(lanes, says())[1]["priority"]
    assert now - 1 <= quick <= now + 5000
    assert 29_000 <= thinks - quick <= 35_000
    assert "priority" not in decided(Thinking(), says())[1]


@pytest.mark.parametrize("own", [-1, 1, 10**9, "first"])
def test_with_lanes_a_request_has_no_priority_of_its_own(own: Any) -> None:
    assert refused(Thinking(patience=30), says(priority=own))["param"] == "priority"
    assert "priority" not in decided(Thinking(), says(priority=own))[1]


# Plain completions


def test_a_plain_completion_has_no_mode() -> None:
    for field, (on, off) in CONTROLS.items():
        for asked in (on, off):
            ending = True if field == "model" else None
            with pytest.raises(Refusal) as refusal:
                decide_plain({"model": "m", "prompt": "x", **asked}, Thinking(), ending)
            assert refusal.value.error["error"]["param"] == field


@pytest.mark.parametrize(
    ("thinking", "asked", "expected"),
    [
        (Thinking(), None, None),
        (Thinking(max_budget=9), None, 9),
        (Thinking(max_budget=9), 5, 5),
        (FIXED_OFF, None, 0),
        (FIXED_OFF, 5, 0),
        (Thinking(default=False, override=False, counted=False), None, None),
    ],
)
def test_what_it_thinks_of_its_own_has_the_budget(
    thinking: Thinking, asked: int | None, expected: int | None
) -> None:
    request = {"model": "m", "prompt": "<think>", "thinking_token_budget": asked}
    decision, added = decide_plain(request, thinking, None)
    assert added.get("thinking_token_budget") == expected and not decision.thinks
