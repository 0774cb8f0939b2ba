"""Questions that only make sense after the turn before: "And of Spain?", "Now add 5 to it."."""

from arithmetic import addition, multiplication, subtraction
from phrasing import decorate
from problem import Draw, Problem
from tasks import add, capitals, compare, multiply, subtract, word_problems

SHARE = 6.0

CAPITAL = [
    "[And|and|What about|How about|And what about|And for|Now] [of |]{c}[?|.|]",
    "[And|Now|What about|How about] [the capital of|that of|the one of] {c}[?|.|]",
    "[Same|The same] [question |]for {c}[.|?|, please.]",
    "[And|Now] {c}[, please|][?|.]",
    "{c}[?|]",
    "[And|So|Then|Now][, | ][what is|what's|which is|tell me] [it|the one|that] [for|of] {c}[?|.]",
    "[What|How] [about|is it for|is it with|is it in] {c}[?| then?]",
    "[Then|Next|And next|Also|Again for]: {c}[?|.|]",
    "[I also|Also I|Now I] [need|want] [it|that|the one] for {c}[.|]",
]
CAPITAL_NEW = ["What would it be for {c}?", "And if I ask for {c}?", "Then what about {c}?"]
ADD = [
    "[Now |Then |And |]add {b} [to it|to that|to this|to the result|more|][.|?|]",
    "[And |Now |]plus {b}[?|.|]",
    "[What is|What's|How much is] [it|that|this|the result] plus {b}?",
    "[Increase it by|Increase that by|+] {b}[.|]",
    "[And|What] if [I|you|we] add {b}?",
    "[What|How much] [is it|do we get|comes out|will it be] [if|when|after] [I|you|we] add "
    "{b}[| more][| to it| to this][?|]",
    "[Please|Could you|Can you] [now |then |]add {b}[| more][| to it| to this| to the result][.|?]",
    "[Add|Put] [another|also|further] {b}[| on top][.|, please.|]",
    "[With|And with] {b} [more|added][?|]",
    "[The result|That|It] [plus|and|+] {b}[?|.|]",
]
ADD_NEW = ["What do I get if I add {b} to that?", "Please add another {b} to the result."]
SUBTRACT = [
    "[Now |Then |And |][subtract|take away|take] {b} [from it|from that|from this|from the result|]"
    "[.|?|]",
    "[And |Now |]minus {b}[?|.|]",
    "[What is|What's|How much is] [it|that|this|the result] minus {b}?",
    "[Decrease it by|Decrease that by|-] {b}[.|]",
    "[And|What] if [I|you|we] [subtract|take away] {b}?",
    "[What|How much] [is it|do we get|comes out|will it be] [if|when|after] [I|you|we] "
    "[subtract|take away] {b}[| from it| from this][?|]",
    "[Please|Could you|Can you] [now |then |][subtract|take away] {b}[| from it| from this| "
    "from the result][.|?]",
    "[Remove|Take off|Deduct] {b}[| from it| from that][.|, please.|]",
    "[With|And with] {b} less[?|]",
    "[The result|That|It] [minus|less|-] {b}[?|.|]",
]
SUBTRACT_NEW = [
    "What do I get if I subtract {b} from that?",
    "Please subtract {b} from the result.",
]
MULTIPLY = [
    "[Now |Then |And |]multiply [it|that|this|the result] by {b}[.|?|]",
    "[And |Now |]times {b}[?|.|]",
    "[What is|What's|How much is] [it|that|this|the result] times {b}?",
    "[And|What] if [I|you|we] multiply [it |that |]by {b}?",
    "[What|How much] [is it|do we get|comes out|will it be] [if|when|after] [I|you|we] "
    "multiply [it |this |the result ]by {b}[?|]",
    "[Please|Could you|Can you] [now |then |]multiply [it|this|that|the result] [by|with] {b}[.|?]",
    "[The result|That|It] [times|*|x] {b}[?|.|]",
    "[And|Now][, | ]{b} times [that|it|as much|the result][?|.]",
]
MULTIPLY_NEW = ["What do I get if I multiply that by {b}?", "Please multiply the result by {b}."]
COMPARE = [
    "[And|What about|How about|And what about|Now|And between] {x} and {y}[?|.|]",
    "[Same|The same] [question |]for {x} and {y}[.|?|]",
    "[And|Now] {x} or {y}?",
    "[And|So|Then|Now][, | ][what is|what's|which is|tell me] [it|the one|that] [for|of] {x} "
    "and {y}[?|.]",
    "[What|How] [about|is it for|is it with] {x} [and|or|vs] {y}[?| then?]",
    "[Then|Next|And next|Also|Again for]: {x} and {y}[?|.|]",
    "[Also|Again|And again][, | ][compare |]{x} and {y}[.|?|]",
]
COMPARE_NEW = ["What would it be for {x} and {y}?", "Then what about {x} and {y}?"]


def _turn(problem: Problem) -> tuple[dict, dict]:
    return (
        {"role": "user", "content": problem.question},
        {"role": "assistant", "content": problem.answer},
    )


def _capital(draw: Draw) -> Problem:
    first = capitals.make(Draw(draw.rng))
    name, spoken = capitals.country(draw)
    question = draw.phrase(CAPITAL, CAPITAL_NEW, c=spoken)
    return Problem(
        "follow_ups",
        question,
        capitals.reason(name),
        capitals.say(name),
        capitals.capitals()[name],
        before=_turn(first),
    )


def _compare(draw: Draw) -> Problem:
    first = compare.make(Draw(draw.rng))
    while "Yes" in first.answer or "No," in first.answer or "equal" in first.answer:
        first = compare.make(Draw(draw.rng))
    x, y = compare.pair(draw)
    thinking, answer, result = compare.say(x, y, "greater" in first.answer)
    question = draw.phrase(COMPARE, COMPARE_NEW, x=x, y=y)
    return Problem("follow_ups", question, thinking, answer, result, before=_turn(first))


def _arithmetic(draw: Draw) -> Problem:
    rng = draw.rng
    kind = rng.choice(["+", "-", "*"])
    while True:
        task = rng.choice([add, subtract, multiply, word_problems])
        first = task.make(Draw(rng))
        a = int(first.result)
        b = rng.randint(1, rng.choice([9, 99, 999] if kind != "*" else [9, 9, 99]))
        fits = 0 <= a <= (999 if kind == "*" else 9999)
        # A chain of negative numbers is beyond the tasks, so the difference stays positive.
        if fits and (kind != "-" or a >= b):
            key = {
                "+": ("add", *sorted((a, b))),
                "-": ("subtract", a, b),
                "*": ("multiply", *sorted((a, b))),
            }[kind]
            if draw.owns(*key):
                break
    if kind == "+":
        question, thinking, result = draw.phrase(ADD, ADD_NEW, b=b), addition(a, b), a + b
    elif kind == "-":
        question = draw.phrase(SUBTRACT, SUBTRACT_NEW, b=b)
        thinking, result = subtraction(a, b), a - b
    else:
        question = draw.phrase(MULTIPLY, MULTIPLY_NEW, b=b)
        thinking, result = multiplication(a, b), a * b
    return Problem(
        "follow_ups",
        question,
        thinking,
        f"{a} {kind} {b} = {result}.",
        str(result),
        before=_turn(first),
    )


def make(draw: Draw) -> Problem:
    """Return a follow-up question together with the turn that it refers to."""
    problem = draw.rng.choices([_capital, _compare, _arithmetic], [3, 2, 5])[0](draw)
    question = problem.question
    question = question[0].upper() + question[1:]
    if draw.rng.random() < 0.25:
        question = decorate(Draw(draw.rng), question)
    return Problem(**{**problem.__dict__, "question": question})
