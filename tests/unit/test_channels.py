"""The thinking of gpt-oss by its channels, of answers that grow or are whole."""

import pytest

from app.answers.channels import Channels, channels

WORDS = ["<|start|>", "<|end|>", "<|return|>", "<|call|>", "<|channel|>", "<|message|>"]
WORDS += ["assistant", "analysis", "commentary", "final", "a", "b", "c"]
VOCABULARY = {word: number for number, word in enumerate(WORDS)}
MARKS = frozenset(range(6))
THOUGHT = "<|channel|> analysis <|message|> a b c <|end|> <|start|> assistant"
ANSWERS = {
    f"{THOUGHT} <|channel|> final <|message|> a b <|return|>": 3,
    "<|channel|> final <|message|> a analysis b <|return|>": 0,
    f"{THOUGHT} <|channel|> commentary <|message|> a b <|call|>": 3,
    f"{THOUGHT} <|channel|> analysis <|message|> a final <|end|>": 5,
    "<|channel|> analysis <|message|> a": 1,
    "": 0,
}


def counter() -> Channels:
    found = channels(VOCABULARY, MARKS)
    assert found
    return found


def tokens(text: str) -> list[int]:
    return [VOCABULARY[word] for word in text.split()]


@pytest.mark.parametrize(("text", "thought"), ANSWERS.items())
def test_the_analysis_alone_is_counted_whole_or_as_it_grows(text: str, thought: int) -> None:
    assert counter().count(tokens(text)) == thought
    growing, counts = counter(), [0]
    for end in range(len(tokens(text)) + 1):
        counts.append(growing.count(tokens(text)[:end]))
    assert counts == sorted(counts) and counts[-1] == thought


def test_several_answers_are_counted_each() -> None:
    one = counter()
    assert [one.count(tokens(text)) for text in ANSWERS] == list(ANSWERS.values())


def test_a_model_without_channels_has_none() -> None:
    assert channels({"<think>": 1, "analysis": 2}, MARKS) is None
