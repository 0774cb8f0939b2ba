"""Subtracting two whole numbers of up to four digits; the difference may be negative."""

from arithmetic import subtraction
from phrasing import decorate
from problem import Draw, Problem

SHARE = 7.0
BASIC = True
UNRELATED = True

TRAIN = [
    "[What is|What's|Whats|what is|How much is|Compute|Calculate|Work out|Solve|Find|Evaluate|Give "
    "me|Tell me|Do] {a}[ - |-| minus | − ]{b}[?|.|]",
    "{a}[ - |-]{b}[ = ?| =|=?|=|?| = | is| equals]",
    "{a} [minus|less|take away] {b} [is|equals|makes|gives|is what|makes what][?|]",
    "[Subtract|Take|Take away|Deduct] {b} from {a}.",
    "[Can you subtract|Could you subtract|Please subtract] {b} from {a}[?|.]",
    "[What is|What's|Find|Compute|Calculate|Give me|Tell me|Work out] the difference [of|between] "
    "{a} and {b}[?|.]",
    "[The difference|Difference] [of|between] {a} and {b}[?|]",
    "[What|How much] do [I|we|you] get [if|when] [I|we|you] [subtract|take] {b} from {a}?",
    "[If|When] [I|you|we] [subtract|take away|take] {b} from {a}, what [do I get|is it|is the "
    "result|is left|comes out|remains]?",
    "[What|How much] is the result of {a}[ - | minus ]{b}?",
    "[What|How much] [does|is] {a}[ - |-| minus ]{b}[| equal| make| give| come to]?",
    "[Can|Could] you [compute|calculate|tell me|work out|solve] {a}[ - |-| minus ]{b}?",
    "[I need|I want] [to know |]the difference between {a} and {b}.",
    "{a} - {b}",
    "{a}-{b}",
    "[What|How much] is {a} [decreased by|reduced by|take away|less] {b}?",
    "[What|How much] is left [of|from] {a} [if|when|after] [I|you|we] [take away|subtract|remove] "
    "{b}?",
    "[Subtraction|Difference]: {a}, {b}[.|]",
    "[The answer to|The result of] {a} - {b} [is|please][?|]",
    "[What number|Which number] is {a} - {b}?",
    "[What number|Which number] is {b} less than {a}?",
    "[Do you know|Can you say|Could you tell me|I wonder] [what|how much] {a}[ - | minus ]{b} is?",
    "[Start|Begin] with {a}[, then| and|;] subtract {b}[.|, what is it?|. What do I get?]",
    "[Subtracting|Taking|Taking away] {b} from {a} [gives|makes|leaves] [what|which number][?|]",
    "[Here are|I have|We have|My numbers are] {a} and {b}. [Subtract them|What is the "
    "difference|Find the difference|Subtract the second from the first][.|?|]",
    "[I|We] [would like|want|have] to [know|find|compute|see] {a} [minus|-] {b}.",
    "[Say|Show|Give] me the [result|outcome|answer] [of|for] {a}[ - |-| minus ]{b}.",
    "[What|Which number] comes out [if|when] {b} is [subtracted|taken away|taken] from {a}?",
    "[Use|With|For] the numbers {a} and {b}[, | ][find|compute|give|tell me] the difference.",
    "[Remove|Drop|Cut] {b} from {a}[. How much is left|. What is left|; what do we get]?",
    "[You have|I have] {a} and [remove|lose|subtract] {b}. [What is left|How much is left|What "
    "remains]?",
]
NEW = [
    "What would {a} minus {b} come to?",
    "Starting from {a}, subtract {b}. What is the result?",
    "Take {a} and subtract {b} from it.",
    "How much would I get by subtracting {b} from {a}?",
    "I want to know what {a} - {b} makes.",
    "From {a}, take away {b}: what is left?",
    "Tell me how much remains of {a} after taking away {b}.",
    "Please find {a} minus {b} for me.",
]

# A difference between two numbers, or what is left, is not negative in plain English.
_NOT_NEGATIVE = ("ifference", "left", "remain", "leave", "Subtract them")


def operands(draw: Draw, largest: int = 9999, negative: float = 0.15) -> tuple[int, int]:
    """Return two whole numbers of 0 to `largest` of this side of the split.

    Args:
        draw: the randomness and the side of the split.
        largest: 9, 99, 999 or 9999.
        negative: the chance that the first may be the smaller one.
    """
    sizes = [size for size in (9, 99, 999, 999, 9999) if size <= largest]

    def sample() -> tuple[int, int]:
        a, b = (draw.rng.randint(0, draw.rng.choice(sizes)) for _ in range(2))
        if draw.rng.random() < 0.12:
            # Close ones: only the last digits tell the sign.
            b = max(0, a + draw.rng.randint(-12, 12))
        return (a, b) if draw.rng.random() < negative else (max(a, b), min(a, b))

    return draw.until_owned(sample, lambda two: ("subtract", *two))


def make(draw: Draw) -> Problem:
    """Return a subtraction."""
    a, b = operands(draw)
    question = draw.phrase(TRAIN, NEW, a=a, b=b)
    while a < b and any(word in question for word in _NOT_NEGATIVE):
        question = draw.phrase(TRAIN, NEW, a=a, b=b)
    question = decorate(draw, question)
    return Problem("subtract", question, subtraction(a, b), f"{a} - {b} = {a - b}.", str(a - b))
