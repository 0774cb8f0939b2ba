"""The controls of the thinking do the same whichever model answers: families other than Qwen3.

Each is a tiny model of a real architecture, served by vLLM with the family's own parsers, that
writes what a script says (`tests/serve/tiny`). What is a family's own, a file of `families` has.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx
import pytest
import yaml

from .conftest import BOB, DAVE, KEY, MODEL, MODES, START_S, MakeRun, free_port
from .surfaces import SURFACES, Reply, ask
from .tiny.family import ANSWER, THOUGHT, Family, families_here
from .tiny.made import make
from .tiny.serving import application, nursery, served

FAMILIES = families_here()
# What the operator has fixed for the requests of a key, where the model has both modes
KEYS = {
    "bob": {"thinkingDefault": False, "allowOverride": False},
    "dave": {"thinkingDefault": True, "allowOverride": False},
}
QUESTION = "What is 6 times 7?"
WEATHER = {
    "name": "get_weather",
    "description": "Tell the weather.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Where."}},
        "required": ["city"],
    },
}
TOOLS = {"tools": [{"type": "function", "function": WEATHER}]}


@dataclass
class Tiny:
    """A tiny model that is being served."""

    name: str
    family: Family
    client: httpx.Client

    @property
    def native(self) -> dict[str, Any]:
        """How its family thinks, with what holds where that says nothing."""
        return {"efforts": [], "budget": "engine", "default": True, **self.family.native}

    def send(self, path: str, method: str = "POST", **arguments: Any) -> httpx.Response:
        """Send one request, with a key."""
        headers = {"authorization": f"Bearer {KEY}", **arguments.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **arguments)

    def ask(self, surface: Any, streamed: bool, question: str = QUESTION, **request: Any) -> Reply:
        """Ask it; whole where vLLM can't tell a stream of it apart."""
        streamed = streamed and self.family.streams
        return ask(self, surface, streamed, question, **request)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def born() -> Iterator[Popen[str]]:
    """Yield the process that is forked for each model."""
    with nursery() as process:
        yield process


@pytest.fixture(scope="module", params=FAMILIES)
def tiny(
    request: pytest.FixtureRequest, born: Popen[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tiny]:
    """Yield a served model of each family in turn."""
    family = FAMILIES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    values = {"keys": KEYS} if family.native["modes"] == "both" else {}
    model = served(born, family, MODEL, folder, values)
    with model as url, httpx.Client(base_url=url, timeout=60) as client:
        yield Tiny(request.param, family, client)


def of(modes: str) -> Callable[[Any], Any]:
    """Run a test for the families of these modes alone."""
    names = [name for name, family in FAMILIES.items() if family.native["modes"] in modes.split()]
    return pytest.mark.parametrize("tiny", names, indirect=True)


each_surface = pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)
each_way = pytest.mark.parametrize(
    ("surface", "streamed"),
    [(SURFACES["chat"], True), (SURFACES["responses"], False), (SURFACES["messages"], True)],
    ids=SURFACES,
)
streamed_or_not = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])

ON: dict[str, dict[str, Any]] = {
    "enable_thinking of the template": {"chat_template_kwargs": {"enable_thinking": True}},
    "thinking of the template": {"chat_template_kwargs": {"thinking": True}},
    "enable_thinking": {"enable_thinking": True},
    "reasoning_effort": {"reasoning_effort": "high"},
    "reasoning.effort": {"reasoning": {"effort": "high"}},
    "thinking": {"thinking": {"type": "enabled"}},
    "the name": {"model": f"{MODEL}:think"},
    "/think": {"question": f"{QUESTION} /think"},
}
OFF: dict[str, dict[str, Any]] = {
    "enable_thinking of the template": {"chat_template_kwargs": {"enable_thinking": False}},
    "thinking of the template": {"chat_template_kwargs": {"thinking": False}},
    "enable_thinking": {"enable_thinking": False},
    "reasoning_effort": {"reasoning_effort": "none"},
    "reasoning.effort": {"reasoning": {"effort": "none"}},
    "thinking": {"thinking": {"type": "disabled"}},
    "the name": {"model": f"{MODEL}:no-think"},
    "/no_think": {"question": f"{QUESTION} /no_think"},
}

# Of the other two APIs those that clients of theirs have: all become chat completions.
OTHERS = {"responses": ("reasoning.effort", "the name"), "messages": ("thinking", "the name")}


def ways(controls: dict[str, Any]) -> Callable[[Any], Any]:
    """Run a test for each control on Chat Completions, and for some on the other APIs."""
    chosen = [("chat", name) for name in controls]
    chosen += [(api, name) for api, names in OTHERS.items() for name in names]
    return pytest.mark.parametrize(
        ("surface", "streamed", "control"),
        [(SURFACES[api], api != "responses", controls[name]) for api, name in chosen],
        ids=[f"{api} {name}" for api, name in chosen],
    )


def thought(words: int) -> str:
    """Return that many words of what each model thinks."""
    return "".join(THOUGHT[:words]).strip()


def check(tiny: Tiny, surface: Any, reply: Reply, words: int) -> None:
    """Insist on the answer after so many words of thought, each told and counted as what it is."""
    assert reply.content.strip() == "".join(ANSWER).strip()
    assert reply.finish == surface.finished
    if not words:
        assert not any(reply.thinking.values())
        assert not reply.thinking_tokens
        return
    assert set(reply.thinking) == set(surface.names)
    assert {each.strip() for each in reply.thinking.values()} == {thought(words)}
    if tiny.family.counted:
        beside = 4  # tokens between a tag and the thought
        assert words <= reply.thinking_tokens <= words + beside


@streamed_or_not
@each_surface
def test_where_nothing_is_said_it_does_as_its_family_does(tiny: Tiny, surface: Any, streamed: bool):
    words = len(THOUGHT) if tiny.native["default"] else 0
    check(tiny, surface, tiny.ask(surface, streamed), words)


@of("both always")
@ways(ON)
def test_each_control_turns_it_on(
    tiny: Tiny, surface: Any, streamed: bool, control: dict[str, Any]
):
    check(tiny, surface, tiny.ask(surface, streamed, **control), len(THOUGHT))


@of("both")
@ways(OFF)
def test_each_control_turns_it_off(
    tiny: Tiny, surface: Any, streamed: bool, control: dict[str, Any]
):
    check(tiny, surface, tiny.ask(surface, streamed, **control), 0)


@of("both always")
@each_way
def test_a_budget_cuts_the_thinking_and_the_model_still_answers(
    tiny: Tiny, surface: Any, streamed: bool
):
    says = {"thinking": {"type": "enabled", "budget_tokens": 4}}
    if tiny.native["budget"] == "none":
        response = tiny.send(
            surface.path, json={"model": MODEL, **surface.body("Hi", False), **says}
        )
        assert response.status_code == 400
        assert "nothing bounds" in response.json()["error"]["message"]
        return
    reply = tiny.ask(surface, streamed, **says)
    assert reply.content.strip() == "".join(ANSWER).strip()
    assert 0 < reply.thinking_tokens <= 4  # a line break that the template writes counts
    assert all(thought(len(THOUGHT)).startswith(each.strip()) for each in reply.thinking.values())


@pytest.mark.parametrize(
    "tiny", [name for name, family in FAMILIES.items() if family.lengths], indirect=True
)
@pytest.mark.parametrize(("effort", "words"), [("minimal", 3), ("low", 3), ("max", len(THOUGHT))])
def test_an_effort_that_the_model_knows_is_told_to_it(tiny: Tiny, effort: str, words: int):
    """And one that it doesn't is the nearest that it does."""
    chat = SURFACES["chat"]
    check(tiny, chat, tiny.ask(chat, False, reasoning_effort=effort), words)


@of("both")
@streamed_or_not
@pytest.mark.parametrize("thinks", [True, False], ids=["on", "off"])
def test_a_tool_is_called_in_either_mode(tiny: Tiny, streamed: bool, thinks: bool):
    call(tiny, streamed, len(THOUGHT) if thinks else 0, enable_thinking=thinks)


@of("always never")
@streamed_or_not
def test_a_tool_is_called_in_the_one_mode(tiny: Tiny, streamed: bool):
    call(tiny, streamed, len(THOUGHT) if tiny.native["modes"] == "always" else 0)


def call(tiny: Tiny, streamed: bool, words: int, **says: Any) -> None:
    """Give a tool, and insist on its call after so many words of thought."""
    reply = tiny.ask(SURFACES["chat"], streamed, **TOOLS, **says)
    assert reply.finish == "tool_calls"
    assert not reply.content.strip()
    assert "".join(reply.thinking.get("reasoning", "")).strip() == thought(words)
    calls = [reply_call for event in reply.events for reply_call in calls_of(event)]
    if not reply.events:
        calls = calls_of(json.loads(reply.text))
    assert [each["function"]["name"] for each in calls if each["function"].get("name")] == [
        WEATHER["name"]
    ]
    arguments = "".join(each["function"].get("arguments") or "" for each in calls)
    assert json.loads(arguments) == {"city": "Oslo"}


def calls_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the calls of an answer, or of an event of its stream."""
    messages = [choice.get("message") or choice.get("delta") for choice in answer["choices"]]
    return [each for message in messages for each in message.get("tool_calls") or ()]


@of("always never")
@each_surface
def test_what_the_model_can_not_do_is_a_400_that_says_why(tiny: Tiny, surface: Any):
    always = tiny.native["modes"] == "always"
    for name, control in (OFF if always else ON).items():
        if "question" in control:
            continue  # to such a model it is a word without a meaning
        body = {"model": MODEL, **surface.body(QUESTION, False), **control}
        response = tiny.send(surface.path, json=body)
        assert response.status_code == 400, name
        error = response.json()["error"]
        assert f"this model {'always' if always else 'never'} thinks" in error["message"]
        assert error["type"] == "invalid_request_error"


@of("always never")
@each_surface
def test_a_switch_means_nothing_to_a_model_of_one_mode(tiny: Tiny, surface: Any):
    always = tiny.native["modes"] == "always"
    control = OFF["/no_think"] if always else ON["/think"]
    check(tiny, surface, tiny.ask(surface, False, **control), len(THOUGHT) if always else 0)


@of("both")
@pytest.mark.parametrize(("key", "thinks"), [(BOB, False), (DAVE, True)], ids=["off", "on"])
def test_what_the_operator_has_fixed_no_request_changes(tiny: Tiny, key: str, thinks: bool):
    """Not by the family's own argument either, nor by those of others."""
    native, surface = tiny.native, SURFACES["chat"]
    own = {native["argument"]: native["disabled" if thinks else "enabled"]}
    others = {"enable_thinking": not thinks, "thinking": not thinks}
    for kwargs in (own, others):
        body = {"model": MODEL, **surface.body(QUESTION, False), "chat_template_kwargs": kwargs}
        response = tiny.send(surface.path, json=body, headers={"authorization": f"Bearer {key}"})
        assert response.status_code == 403, kwargs
        assert "has fixed thinking" in response.json()["error"]["message"]
    switch = "/no_think" if thinks else "/think"
    reply = tiny.ask(surface, False, f"{QUESTION} {switch}", key=key)
    check(tiny, surface, reply, len(THOUGHT) if thinks else 0)


@of("both")
@streamed_or_not
def test_left_the_choice_it_thinks_where_it_is_in_doubt(tiny: Tiny, streamed: bool):
    """A model of random weights always is."""
    reply = tiny.ask(SURFACES["chat"], streamed, reasoning_effort="auto")
    assert reply.decided.startswith("thought;")
    check(tiny, SURFACES["chat"], reply, len(THOUGHT))


def test_the_names_that_are_listed_are_those_of_its_modes(tiny: Tiny):
    response = tiny.send("/v1/models", method="GET")
    names = {card["id"] for card in response.json()["data"]}
    modes = {"both": {"think", "no-think", "auto"}, "always": {"think"}, "never": {"no-think"}}
    assert names == {MODEL, *(f"{MODEL}:{mode}" for mode in modes[tiny.native["modes"]])}


@pytest.mark.nightly
@pytest.mark.parametrize("mode", MODES)
def test_behind_ray_a_family_is_told_the_same(mode: str, tmp_path: Path):
    """The way that all the others leave out: `make run`, Ray Serve and, in one mode, HAProxy."""
    family = FAMILIES["deepseek_v3_1"]
    model, keys = tmp_path / "model", tmp_path / "keys"
    model.mkdir()
    make(family, model)
    keys.write_text(f"alice: {KEY}\n")
    config = tmp_path / "family-cpu.yaml"  # by its name make knows the engine
    config.write_text(yaml.safe_dump({"applications": [application(family, MODEL, model)]}))
    port = free_port()
    variables = {"HYBRID_LLM_API_KEYS_FILE": str(keys)}
    run = MakeRun.start([f"PORT={port}", f"CONFIG={config}", f"MODE={mode}"], variables, tmp_path)
    try:
        run.wait_for("is ready", START_S)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            tiny, chat = Tiny("deepseek_v3_1", family, client), SURFACES["chat"]
            for controls, words in ((ON, len(THOUGHT)), (OFF, 0)):
                for control in controls.values():
                    check(tiny, chat, tiny.ask(chat, True, **control), words)
            call(tiny, True, len(THOUGHT), enable_thinking=True)
    finally:
        left = run.interrupt()
    assert not left
