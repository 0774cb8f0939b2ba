"""A model's own terms: whatever a client says, its engine is told in those of its family."""

from typing import Any

import pytest

from app.edge.errors import Refusal
from app.thinking.decision import decide
from app.thinking.fixed import Thinking, dumped, loaded
from app.thinking.native import Native
from app.thinking.values import apply, parse

QWEN3 = Native()
DEEPSEEK = Native(argument="thinking", switches=False)
GPT_OSS = Native(
    "always", argument="", efforts=("low", "medium", "high"), switches=False, budget="none", tags=()
)
MISTRAL = Native(
    argument="reasoning_effort",
    enabled="high",
    disabled="none",
    efforts=("high",),
    switches=False,
    tags=("[THINK]", "[/THINK]"),
)
HUNYUAN = Native(
    argument="reasoning_effort",
    enabled="high",
    disabled="no_think",
    efforts=("low", "high"),
    switches=False,
)
MINIMAX = Native(argument="thinking_mode", enabled="enabled", disabled="disabled", switches=False)
SEED = Native(
    argument="thinking_budget",
    enabled=-1,
    disabled=0,
    budget="thinking_budget",
    switches=False,
    tags=("<seed:think>", "</seed:think>"),
)
INSTRUCT = Native("never", argument="", switches=False, budget="none", tags=())

# What its engine is told: (on, off)
TOLD: dict[str, tuple[Native, dict[str, Any], dict[str, Any]]] = {
    "qwen3": (
        QWEN3,
        {"chat_template_kwargs": {"enable_thinking": True}},
        {"chat_template_kwargs": {"enable_thinking": False}},
    ),
    "deepseek": (
        DEEPSEEK,
        {"chat_template_kwargs": {"thinking": True, "enable_thinking": True}},
        {"chat_template_kwargs": {"thinking": False, "enable_thinking": False}},
    ),
    "mistral": (MISTRAL, {"reasoning_effort": "high"}, {"reasoning_effort": "none"}),
    "hunyuan": (
        HUNYUAN,
        {"reasoning_effort": "high"},
        {"chat_template_kwargs": {"reasoning_effort": "no_think"}},
    ),
    "minimax": (
        MINIMAX,
        {"chat_template_kwargs": {"thinking_mode": "enabled", "enable_thinking": True}},
        {"chat_template_kwargs": {"thinking_mode": "disabled", "enable_thinking": False}},
    ),
    "seed": (
        SEED,
        {"chat_template_kwargs": {"thinking_budget": -1, "enable_thinking": True}},
        {"chat_template_kwargs": {"thinking_budget": 0, "enable_thinking": False}},
    ),
}
# What clients say, written for any of these families: (on, off)
SAID: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "vllm": (
        {"chat_template_kwargs": {"enable_thinking": True}},
        {"chat_template_kwargs": {"enable_thinking": False}},
    ),
    "deepseek": (
        {"chat_template_kwargs": {"thinking": True}},
        {"chat_template_kwargs": {"thinking": False}},
    ),
    "field": ({"enable_thinking": True}, {"enable_thinking": False}),
    "effort": ({"reasoning_effort": "high"}, {"reasoning_effort": "none"}),
    "template's effort": (
        {"chat_template_kwargs": {"reasoning_effort": "high"}},
        {"chat_template_kwargs": {"reasoning_effort": "none"}},
    ),
    "anthropic": ({"thinking": {"type": "enabled"}}, {"thinking": {"type": "disabled"}}),
}
each_mode = pytest.mark.parametrize("on", [True, False], ids=["on", "off"])


def asked(text: str = "2 + 2?", **request: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **request}


def engine_gets(thinking: Thinking, request: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that say something of thinking, as the engine reads them."""
    _, added = decide(request, thinking)
    fields = {**request, **added}
    known = ("chat_template_kwargs", "reasoning_effort", "thinking_token_budget")
    return {name: fields[name] for name in known if fields.get(name)}


@pytest.mark.parametrize("family", TOLD)
@pytest.mark.parametrize("way", SAID)
@each_mode
def test_every_way_to_ask_is_told_in_the_models_own_terms(family: str, way: str, on: bool) -> None:
    native, *told = TOLD[family]
    thinking = Thinking(default=not on, native=native)
    request = asked(**SAID[way][0 if on else 1])
    assert decide(request, thinking)[0].thinks is on
    assert engine_gets(thinking, request) == told[0 if on else 1]


@pytest.mark.parametrize("family", TOLD)
@each_mode
def test_its_own_words_are_a_control_too(family: str, on: bool) -> None:
    native, *told = TOLD[family]
    thinking = Thinking(default=not on, native=native)
    request = asked(**told[0 if on else 1])
    assert decide(request, thinking)[0].thinks is on
    assert engine_gets(thinking, request) == told[0 if on else 1]


@pytest.mark.parametrize("family", TOLD)
@pytest.mark.parametrize("way", SAID)
def test_against_a_fixed_mode_no_other_familys_words_help(family: str, way: str) -> None:
    native, _, off = TOLD[family]
    fixed = Thinking(default=False, override=False, native=native)
    with pytest.raises(Refusal, match="has fixed thinking to off"):
        decide(asked(**SAID[way][0]), fixed)
    assert engine_gets(fixed, asked()).get("chat_template_kwargs") == off.get(
        "chat_template_kwargs"
    )


def test_a_template_keeps_the_arguments_that_are_no_control() -> None:
    request = asked(chat_template_kwargs={"enable_thinking": True, "persona": "pirate"})
    told = engine_gets(Thinking(native=DEEPSEEK), request)
    told["chat_template_kwargs"].pop("enable_thinking")
    assert told == {"chat_template_kwargs": {"persona": "pirate", "thinking": True}}


@pytest.mark.parametrize(
    ("native", "asks", "gets"),
    [
        (GPT_OSS, "minimal", "low"),
        (GPT_OSS, "medium", "medium"),
        (GPT_OSS, "max", "high"),
        (GPT_OSS, None, None),
        (HUNYUAN, "medium", "low"),
        (HUNYUAN, None, "high"),
        (MISTRAL, "low", "high"),
        (Native(argument="thinking", efforts=("high", "max")), "xhigh", "high"),
        (QWEN3, "high", None),
    ],
)
def test_an_effort_is_the_nearest_that_the_model_knows_and_no_more_where_it_can(
    native: Native, asks: str | None, gets: str | None
) -> None:
    request = asked(**({"reasoning_effort": asks} if asks else {}))
    thinking = Thinking(native=native, override=native.modes == "both")
    assert engine_gets(thinking, request).get("reasoning_effort") == gets


@pytest.mark.parametrize(
    ("native", "says", "param"),
    [
        (GPT_OSS, {"reasoning_effort": "none"}, "reasoning_effort"),
        (GPT_OSS, {"enable_thinking": False}, "enable_thinking"),
        (INSTRUCT, {"reasoning_effort": "low"}, "reasoning_effort"),
        (INSTRUCT, {"thinking": {"type": "enabled"}}, "thinking.type"),
        (INSTRUCT, {"thinking_token_budget": 9}, "thinking_token_budget"),
    ],
)
def test_what_a_model_cant_do_is_refused_with_the_reason(
    native: Native, says: dict[str, Any], param: str
) -> None:
    thinking = Thinking(default=native.modes == "always", override=False, native=native)
    with pytest.raises(Refusal) as refusal:
        decide(asked(**says), thinking)
    error = refusal.value.error["error"]
    assert error["param"] == param and refusal.value.status == 400
    assert f"this model {native.modes} thinks; leave it out" in error["message"]


def test_a_budget_that_nothing_holds_is_refused() -> None:
    thinking = Thinking(override=False, native=GPT_OSS)
    for budget in (
        {"thinking_token_budget": 9},
        {"thinking": {"type": "enabled", "budget_tokens": 9}},
    ):
        with pytest.raises(Refusal, match="nothing bounds this model's thinking; leave it out"):
            decide(asked(**budget), thinking)
    decide(asked(thinking_token_budget=-1), thinking)


def test_a_templates_own_budget_is_told_beside_the_engines() -> None:
    for says in (
        {"thinking_token_budget": 512},
        {"chat_template_kwargs": {"thinking_budget": 512}},
    ):
        told = engine_gets(Thinking(native=SEED), asked(**says))
        assert told == {
            "chat_template_kwargs": {"thinking_budget": 512, "enable_thinking": True},
            "thinking_token_budget": 512,
        }
    off = engine_gets(Thinking(native=SEED, budget=512), asked(enable_thinking=False))
    assert off["chat_template_kwargs"]["thinking_budget"] == 0


@pytest.mark.parametrize(
    ("text", "thinks", "left"),
    [("Hi /no_think", False, "Hi "), ("Hi /think", True, "Hi "), ("see /a/think", True, None)],
)
def test_a_switch_counts_on_every_model_and_one_that_doesnt_know_it_never_reads_it(
    text: str, thinks: bool, left: str | None
) -> None:
    request = asked(text)
    assert decide(request, Thinking(native=DEEPSEEK))[0].thinks is thinks
    assert request["messages"][0]["content"] == (text if left is None else left)


def test_a_switch_is_text_to_a_model_with_one_mode() -> None:
    for native in (GPT_OSS, INSTRUCT):
        request = asked("Hi /no_think /think")
        default = native.modes == "always"
        thinking = Thinking(default=default, override=False, native=native)
        assert decide(request, thinking)[0].thinks is default
        assert request["messages"][0]["content"] == "Hi /no_think /think"


def test_the_models_own_tags_are_kept_from_opening_the_thinking_anew() -> None:
    request = asked("a [THINK] b [/THINK] <think>")
    _, added = decide(request, Thinking(native=MISTRAL, max_budget=9))
    assert added["messages"][0]["content"] == "a [ THINK] b [/ THINK] <think>"
    _, added = decide(asked(), Thinking(default=False, override=False, native=MISTRAL))
    assert added["bad_words"] == ["[THINK]"]


def test_a_word_that_the_models_argument_hasnt_is_refused() -> None:
    request = asked(chat_template_kwargs={"thinking_mode": "deep"})
    with pytest.raises(Refusal, match='thinking_mode: must be "enabled" or "disabled"'):
        decide(request, Thinking(native=MINIMAX))


def values(**reasoning: Any) -> Thinking:
    given = parse({"m": reasoning}, ["m"])["m"]
    return apply(given, "m", {"reasoning_parser": "x"})


def test_the_values_of_a_serve_config_are_the_models_terms() -> None:
    native = {"argument": "thinking", "default": False, "efforts": ["high", "max"]}
    thinking = values(native=native)
    assert thinking.default is False and thinking.native.argument == "thinking"
    assert loaded(dumped({"m": thinking})) == {"m": thinking}


@pytest.mark.parametrize(
    ("native", "told"),
    [
        ({}, {"reasoning_start_str": "<think>", "reasoning_end_str": "</think>"}),
        ({"tags": ["[T]", "[/T]"]}, {"reasoning_start_str": "[T]", "reasoning_end_str": "[/T]"}),
        ({"tags": []}, None),
        ({"budget": "none"}, None),
    ],
)
def test_the_engine_counts_between_the_models_tags(
    native: dict[str, Any], told: dict[str, str] | None
) -> None:
    """vLLM's parser of DeepSeek-V3.1 has none until a request says that it thinks."""
    engine: dict[str, Any] = {"reasoning_parser": "x"}
    apply(parse({"m": {"native": native}}, ["m"])["m"], "m", engine)
    assert engine.get("reasoning_config") == told


def test_off_is_the_engines_default_too_in_the_models_terms() -> None:
    engine: dict[str, Any] = {"reasoning_parser": "x"}
    given = parse({"m": {"thinkingDefault": False, "native": {"argument": "thinking"}}}, ["m"])["m"]
    apply(given, "m", engine)
    assert engine["default_chat_template_kwargs"] == {"thinking": False}


@pytest.mark.parametrize(
    ("reasoning", "message"),
    [
        ({"native": {"modes": "always"}, "thinkingDefault": False}, "this model always thinks"),
        ({"native": {"modes": "never"}, "thinkingDefault": True}, "this model never thinks"),
        ({"native": {"modes": "never"}, "keys": {"a": {"thinkingDefault": True}}}, "keys.a.think"),
        ({"native": {"budget": "none"}, "maxTokenBudget": 9}, "nothing bounds this model's"),
        ({"native": {"argument": ""}}, "must name what turns it on and off"),
        ({"native": {"efforts": ["huge"]}}, "native.efforts.0"),
        ({"native": {"on": True}}, "native.on: there is no such value; there are modes, argument"),
    ],
)
def test_what_the_model_cant_do_stops_the_start_with_a_line(
    reasoning: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as failure:
        values(**reasoning)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(("modes", "mode"), [("always", True), ("never", False)])
def test_a_model_with_one_mode_has_that_without_a_word(modes: str, mode: bool) -> None:
    thinking = values(native={"modes": modes})
    assert (thinking.default, thinking.override) == (mode, False)
