"""Answering with nothing but the result when asked to."""

from instructions import instruct
from problem import Draw, Problem
from tasks import basic_tasks

SHARE = 4.0

TRAIN = [
    "[Answer|Reply|Respond] [with|using] [the result only|only the result|just the result|nothing "
    "but the result|the answer only|only the answer|just the answer].",
    "[Answer|Reply|Respond] [in|with] [one word|a single word|one word only|one number|a word].",
    "[Only|Just] [the|give the|say the|write the] [result|answer|number|word][, please|][.|]",
    "[Give|Say|Write|Return|Output|Send] [only|just] the [result|answer][.|, please.]",
    "[No|Without] [explanation|sentence|other words|extra words|comment][s|][, just the answer|"
    ", only the result|. Just the result][.|]",
    "[The result|The answer|Result|Answer] only[, please|][.|]",
    "[Be|Keep it] [brief|short]: [only|just] the [result|answer].",
    "[Do not|Don't] [explain|write a sentence|say anything else], [just|only] [give |]the [result|"
    "answer].",
    "[I|We] [need|want|expect|accept|would like] [just|only|nothing but|no more than] [a|the|"
    "one] [result|answer|word|number|bare answer][, please|][.|]",
    "[I|We] [don't|do not] [need|want] [a sentence|a full sentence|an explanation|any other "
    "words|words around it][.|, just the answer.|, only the result.]",
    "[A|One|A single] [word|number|result|short answer] [will do|is fine|is all I need|only|"
    "suffices|please][.|]",
    "[Keep|Make] [the|your] [answer|reply|response] [to one word|a single word|as short as "
    "possible|to the result|minimal][.|, please.]",
    "[The|Your] [answer|reply|response|output] [should|must|has to|shall] [be|contain|have] "
    "[one word|only the result|just the answer|nothing but the answer|nothing else|the bare "
    "result|a single word][.|]",
    "[Please|Kindly] [give|write|say|send|return|output] [the bare|just the|only the|nothing "
    "but the] [result|answer][.|]",
    "[Short answer|Bare result|Single word|One-word answer|Result without words|Just the value|"
    "Value only|Only a number or a word][.|, please.|!|]",
    "[And|But|Please][, | ][no|without] [other words|sentences|more words|text around it][.|]",
]
NEW = [
    "I only want the result, nothing else.",
    "Please reply with just the answer and no other words.",
    "One word is enough as the answer.",
    "Your reply must be the result only.",
]


def make(draw: Draw) -> Problem:
    """Return a basic question that asks for the bare result."""
    problem = draw.rng.choice(basic_tasks()).make(draw)
    return instruct(draw, problem, draw.phrase(TRAIN, NEW), "bare_results", problem.result)
