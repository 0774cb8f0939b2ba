"""Answering as a JSON object when asked to."""

import json

import words
from instructions import instruct
from problem import Draw, Problem
from tasks import basic_tasks, unknown

SHARE = 5.0

_AS = "[in JSON|as JSON|in JSON format|as a JSON object|with JSON|with a JSON object]"
TRAIN = [
    "[Answer|Reply|Respond|Give the answer|Give the result|Say it|Write it][| only| just] "
    + _AS
    + "[.|, please.]",
    "[Return|Output|Give|Use|Send][| me| only| just] [JSON|a JSON object][.|, please.]",
    "[JSON|Json|json][ please|][.|]",
    "[Your|The] answer [must|should] be [JSON|a JSON object|valid JSON|in JSON].",
    "[Format|Write] [the|your] [answer|result|reply|output] " + _AS + ".",
    "[Only JSON|JSON only|Nothing but JSON][, please|][.|]",
    "[I|We] [need|expect|would like|accept] [JSON|the result as JSON|your answer in JSON|a "
    "JSON reply|a JSON object][| only][.|, please.]",
    "[Please|Kindly] [use|send|give|write|return|answer in|reply in|answer with] [JSON|JSON "
    "format|a JSON object][.|]",
    "[Make|Keep] [the|your] [answer|reply|output] [a JSON object|JSON|valid JSON][.|, please.]",
    "[Put|Wrap|Pack|Encode] [it|your answer|the result] [in|into|as|in a] [JSON|JSON object][.|"
    ", please.]",
    "[The|Your] [reply|output|response|result] [is|must be|has to be|should be|shall be] [JSON|"
    "a JSON object|valid JSON|in JSON|JSON-formatted][.|]",
    "[JSON output|JSON answer|JSON reply|JSON format|Output: JSON|Format: JSON][.|, please.|!|]",
]
NEW = [
    "I want the answer as JSON.",
    "Please put the answer into a JSON object.",
    "Let your reply be JSON.",
]
KEYED = [
    "[Answer|Reply|Respond] " + _AS + ' with the key "{k}".',
    '[Return|Output|Give me] [JSON|a JSON object] with [the|a|one] key "{k}".',
    "[Answer|Reply|Respond] " + _AS + '[ like|: |, for example] {{"{k}": "..."}}.',
    '[Return|Output] {{"{k}": ...}}.',
    "[Answer|Reply|Respond] " + _AS + " with the key {k}.",
    "[I|We] [need|want|expect] [JSON|a JSON reply|the answer in JSON] [with|under|using] [the "
    'key|a key named|the field] "{k}".',
    '[Please|Kindly] [use|send|return|write] [JSON|a JSON object] with the [key|field] "{k}"[.|'
    ", please.]",
    "[The|Your] [JSON|JSON object|reply] [has|must have|should have] [the|one|a] [key|field] "
    '"{k}"[.| only.]',
    "[Put|Wrap] [it|the answer] [in|into] JSON[, key|; the key is|, under the key|, the field "
    'is called] "{k}".',
    'JSON[, | with ][key|the key|field]: "{k}".',
]
KEYED_NEW = ['I want a JSON object whose key is "{k}".']


def make(draw: Draw) -> Problem:
    """Return a basic question that asks for JSON, a third of them with a key of its own."""
    rng = draw.rng
    inner = unknown if rng.random() < 0.05 else rng.choice(basic_tasks())
    problem = inner.make(draw)
    key = "answer"
    if rng.random() < 0.35:
        key = rng.choice(
            [
                "answer",
                "result",
                "value",
                "output",
                "reply",
                "solution",
                "city",
                "number",
                "text",
                words.made_up(rng),
            ]
        )
        instruction = draw.phrase(KEYED, KEYED_NEW, k=key).replace("{{", "{").replace("}}", "}")
    else:
        instruction = draw.phrase(TRAIN, NEW)
    answer = json.dumps({key: problem.result})
    return instruct(draw, problem, instruction, "json_answers", answer)
