"""vLLM's parsers of families that tests/serve does not serve, on what such a model writes."""

from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
from vllm.parser.parser_manager import ParserManager
from vllm.reasoning import ReasoningParserManager

from app.answers.counting import by_token

# {name of a parser: between which it thinks}
PARSERS = {
    "deepseek_v4": ("<think>", "</think>"),
    "ernie45": ("<think>", "</think>"),
    "glm47": ("<think>", "</think>"),
    "hy_v4": ("<think>", "</think>"),
    "ling3": ("<think>", "</think>"),
    "mimo": ("<think>", "</think>"),
    "minimax_m3": ("<mm:think>", "</mm:think>"),
    "step3p5": ("<think>", "</think>"),
}
# What tells each of them that it is to think
TOLD = {"enable_thinking": True, "reasoning_effort": "high", "thinking_mode": "enabled"}
THOUGHT, ANSWER = [" one", " two", " three"], [" The", " answer", "."]


def tokenizer(*marks: str) -> PreTrainedTokenizerFast:
    """Return one of bytes, the words above, and these marks."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(alphabet)}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    words = dict.fromkeys([*marks, *THOUGHT, *ANSWER])
    made.add_tokens([AddedToken(word, normalized=False, special=False) for word in words])
    return PreTrainedTokenizerFast(tokenizer_object=made)


def whole(parser: Any, words: Any, prompt: list[int], tokens: list[int], request: Any) -> Any:
    """Return the thinking, the answer and the tokens of thinking of a whole answer."""
    parser.is_reasoning_end(prompt)
    reasoning, content, _ = parser.parse(
        words.decode(tokens), request, model_output_token_ids=tokens
    )
    return reasoning, content, parser.count_reasoning_tokens(tokens)


def streamed(parser: Any, words: Any, prompt: list[int], tokens: list[int], request: Any) -> Any:
    """Return the same of a stream of one token at a time."""
    reasoning = content = ""
    for number, token in enumerate(tokens, 1):
        delta = parser.parse_delta(
            words.decode([token]), [token], request, prompt, finished=number == len(tokens)
        )
        reasoning += (delta and delta.reasoning) or ""
        content += (delta and delta.content) or ""
    return reasoning, content, parser.count_reasoning_tokens(tokens)


@pytest.mark.parametrize("parse", [whole, streamed])
@pytest.mark.parametrize("opened", [False, True], ids=["it begins", "its prompt begins"])
@pytest.mark.parametrize(("name", "tags"), PARSERS.items(), ids=PARSERS)
def test_thinking_is_told_apart_and_counted(
    monkeypatch: pytest.MonkeyPatch, name: str, tags: tuple[str, str], opened: bool, parse: Any
) -> None:
    words = tokenizer("<think>", "</think>", *tags)
    start, end = tags
    counting = by_token(ReasoningParserManager.get_reasoning_parser(name))
    monkeypatch.setitem(ReasoningParserManager.reasoning_parsers, name, counting)
    kind: Any = ParserManager.get_parser(reasoning_parser_name=name)
    request = ChatCompletionRequest(
        model="m", messages=[{"role": "user", "content": "Hi"}], chat_template_kwargs=TOLD
    )
    prompt = words.encode("Hi" + start * opened)
    text = start * (not opened) + "".join(THOUGHT) + end + "".join(ANSWER)
    parser = kind(words, chat_template_kwargs=TOLD)
    reasoning, content, count = parse(parser, words, prompt, words.encode(text), request)
    assert (reasoning.strip(), content.strip()) == ("one two three", "The answer.")
    assert count == len(THOUGHT)
