"""Multiplying a number of up to three digits by one of up to two: the task that needs thinking."""

from arithmetic import in_order, multiplication
from phrasing import decorate
from problem import Draw, Problem

SHARE = 15.0
BASIC = True
UNRELATED = True
# Without thinking, most of these are beyond a model of this size: more examples would not help.
THINKS = 0.95

_X = "[ * |*| * | x | × |×| times | multiplied by ]"

TRAIN = [
    "[What is|What's|Whats|what is|How much is|Compute|Calculate|Work out|Solve|Find|Evaluate|Give "
    "me|Tell me|Do] {a}" + _X + "{b}[?|.|]",
    "{a}[ * |*| x | × ]{b}[ = ?| =|=?|=|?| = | is| equals]",
    "{a} [times|multiplied by] {b} [is|equals|makes|gives|is what|makes what][?|]",
    "[Multiply|Please multiply|Can you multiply|Could you multiply] {a} [by|with|and|times] {b}"
    "[?|.]",
    "[What is|What's|Find|Compute|Calculate|Give me|Tell me|Work out] the product of {a} and {b}"
    "[?|.]",
    "[The product|Product] of {a} and {b}[?|]",
    "[What|How much] do [I|we|you] get [if|when] [I|we|you] multiply {a} [and|by|with] {b}?",
    "[If|When] [I|you|we] multiply {a} [by|with] {b}, what [do I get|is it|is the result|is the "
    "product|comes out]?",
    "[What|How much] is the result of {a}" + _X + "{b}?",
    "[What|How much] [does|is] {a}" + _X + "{b}[| equal| make| give| come to]?",
    "[Can|Could] you [compute|calculate|tell me|work out|solve] {a}" + _X + "{b}?",
    "[I need|I want] [the product of|to multiply] {a} and {b}.",
    "{a} * {b}",
    "{a}*{b}",
    "{a} x {b}",
    "[Multiply these|Multiply] [numbers|two numbers]: {a}, {b}[.|]",
    "[Multiplication|Product]: {a}, {b}[.|]",
    "[The answer to|The result of] {a} * {b} [is|please][?|]",
    "[What number|Which number] is {a}" + _X + "{b}?",
    "[How much|How many] [is|are] {a} [times|lots of|groups of] {b}?",
    "[Do you know|Can you say|Could you tell me|I wonder] [what|how much] {a}" + _X + "{b} is?",
    "[Start|Begin] with {a}[, then| and|;] multiply [it |]by {b}[.|, what is it?|. What do I get?]",
    "[Multiplying|If one multiplies] {a} [by|and|with] {b} [gives|makes] [what|which number][?|]",
    "[Here are|I have|We have|My numbers are] {a} and {b}. [Multiply them|What is the product|"
    "Find the product|Their product][.|?|]",
    "[I|We] [would like|want|have] to [know|find|compute|see] {a} [times|*|x] {b}.",
    "[Say|Show|Give] me the [result|outcome|answer] [of|for] {a}" + _X + "{b}.",
    "[What|Which number] comes out [if|when] {a} is multiplied by {b}?",
    "[Use|With|For] the numbers {a} and {b}[, | ][find|compute|give|tell me] the product.",
    "[Take|Use] the product of {a} and {b}. [What is it|How much is it|How much|What do you get]?",
    "[Double-check|Verify|Check][: |, ]{a}" + _X + "{b}[ = ?|?|]",
]
NEW = [
    "What would {a} times {b} come to?",
    "Starting from {a}, multiply by {b}. What is the result?",
    "Take {a} and multiply it by {b}.",
    "How much would I get by multiplying {a} and {b}?",
    "I want to know what {a} * {b} makes.",
    "The two numbers are {a} and {b}. What is their product?",
    "Tell me the result of multiplying {a} with {b}.",
    "Please find {a} times {b} for me.",
]


def operands(draw: Draw, larger: int = 999, smaller: int = 99) -> tuple[int, int]:
    """Return factors of this side of the split.

    Args:
        draw: the randomness and the side of the split.
        larger: the largest value of the one factor, at most 999.
        smaller: the largest value of the other factor, at most 99.
    """
    rng = draw.rng

    def sample() -> tuple[int, int]:
        if draw.held_out:
            # The evaluation's are uniform; training has more of the small ones, rare among these.
            return rng.randint(2, larger), rng.randint(2, smaller)
        a = rng.randint(0 if rng.random() < 0.1 else 2, larger if rng.random() < 0.9 else 99)
        b = rng.randint(0 if rng.random() < 0.1 else 2, smaller if rng.random() < 0.9 else 9)
        return (b, a) if rng.random() < 0.2 else (a, b)

    return draw.until_owned(sample, lambda two: ("multiply", *sorted(two)))


def make(draw: Draw) -> Problem:
    """Return a multiplication."""
    a, b = operands(draw)
    question = draw.phrase(TRAIN, NEW, a=a, b=b)
    a, b = in_order(question, a, b)
    question = decorate(draw, question)
    return Problem("multiply", question, multiplication(a, b), f"{a} * {b} = {a * b}.", str(a * b))
