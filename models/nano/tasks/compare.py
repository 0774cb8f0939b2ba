"""Comparing two non-negative decimals: which is greater, which is smaller, is one greater."""

from phrasing import decorate
from problem import Draw, Problem

SHARE = 9.0
BASIC = True
UNRELATED = True

# {w} is the comparative and {s} the superlative of the direction asked for.
_UP = {"w": "[greater|greater|bigger|larger|higher]", "s": "[greatest|biggest|largest|highest]"}
_DOWN = {"w": "[smaller|smaller|less|lower]", "s": "[smallest|least|lowest]"}
_PAIR = "[{x} or {y}|{x} and {y}|{x}, {y}]"

TRAIN = [
    "[What|Which] is {w} between {x} and {y} ?",
    "[What|Which] is {w} between {x} and {y}?",
    "[What|Which|What number|Which number|Which one|Which value] is [{w}|the {w} one|the {w} "
    "number][, |: | - ]" + _PAIR + "?",
    "[What|Which] [of|out of] {x} and {y} is {w}?",
    "Which [one |number |value |]of {x} and {y} is [{w}|the {w} one|the {s}]?",
    "[Is|Would you say] {x} or {y} {w}?",
    "{x} or {y}[, |: |? |; |... ][what|which][| one| number]['s| is] {w}?",
    "{x} [or|vs|vs.|versus|and] {y}: [{w}|the {w} one|which is {w}]?",
    "Compare {x} and {y}[. |, |: |; ][{w}|which is {w}|which one is {w}|tell me which is {w}|say "
    "which is {w}|what is {w}]?",
    "Compare {x} [and|with|to] {y}. [What|Which] is the [{w}|{s}] [one|number|value]?",
    "[Tell me|Say|Find|Pick|Choose|Give me|Show me|Name] the [{w}|{s}] [one|number|value] "
    "[of|between|among|out of] {x} and {y}.",
    "[Tell me|Say|Find out|Decide|Determine|Work out] [which|which one|which number|what] is {w}"
    "[, |: ]" + _PAIR + ".",
    "Between {x} and {y}[, | ][what|which|which one|which number] is [{w}|the {w} one|the {s}]?",
    "[The|Your|] [{w}|{s}] [of|between|among|out of] {x} and {y}[?|.|]",
    "{w}: {x} or {y}?",
    "[I have|I've got|There are|We have|Here are] [two|the|these|the two] numbers[: |, | ]{x} and "
    "{y}. [Which|What|Which one] is [{w}|the {w} one|the {s}]?",
    "If I compare {x} [and|with] {y}, [which|which one|what] is {w}?",
    "Do you know which is {w}, {x} or {y}?",
    "[Number |Value |A is |a = ]{x}[ or| and|,] [number |value |B is |b = ]{y}[: |. |, ]"
    "[what|which] is {w}?",
    "[x|a|p] = {x}, [y|b|q] = {y}. [What|Which] is {w}?",
    "{s} of {x}, {y}?",
    "Which has the [{w}|{s}] value[: |, | - ]{x} or {y}?",
    "[Which|What] is the {w} [number|value|one][: |, ]{x} or {y}?",
    "[Can|Could] you [compare|order] {x} and {y}[?| for me?] Which [one|] is {w}?",
    "Is {x} {w} or is {y} {w}?",
    "[Suppose|Say|Take|Let us take|Assume] [we have |I have |you have |]{x} and {y}. Which is {w}?",
    "Numbers: {x}, {y}. {w}?",
    "[Looking at|Considering|Seeing] {x} and {y}[, | ][which|what|which one] is {w}?",
    "[Let me|I want to|We have to|Help me] [compare|decide between|choose between] {x} and "
    "{y}. [Which is|What is|Tell me] the {w} one[?|.]",
    "[Here is|I have|Take] {x}, [here is|I have|take] {y}[. |: |; ][which|what] is {w}?",
    "[Would|Could] it be {x} or {y} that [is|has] the {s}[| value]?",
    "[There is|There's] {x} and [there is|there's] {y}. [Which|What] is the {s}?",
    "[My|Our] two [numbers|values] are {x} and {y}. [Which|Which one|What] is {w}?",
]
NEW = [
    "Given {x} and {y}, name the {w} one.",
    "Look at {x} and {y}; which of the two is {w}?",
    "Out of the two numbers {x} and {y}, which do you think is {w}?",
    "I see {x} here and {y} there. Which is {w}?",
    "{x} and {y} are two numbers. Which one is {w}?",
    "Which would be {w}, {x} or {y}?",
    "Is it {x} or {y} that is {w}?",
    "Decide for me: is {x} the {w} number or is it {y}?",
]
YES_NO = [
    "Is {x} {w} than {y}?",
    "[Would you say|Do you think|Is it true|Is it right|Am I right] that {x} is {w} than {y}?",
    "{x} is {w} than {y}[, right|, isn't it|, true or false|, yes or no]?",
    "[Check|Tell me|Say] [if|whether] {x} is {w} than {y}.",
    "Yes or no: is {x} {w} than {y}?",
    "Is the number {x} {w} than [the number |]{y}?",
]
YES_NO_NEW = [
    "Could {x} be {w} than {y}?",
    "Is it correct to say that {x} is {w} than {y}?",
    "Please check for me: is {x} {w} than {y}?",
]


def pad(x: str, y: str) -> tuple[str, str]:
    """Return both numbers with as many digits before and after the point as the longer one."""
    (a, _, c), (b, _, d) = x.partition("."), y.partition(".")
    whole, part = max(len(a), len(b)), max(len(c), len(d))
    point = "." if part else ""
    return (
        a.rjust(whole, "0") + point + c.ljust(part, "0"),
        b.rjust(whole, "0") + point + d.ljust(part, "0"),
    )


def compare(x: str, y: str) -> tuple[str, str]:
    """Return the thinking that compares two numbers as written, and "<", "=" or ">"."""
    p, q = pad(x, y)
    steps, sign = [], "="
    for a, b in zip(p.replace(".", ""), q.replace(".", ""), strict=True):
        sign = "=" if a == b else ">" if a > b else "<"
        steps.append(f"{a}{sign}{b}")
        if sign != "=":
            break
    digits = ", ".join(steps)
    return f"Compare {x} and {y}. Padded: {p} and {q}. Digits: {digits}. So {x} {sign} {y}.", sign


def say(x: str, y: str, up: bool) -> tuple[str, str, str]:
    """Return thinking, answer and bare result.

    Args:
        x: the first number as written, such as "7.8".
        y: the second number as written.
        up: True when the greater one is asked for, False for the smaller one.
    """
    thinking, sign = compare(x, y)
    if sign == "=":
        return thinking + " They are equal.", f"{x} and {y} are equal.", "equal"
    word = "greater" if up else "smaller"
    chosen, other = (x, y) if (sign == ">") == up else (y, x)
    return f"{thinking} The {word} one is {chosen}.", f"{chosen} is {word} than {other}.", chosen


def say_yes_no(x: str, y: str, up: bool) -> tuple[str, str, str]:
    """Return thinking, answer and bare result for "Is x greater (or smaller) than y?"."""
    thinking, sign = compare(x, y)
    word = "greater" if up else "smaller"
    if sign == "=":
        return f"{thinking} No.", f"No, {x} and {y} are equal.", "No"
    if (sign == ">") == up:
        return f"{thinking} Yes.", f"Yes, {x} is {word} than {y}.", "Yes"
    return f"{thinking} No.", f"No, {y} is {word} than {x}.", "No"


def number(draw: Draw) -> str:
    """Return a non-negative number of up to three digits before and four after the point."""
    rng = draw.rng
    whole = rng.randint(0, rng.choice([9, 20, 99, 999]))
    places = rng.choices([0, 1, 2, 3, 4], [15, 35, 30, 15, 5])[0]
    digits = "".join(rng.choice("0123456789") for _ in range(places))
    return f"{whole}.{digits}" if places else str(whole)


def pair(draw: Draw) -> tuple[str, str]:
    """Return two numbers, mostly with the same whole part, of this side of the split."""

    def sample() -> tuple[str, str]:
        x, y = number(draw), number(draw)
        (whole, _, first), (_, _, second) = x.partition("."), y.partition(".")
        if draw.rng.random() < 0.65 and (first or second):
            y = f"{whole}.{second}" if second else whole
            if first and second and draw.rng.random() < 0.2:
                # The same first decimals, so that only a later one decides.
                y = f"{whole}.{(first[: draw.rng.randint(1, len(first))] + second)[:4]}"
        return x, y

    return draw.until_owned(sample, lambda two: ("compare", *sorted(two)))


def make(draw: Draw) -> Problem:
    """Return a comparison; one in five is to be answered by yes or no."""
    x, y = pair(draw)
    up = draw.rng.random() < 0.65
    slots = {**(_UP if up else _DOWN), "x": x, "y": y}
    if draw.rng.random() < 0.2:
        question = draw.phrase(YES_NO, YES_NO_NEW, **slots)
        thinking, answer, result = say_yes_no(x, y, up)
    else:
        question = draw.phrase(TRAIN, NEW, **slots)
        thinking, answer, result = say(x, y, up)
    question = question[0].upper() + question[1:]
    return Problem("compare", decorate(draw, question), thinking, answer, result)
