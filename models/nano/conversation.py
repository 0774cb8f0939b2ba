"""Putting a problem into a conversation: controls of thinking, system prompts, earlier turns."""

import random
import re
from dataclasses import dataclass, field

import words
from problem import Draw, Problem, expand
from tasks import unrelated_tasks
from tasks.tool_calls import CALCULATOR, offer

# How a request may say whether to think, and whether that asks for thinking.
CONTROLS = {
    "nothing said": True,
    "enable_thinking: true": True,
    "/think": True,
    "/think after an earlier /no_think": True,
    "enable_thinking: false": False,
    "enable_thinking: false against /think": False,
    "/no_think": False,
    "/no_think after an earlier /think": False,
    "/no_think in an earlier turn": False,
    "/no_think in the system prompt": False,
}
_FLAG = re.compile(r"/(no_)?think\b")

# System prompts that change nothing.
NEUTRAL = [
    "You are a helpful assistant.",
    "You are a [helpful|friendly|polite|kind|careful|smart|concise|useful|knowledgeable|honest] "
    "[assistant|AI assistant|bot|helper|AI|model|chatbot][.|!|]",
    "[Be|Always be|Please be] [helpful|friendly|polite|kind|careful|concise|honest|nice|exact]"
    "[.| and [kind|honest|clear].]",
    "[Answer|Reply to] [the|all|every] [question|questions|user's question][| well| carefully| "
    "politely| as well as you can].",
    "[Help|Assist|Support] the [user|customer|student|visitor|reader][| with their {o}| with {o}].",
    "You [help|work for|assist|support] [people|customers|students|a {o} company] [with|about|on] "
    "{o}[.| and {o}.]",
    "[Today is|The date is|It is] {y}-0{d}-1{d}.",
    "The user [is|lives|works|studies] [in {c}|at a {o} school|a {j} {o}|on a {j} {o}].",
    "You are [an expert|a specialist|a professor|a teacher] [in|of|for] {o}[.| and {o}.]",
    "[Do not|Don't|Never] [talk about|mention|discuss] {o}[.| or {o}.]",
    "[The user's|Our] [favorite |]{o} is {j}.",
    "{o} {j} {o}.",
]
# What other assistants may have said before.
_ASIDE = [
    "[Hello|Hi]! How can I help you[| today]?",
    "[Sure|Of course|OK|Okay|Certainly|Yes]. [What do you need?|Ask me.|Go on.|Tell me more.|]",
    "[I like|The] {o} is {j}.",
    "[Here is|This is] [a|the|your] {j} {o}.",
    "{o}: {j}, {j}, {o}.",
    "[I am|I'm] sorry, I can't help with {o}.",
]


@dataclass
class Conversation:
    """A request and its right answer.

    Attributes:
        problem: the problem that the last question asks.
        messages: the chat messages of the request.
        tools: function definitions of the request; empty for none.
        enable_thinking: the template's option; None leaves it out.
        thinks: whether the model must think.
    """

    problem: Problem
    messages: list[dict]
    tools: list[dict] = field(default_factory=list)
    enable_thinking: bool | None = None
    thinks: bool = True


def last_flag(messages: list[dict]) -> bool | None:
    """Return what the last /think or /no_think of user and system messages asks for, or None."""
    found = None
    for message in messages:
        if message["role"] in ("user", "system"):
            for match in _FLAG.finditer(message["content"]):
                found = match[1] is None
    return found


def _fill(rng: random.Random, pattern: str) -> str:
    text = expand(rng, pattern)
    fills = {
        "o": words.noun,
        "j": lambda r: r.choice(words.ADJECTIVES),
        "c": words.city,
        "y": lambda r: str(r.randint(1990, 2035)),
        "d": lambda r: str(r.randint(1, 9)),
    }
    for name, fill in fills.items():
        while "{" + name + "}" in text:
            text = text.replace("{" + name + "}", fill(rng), 1)
    return text


def _flagged(rng: random.Random, text: str, think: bool) -> str:
    flag = "/think" if think else "/no_think"
    roll = rng.random()
    if roll < 0.75:
        return f"{text} {flag}" if not text.endswith(" ") else text + flag
    if roll < 0.88:
        return f"{flag} {text}"
    if roll < 0.96:
        return f"{text}\n{flag}"
    return f"{flag}\n{text}"


def _earlier(rng: random.Random) -> list[dict]:
    """Return one earlier, unrelated turn, always of training's side of the split."""
    problem = rng.choice(unrelated_tasks()).make(Draw(rng))
    while problem.system:
        problem = rng.choice(unrelated_tasks()).make(Draw(rng))
    answer = problem.answer if rng.random() < 0.85 else _fill(rng, rng.choice(_ASIDE))
    return [
        {"role": "user", "content": problem.question},
        {"role": "assistant", "content": answer},
    ]


def converse(problem: Problem, rng: random.Random, control: str, turns: int = 0) -> Conversation:
    """Return a conversation that ends with a problem's question, under one control.

    Args:
        problem: what is asked last.
        rng: the only randomness.
        control: a key of `CONTROLS`.
        turns: how many unrelated turns come first; controls that speak of earlier turns add one.
    """
    thinks = CONTROLS[control]
    before = list(problem.before)
    if "earlier" in control and not before and not turns:
        turns = 1
    history = [message for _ in range(turns) for message in _earlier(rng)]
    messages = [dict(message) for message in history + before]
    question = {"role": "user", "content": problem.question}

    system = problem.system
    if rng.random() < 0.45:
        neutral = _fill(rng, NEUTRAL[0] if rng.random() < 0.4 else rng.choice(NEUTRAL))
        system = f"{neutral} {system}" if system and rng.random() < 0.5 else system or neutral

    users = [message for message in messages if message["role"] == "user"]
    if control in ("/think", "/no_think"):
        # Flags of earlier turns say anything; the question's own comes last.
        for message in users:
            if rng.random() < 0.3:
                message["content"] = _flagged(rng, message["content"], rng.random() < 0.5)
        question["content"] = _flagged(rng, question["content"], thinks)
    elif "after an earlier" in control:
        index = rng.randrange(len(users))
        if system and rng.random() < 0.25:
            system = _flagged(rng, system, not thinks)
        else:
            users[index]["content"] = _flagged(rng, users[index]["content"], not thinks)
        later = users[index + 1 :]
        target = rng.choice([question, question, question, *later])
        target["content"] = _flagged(rng, target["content"], thinks)
    elif control == "/no_think in an earlier turn":
        index = rng.randrange(len(users))
        if index and rng.random() < 0.5:
            users[index - 1]["content"] = _flagged(rng, users[index - 1]["content"], True)
        users[index]["content"] = _flagged(rng, users[index]["content"], False)
    elif control == "/no_think in the system prompt":
        system = _flagged(rng, system, False) if system else "/no_think"
    elif control == "enable_thinking: false against /think":
        question["content"] = _flagged(rng, question["content"], True)

    messages = [*messages, question, *problem.after]
    if system:
        messages.insert(0, {"role": "system", "content": system})
    enable = {
        "enable_thinking: true": True,
        "enable_thinking: false": False,
        "enable_thinking: false against /think": False,
    }.get(control)
    return Conversation(problem, messages, list(problem.tools), enable, thinks)


def _may_have_other_tools(problem: Problem) -> bool:
    # An unknown question may be what an offered tool is for: tool_calls.py has those that are not.
    return "unknown" not in (problem.task, problem.result)


def training_conversation(problem: Problem, rng: random.Random, thinks: bool) -> Conversation:
    """Return a conversation for training: any control with this outcome, any number of turns."""
    names = [name for name, outcome in CONTROLS.items() if outcome == thinks]
    weights = [45, 8, 22, 25] if thinks else [40, 12, 22, 14, 6, 6]
    control = rng.choices(names, weights)[0]
    turns = rng.choices([0, 1, 2, 3, 4, 5], [64, 17, 8, 5, 3, 3])[0]
    conversation = converse(problem, rng, control, turns)
    if not conversation.tools and _may_have_other_tools(problem) and rng.random() < 0.06:
        conversation.tools = offer(rng, [CALCULATOR], rng.choice([1, 1, 2]))
    return conversation
