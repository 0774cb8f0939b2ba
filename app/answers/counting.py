"""How many tokens a model has thought, by the tokens themselves, as vLLM's replicas count them.

vLLM counts a stream by its text. Where a request has a `stop`, the text comes later than the tokens
that it was made of, and the count of a stream misses the one or adds the other; whole answers it
parses a second time. And where a prompt ends within the thinking, as those of DeepSeek's models do,
some of its parsers count nothing at all.
"""

from collections.abc import Sequence
from typing import Any

from app.answers.channels import Channels, channels
from app.answers.kept import kept


class Tally:
    """Counts the tokens of one answer's thinking, which some tokens begin and others end."""

    def __init__(
        self,
        begins: frozenset[int],
        ends: frozenset[int],
        ignored: frozenset[int],
        within: bool = True,
    ):
        """Take the tokens that aren't counted themselves.

        Args:
            begins: those that the thinking begins with.
            ends: those that end it.
            ignored: others that are no text, like the end of a turn.
            within: whether an answer begins within the thinking where its prompt has neither.
        """
        self._begins, self._ends = begins, ends
        self._marks = begins | ends | ignored
        self._within = self._open = within
        self.restart()

    def prompted(self, tokens: Sequence[int], ended: bool) -> None:
        """Begin with an answer to a prompt.

        Args:
            tokens: the prompt's.
            ended: whether the parser has found the thinking ended in it.
        """
        self._open = not ended and (self._within or self._left_open(tokens))
        self.restart()

    def _left_open(self, tokens: Sequence[int]) -> bool:
        tags = self._begins | self._ends
        return next((t for t in reversed(tokens) if t in tags), None) in self._begins

    def restart(self) -> None:
        """Begin with another answer to the same prompt."""
        self._seen = self._count = 0
        self._inside = self._open

    def count(self, tokens: Sequence[int]) -> int:
        """Return the tokens of thinking; of an answer that has grown, only the new are looked at.

        Args:
            tokens: all tokens of the answer so far.
        """
        for token in tokens[self._seen :]:
            if token not in self._marks:
                self._count += self._inside
            elif token in self._ends:
                self._inside = False
            elif token in self._begins:
                self._inside = True
        self._seen = len(tokens)
        return self._count


def by_token(parser: type[Any]) -> type[Any]:
    """Return vLLM's parser of a model's thinking with a count of its tokens by these.

    A parser stays as it is where no tokens say what is thinking.
    """
    if issubclass(parser, _ByToken):
        return parser
    return type(parser.__name__, (_ByToken, parser), {"__module__": __name__})


class _ByToken:
    """What a parser is mixed with: `vllm.reasoning.ReasoningParser` says what the methods do."""

    def __init__(self, tokenizer: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(tokenizer, *args, **kwargs)  # type: ignore[call-arg]
        self._tally = _tally(self, tokenizer)
        self._prompted = False

    def is_reasoning_end(self, input_ids: Sequence[int]) -> bool:
        ended: bool = super().is_reasoning_end(input_ids)  # type: ignore[misc]
        if self._tally and not self._prompted:  # it is first asked of the prompt
            self._prompted = True
            self._tally.prompted(input_ids, ended)
        return ended

    def extract_reasoning(self, *args: Any, **kwargs: Any) -> Any:
        if self._tally:  # a whole answer, of which there may be several
            self._tally.restart()
        return super().extract_reasoning(*args, **kwargs)  # type: ignore[misc]

    def count_reasoning_tokens(self, token_ids: Sequence[int]) -> int:
        if self._tally:
            return self._tally.count(token_ids)
        return int(super().count_reasoning_tokens(token_ids))  # type: ignore[misc]


def _tally(parser: Any, tokenizer: Any) -> Tally | Channels | None:
    """Return a count for a parser's answers, None where no tokens say what is thinking."""
    engine = getattr(parser, "_parser_engine", None)
    config = engine and engine.parser_engine_config
    marks = _marks(config, tokenizer, parser.reasoning_start_str, parser.reasoning_end_str)
    if marks is None:
        if parser.reasoning_end_str is None:
            return channels(tokenizer.get_vocab(), frozenset(tokenizer.all_special_ids))
        return None
    return Tally(*marks, within=config is None or config.initial_state.name == "REASONING")


@kept
def _marks(
    config: Any, tokenizer: Any, start: str | None, end: str | None
) -> tuple[frozenset[int], frozenset[int], frozenset[int]] | None:
    """Return what a `Tally` is told; it is the same for each request."""
    vocabulary = tokenizer.get_vocab()
    if (first := vocabulary.get(end)) is None:
        return None
    begins, ends = {vocabulary.get(start)} - {None}, {first}
    if config:
        for state, terminal in config.transitions:
            token = vocabulary.get(config.token_id_terminals.get(terminal))
            following = config.transitions[state, terminal].next_state.name
            if token is not None and state.name == "REASONING" != following:
                ends.add(token)  # for some models a call of a tool, too
    return frozenset(begins), frozenset(ends), frozenset(tokenizer.all_special_ids)
