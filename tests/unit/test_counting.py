"""Tokens of thinking are counted by the tokens: with vLLM's own parsers and the nano model's."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from transformers import AutoTokenizer
from vllm.reasoning import ReasoningParserManager

from app.answers.counting import Tally, by_token

TOKENIZER = AutoTokenizer.from_pretrained("models/nano")
START, END, CALL = (
    TOKENIZER.convert_tokens_to_ids(token) for token in ("<think>", "</think>", "<tool_call>")
)
WORDS = TOKENIZER.encode("7.8 is greater than 7.11.", add_special_tokens=False)
TURN = TOKENIZER.encode("<|im_start|>assistant\n", add_special_tokens=False)
PARSERS = ["qwen3", "deepseek_r1"]


def made(name: str, prompt: list[int]) -> Any:
    """Return a parser that has been asked of its prompt, as vLLM does it first."""
    parser = by_token(ReasoningParserManager.get_reasoning_parser(name))(TOKENIZER)
    parser.is_reasoning_end(prompt)
    return parser


def whole(name: str, prompt: list[int], *answers: list[int]) -> list[int]:
    """Return the counts of whole answers to one prompt."""
    parser = made(name, prompt)
    counts = []
    for tokens in answers:
        parser.extract_reasoning(TOKENIZER.decode(tokens), SimpleNamespace())
        counts.append(parser.count_reasoning_tokens(tokens))
    return counts


def streamed(name: str, prompt: list[int], *answers: list[int]) -> list[int]:
    """Return the counts of streams of one token at a time, each with its own parser."""
    counts = []
    for tokens in answers:
        parser, count = made(name, prompt), 0
        for size in range(1, len(tokens) + 1):
            count = parser.count_reasoning_tokens(tuple(tokens[:size]))
        counts.append(count)
    return counts


@pytest.mark.parametrize("count", [whole, streamed])
@pytest.mark.parametrize("name", PARSERS)
def test_what_stands_between_the_marks_is_counted(name: str, count: Callable[..., Any]) -> None:
    answers = [[START, *WORDS, END, *WORDS], [START, *WORDS[:3]], [START, END, *WORDS], [START], []]
    assert count(name, TURN, *answers) == [len(WORDS), 3, 0, 0, 0]


@pytest.mark.parametrize("count", [whole, streamed])
@pytest.mark.parametrize("name", PARSERS)
def test_a_prompt_may_end_within_the_thinking(name: str, count: Callable[..., Any]) -> None:
    answers = [[*WORDS, END, *WORDS], WORDS[:3]]
    assert count(name, [*TURN, START], *answers) == [len(WORDS), 3]


@pytest.mark.parametrize("count", [whole, streamed])
@pytest.mark.parametrize("name", PARSERS)
def test_a_prompt_may_have_ended_the_thinking(name: str, count: Callable[..., Any]) -> None:
    assert count(name, [*TURN, START, END], WORDS) == [0]


@pytest.mark.parametrize("count", [whole, streamed])
def test_a_call_ends_the_thinking_of_a_model_whose_parser_says_so(
    count: Callable[..., Any],
) -> None:
    answer = [START, *WORDS, CALL, *WORDS]
    assert count("qwen3", TURN, answer) == [len(WORDS)]
    assert count("deepseek_r1", TURN, answer) == [2 * len(WORDS) + 1]


@pytest.mark.parametrize("count", [whole, streamed])
def test_the_end_of_a_turn_is_no_thinking(count: Callable[..., Any]) -> None:
    assert count("qwen3", TURN, [START, *WORDS, TOKENIZER.eos_token_id]) == [len(WORDS)]


def test_a_stream_with_a_stop_counts_what_its_text_still_lacks() -> None:
    """vLLM holds text back by the length of a stop, and counts by the text."""
    plain = ReasoningParserManager.get_reasoning_parser("qwen3")(TOKENIZER)
    ours = made("qwen3", TURN)
    tokens: list[int] = []
    for token in (START, *WORDS):
        tokens.append(token)
        for parser in (plain, ours):
            parser.extract_reasoning_streaming("", "", "", (), tokens, [token])
    assert plain.count_reasoning_tokens(tokens) == 0  # if it counts them, ours isn't needed
    assert ours.count_reasoning_tokens(tokens) == len(WORDS)


def test_where_a_model_opens_its_thinking_itself_an_answer_without_it_has_none() -> None:
    """Mistral's prompts have no tag with thinking off, and its answers none either."""
    tally = Tally(frozenset({START}), frozenset({END}), frozenset(), within=False)
    prompts = {
        (): 0,
        (START, END): 0,
        (END, *WORDS, START): len(WORDS),
        (START, *WORDS): len(WORDS),
    }
    for prompt, thought in prompts.items():
        tally.prompted([*TURN, *prompt], ended=prompt == (START, END))
        assert tally.count(WORDS) == thought
    tally.prompted(TURN, ended=False)
    assert tally.count([START, *WORDS, END, *WORDS]) == len(WORDS)
