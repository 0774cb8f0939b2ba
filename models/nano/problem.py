"""What a task hands out, and how training and evaluation are kept apart.

A task draws a `Problem` from a `Draw`. The draw says whether the operands and the phrasing may be
ones that training sees, so the same task file makes both the training and the evaluation data.
"""

import random
import re
import zlib
from dataclasses import dataclass, field

_CHOICE = re.compile(r"\[([^\[\]]*)\]")

# One in HELD_OUT_OF operand keys is never used in training.
HELD_OUT_OF = 10


def expand(rng: random.Random, pattern: str) -> str:
    """Replace every `[a|b|c]` of `pattern` by one of its options, innermost first."""
    while match := _CHOICE.search(pattern):
        option = rng.choice(match[1].split("|"))
        pattern = pattern[: match.start()] + option + pattern[match.end() :]
    return pattern


@dataclass(frozen=True)
class Problem:
    """One question and the only right way to answer it.

    Attributes:
        task: the task's name.
        question: the user's last message, without any thinking flag.
        thinking: what the model writes between the think tags when it thinks.
        answer: the content of the right answer, or `<tool_call>` blocks.
        result: the bare result inside the answer; None where asking for one makes no sense.
        system: a sentence that the system prompt must hold for the answer to be right.
        before: messages before the question that it depends on.
        after: messages after the question (a tool call and its result).
        tools: function definitions to offer.
        tool_subject: the tool family that the question could be meant for, so that a
            distracting tool is never one that fits.
    """

    task: str
    question: str
    thinking: str
    answer: str
    result: str | None = None
    system: str = ""
    before: tuple[dict, ...] = ()
    after: tuple[dict, ...] = ()
    tools: tuple[dict, ...] = ()
    tool_subject: str = ""


@dataclass
class Draw:
    """The randomness and the side of the split that a problem is drawn from.

    Attributes:
        rng: the only source of randomness.
        held_out: True draws operands that training never sees, False only ones that it may see.
        new_phrasing: True uses the wordings that training never sees.
    """

    rng: random.Random = field(default_factory=random.Random)
    held_out: bool = False
    new_phrasing: bool = False

    def phrase(self, train: list[str], new: list[str], **slots: object) -> str:
        """Return one wording of this side of the split with its `{slots}` filled.

        A slot's value may itself hold choices: slots are filled first, then `[a|b]` is decided.
        """
        pattern = self.rng.choice(new if self.new_phrasing else train)
        for name, value in slots.items():
            pattern = pattern.replace("{" + name + "}", str(value))
        return expand(self.rng, pattern)

    def owns(self, *key: object) -> bool:
        """Return whether operands (or a text) belong to this side of the split."""
        digest = zlib.crc32(repr(key).encode())
        return (digest % HELD_OUT_OF == 0) == self.held_out

    def text(self, sample, *more: object) -> str:
        """Draw `sample()` until the text belongs to this side of the split.

        New phrasings need no such test, since training never has them at all.
        """
        if self.new_phrasing:
            return sample()
        return self.until_owned(sample, lambda text: ("text", text, *more))

    def until_owned(self, sample, key=lambda value: value):
        """Draw `sample()` until its key belongs to this side of the split."""
        while True:
            value = sample()
            if self.owns(key(value)):
                return value
