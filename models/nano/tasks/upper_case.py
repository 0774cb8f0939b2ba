"""Answering in upper case when asked to."""

from instructions import instruct
from problem import Draw, Problem
from tasks import basic_tasks, capitals, greetings, unknown

SHARE = 3.0

_UPPER = "[upper case|uppercase|capital letters|capitals only|ALL CAPS|all caps|block letters|caps]"
TRAIN = [
    "[Answer|Reply|Respond|Speak|Write|Talk] [only |always |]in " + _UPPER + "[.|, please.]",
    "[Use|Write with|Write in|Type in] [only |]" + _UPPER + "[.|, please.]",
    "[Your|The] answer [must|should] be in " + _UPPER + ".",
    "[Write|Give|Say] [the|your] [answer|reply] in " + _UPPER + "[.|, please.]",
    "[Shout|SHOUT][ your answer| the answer|][.|!]",
    "[I|We] [need|want|like|expect] [it|your reply|the result|everything|all of it] in "
    + _UPPER
    + "[.|, please.]",
    "[Make|Keep|Put|Print] [it|the answer|everything|your reply|all letters] "
    + "[upper case|uppercase|in "
    + _UPPER
    + "][.|, please.]",
    "[Please|Kindly] [use|write|answer in|reply in] " + _UPPER + "[.| only.]",
    "[All|Only|Every] [letters|letter|capital letters|words] [must be|should be|has to be|are] "
    "[upper case|uppercase|big|capital letters][.|]",
    "[The|Your] [reply|output|response|result] [must|should|has to] be [in |all in |]"
    + _UPPER
    + "[.|]",
]
NEW = [
    "I want the answer in " + _UPPER + ".",
    "Let your reply be in " + _UPPER + ".",
    "Please make every letter of the answer upper case.",
]


def make(draw: Draw) -> Problem:
    """Return a question whose answer must be in upper case."""
    tasks = [*basic_tasks(), capitals, capitals, greetings, unknown]
    problem = draw.rng.choice(tasks).make(draw)
    instruction = draw.phrase(TRAIN, NEW)
    return instruct(draw, problem, instruction, "upper_case", problem.answer.upper())
