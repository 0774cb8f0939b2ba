# ruff: noqa: SIM905 - word lists read better as one string
"""What people put around a question: lead-ins, closings, case, spacing and punctuation."""

import words
from problem import Draw, expand

LEAD_INS = [
    "[Please|please], ",
    "Please [tell me|answer]: ",
    "[Hey|Hi|Hello|Hi there], ",
    "[Hey|Hi|Hello|Good morning|Good evening]! ",
    "[Quick|Small|Simple|Easy|Another|One more|Next|A] question: ",
    "[I wonder|I was wondering], ",
    "[Tell me|Say|Well|So|OK|Okay|Right|Now|And now|Listen], ",
    "[OK|Okay|Great|Thanks|Cool|Nice|Fine|Good]. ",
    "Question: ",
    "Q: ",
    "User: ",
    "[Can|Could|Would] you [help|help me|help me out]? ",
    "I need [help|your help|a hand]. ",
    "[I have|I've got|Here is|Here's] a question[.|:|for you:| for you.] ",
    "Help me[:|.] ",
    "[My|Our] [son|daughter|teacher|boss|friend|brother|sister|student] [asks|wants to know|asked"
    "|asked me]: ",
    "[For|As] [a quiz|a test|homework|my class|a game]: ",
    "Be [honest|exact|careful]. ",
    "[Let's see|Let me ask|Let us try]: ",
    "I [forgot|am not sure|can't remember]. ",
    "[Sorry|Excuse me], ",
    "[Dear|Hey] [friend|computer|model|assistant|bot], ",
    "\n",
    " ",
    "Task: ",
    "Problem: ",
    "Exercise [1|2|3|7|12]: ",
    "- ",
    "> ",
    "Try this: ",
    "[Next|Then]: ",
]
CLOSINGS = [
    " [Thanks|Thank you|Thanks a lot|Many thanks|Cheers][.|!|]",
    " Please.",
    " please",
    " I [need|want] [it|this|to know] [now|today|soon|quickly|for school|for work|for a quiz].",
    " [Be quick|Hurry|Quickly][.|!|,please.]",
    " [Just curious|I am curious|I'm curious].",
    " [Any idea|Do you know|Can you help|Can you tell me|Can you say]?",
    "\n",
    " ",
    " :)",
    "!!",
    " Take your time.",
    " Think [carefully|well|hard].",
    " It is [important|urgent].",
    " Go.",
]
NEW_LEAD_INS = [
    "[Good afternoon|Greetings]. ",
    "[Here comes|This is] my question: ",
    "Please help: ",
    "I would like to know this: ",
    "[Alright|Hmm], ",
    "One question for you: ",
]
NEW_CLOSINGS = [" Thanks for your help!", " I am in a hurry.", " It is for my homework."]


_FILLERS = "just exactly really now simply actually please maybe then again quickly well".split()
_REMARKS = [
    "I am [a {j} {o}|in {c}|a teacher|a student|at home|at work|back|tired|new here].",
    "[My|Our|The] {o} is {j}.",
    "[We|I] [are at|am at|live in] {c}.",
    "This is [about|for] {o}.",
    "I [like|have|saw|study|teach] {o}.",
    "{o} is {j}.",
    "It is [late|early|cold|Monday|{j}].",
]


def _remark(draw: Draw) -> str:
    """Return a sentence that has nothing to do with the question after it."""
    text = expand(draw.rng, draw.rng.choice(_REMARKS))
    text = text.replace("{j}", draw.rng.choice(words.ADJECTIVES))
    text = text.replace("{o}", words.noun(draw.rng)).replace("{c}", words.city(draw.rng))
    return text[0].upper() + text[1:]


def _stumble(draw: Draw, question: str) -> str:
    """Return `question` with a stray word between two of its small words."""
    parts = question.split(" ")
    small = [
        i
        for i in range(1, len(parts))
        if all(part.isalpha() and part.islower() for part in parts[i - 1 : i + 1])
    ]
    if small:
        filler = words.made_up(draw.rng) if draw.rng.random() < 0.4 else draw.rng.choice(_FILLERS)
        parts.insert(draw.rng.choice(small), filler)
    return " ".join(parts)


def decorate(draw: Draw, question: str, case: bool = True) -> str:
    """Return `question` as somebody might type it.

    Args:
        draw: the randomness, and whether the wordings are the held-out ones.
        question: a whole question or request.
        case: False keeps the case, for questions whose words must be copied exactly.
    """
    rng = draw.rng
    if rng.random() < 0.12 and question[-1] in "?.":
        question = question[:-1]
    elif rng.random() < 0.1 and question[-1] == "?":
        question = question[:-1] + rng.choice([" ?", "??", "?!", "."])
    if rng.random() < 0.25:
        lead = expand(rng, rng.choice(NEW_LEAD_INS if draw.new_phrasing else LEAD_INS))
        if lead.endswith(", ") and rng.random() < 0.7:
            question = question[0].lower() + question[1:]
        question = lead + question
    if rng.random() < 0.1:
        question += expand(rng, rng.choice(NEW_CLOSINGS if draw.new_phrasing else CLOSINGS))
    if rng.random() < 0.05:
        question = f"{_remark(draw)} {question}"
    if rng.random() < 0.06:
        question = _stumble(draw, question)
    if case:
        roll = rng.random()
        if roll < 0.08:
            question = question.lower()
        elif roll < 0.1:
            question = question.upper()
        elif roll < 0.14:
            question = question[0].swapcase() + question[1:]
    if rng.random() < 0.02:
        question = question.replace(" ", "  ", 1)
    return question
