"""Adding two whole numbers of up to four digits."""

from arithmetic import addition, in_order
from phrasing import decorate
from problem import Draw, Problem

SHARE = 7.0
BASIC = True
UNRELATED = True

TRAIN = [
    "[What is|What's|Whats|what is|How much is|Compute|Calculate|Work out|Solve|Find|Evaluate|Give "
    "me|Tell me|Do] {a}[ + |+| plus | and then plus ]{b}[?|.|]",
    "{a}[ + |+]{b}[ = ?| =|=?|=|?| = | is| equals]",
    "{a} [plus|and|added to] {b} [is|equals|makes|gives|is what|makes what][?|]",
    "[Add|Sum|Sum up|Add up|Add together] {a} and {b}.",
    "[Add|Can you add|Could you add|Please add] {a} to {b}[?|.]",
    "[What is|What's|Find|Compute|Calculate|Give me|Tell me|Work out] the [sum|total] of {a} and "
    "{b}[?|.]",
    "[The sum|Sum|Total] of {a} and {b}[?|]",
    "[What|How much] do [I|we|you] get [if|when] [I|we|you] add {a} [and|to] {b}?",
    "[If|When] [I|you|we] add {b} to {a}, what [do I get|is it|is the result|is the sum|comes "
    "out]?",
    "[What|How much] is the result of {a}[ + | plus ]{b}?",
    "[What|How much] [does|is] {a}[ + |+| plus ]{b}[| equal| make| give| come to]?",
    "[Can|Could] you [add|sum|sum up] {a} and {b}[?| for me?]",
    "[Can|Could] you [compute|calculate|tell me|work out|solve] {a}[ + |+| plus ]{b}?",
    "[I need|I want] [the sum of|to add] {a} and {b}.",
    "{a} + {b}",
    "{a}+{b}",
    "[What|How much] is {a} [increased by|and|more than] {b}?",
    "[How much|What] [do|does] {a} and {b} [make|give|sum to|add up to|come to][ together|]?",
    "[Add these|Add|Sum] [numbers|two numbers]: {a}, {b}[.|]",
    "[Addition|Sum]: {a}, {b}[.|]",
    "[The answer to|The result of] {a} + {b} [is|please][?|]",
    "[What number|Which number] is {a} + {b}?",
    "[What number|Which number] is {b} more than {a}?",
    "[Do you know|Can you say|Could you tell me|I wonder] [what|how much] {a}[ + | plus ]{b} is?",
    "[Start|Begin] with {a}[, then| and|;] add {b}[.|, what is it?|. What do I get?]",
    "[Adding|If one adds] {a} [to|and] {b} [gives|makes] [what|which number][?|]",
    "[Here are|I have|We have|My numbers are] {a} and {b}. [Add them|What is the sum|Find the "
    "sum|Their sum|Sum them up][.|?|]",
    "[I|We] [would like|want|have] to [know|find|compute|see] {a} [plus|+] {b}.",
    "[Say|Show|Give] me the [result|outcome|answer] [of|for] {a}[ + |+| plus ]{b}.",
    "[What|Which number] comes out [if|when] {b} is added to {a}?",
    "[Use|With|For] the numbers {a} and {b}[, | ][find|compute|give|tell me] the [sum|total].",
    "[Take|Use] the sum of {a} and {b}. [What is it|How much is it|How much|What do you get]?",
    "[How|What] [large|big] is {a} [plus|and] {b} [together|in total|all together]?",
    "[Combine|Join|Bring together] {a} and {b}[. How much is it|. What is the sum|; what do we "
    "get]?",
]
NEW = [
    "Put {a} and {b} together: what is the total?",
    "What would {a} plus {b} come to?",
    "Starting from {a}, add {b}. What is the result?",
    "Take {a} and add {b} to it.",
    "How much would I get by adding {a} and {b}?",
    "I want to know what {a} + {b} makes.",
    "Tell me how much {a} and {b} are together.",
    "The two numbers are {a} and {b}. What is their sum?",
]


def operands(draw: Draw, largest: int = 9999) -> tuple[int, int]:
    """Return two whole numbers of 0 to `largest` of this side of the split, of mixed lengths."""
    sizes = [size for size in (9, 99, 999, 999, 9999) if size <= largest]

    def sample() -> tuple[int, int]:
        return draw.rng.randint(0, draw.rng.choice(sizes)), draw.rng.randint(
            0, draw.rng.choice(sizes)
        )

    return draw.until_owned(sample, lambda two: ("add", *sorted(two)))


def make(draw: Draw) -> Problem:
    """Return an addition."""
    a, b = operands(draw)
    question = draw.phrase(TRAIN, NEW, a=a, b=b)
    a, b = in_order(question, a, b)
    question = decorate(draw, question)
    return Problem("add", question, addition(a, b), f"{a} + {b} = {a + b}.", str(a + b))
