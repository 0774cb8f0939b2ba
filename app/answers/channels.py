"""How many tokens gpt-oss has thought: no tags say so, but the channel of each message.

Its answers are messages, `<|channel|>analysis<|message|>...<|end|>` the thinking, and `final` what
the user reads (https://developers.openai.com/cookbook/articles/openai-harmony). vLLM's parser of it
counts nothing (0.29).
"""

from collections.abc import Mapping, Sequence

_THINKING = "analysis"


class Channels:
    """Counts the tokens of the thinking as `app.answers.counting.Tally` does."""

    def __init__(self, channel: int, message: int, thinking: int, marks: frozenset[int]) -> None:
        """Take the tokens that make messages.

        Args:
            channel: what comes before a channel's name.
            message: what comes before a message's text.
            thinking: the name of the channel that is the thinking.
            marks: all that are no text.
        """
        self._channel, self._message, self._thinking = channel, message, thinking
        self._marks = marks
        self.restart()

    def prompted(self, tokens: Sequence[int], ended: bool) -> None:
        """Begin with an answer to a prompt, which says nothing of the answer's channels."""
        self.restart()

    def restart(self) -> None:
        """Begin with another answer to the same prompt."""
        self._seen: Sequence[int] = ()
        self._count = 0
        self._named = self._inside = False
        self._last = -1

    def count(self, tokens: Sequence[int]) -> int:
        """Return the tokens of thinking.

        Args:
            tokens: all tokens of an answer so far, which has grown or is another one.
        """
        if list(tokens[: len(self._seen)]) != list(self._seen):
            self.restart()
        for token in tokens[len(self._seen) :]:
            if token == self._message:
                self._inside = self._named
            elif token in self._marks:
                self._inside = self._named = False
            elif self._last == self._channel:
                self._named = token == self._thinking
            else:
                self._count += self._inside
            self._last = token
        self._seen = tokens
        return self._count


def channels(vocabulary: Mapping[str, int], marks: frozenset[int]) -> Channels | None:
    """Return a count by these tokens; None for a model that has no channels."""
    found = [vocabulary.get(text) for text in ("<|channel|>", "<|message|>", _THINKING)]
    channel, message, thinking = found
    if channel is None or message is None or thinking is None:
        return None
    return Channels(channel, message, thinking, marks)
