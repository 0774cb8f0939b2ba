"""The committed files of the model: size, type, tokens, and that they agree with each other."""

import json
import struct
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "models" / "nano"))

import evaluate
import network
import tokenizer as nano_tokenizer

NANO = Path(network.__file__).resolve().parent


def read(name: str) -> dict:
    return json.loads((NANO / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tokens() -> Tokenizer:
    return Tokenizer.from_file(str(NANO / "tokenizer.json"))


@pytest.fixture(scope="module")
def weights() -> dict:
    """The header of the safetensors file: name to type and shape."""
    with (NANO / "model.safetensors").open("rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
    header.pop("__metadata__")
    return header


def test_size_and_type_of_the_weights(weights: dict) -> None:
    assert (NANO / "model.safetensors").stat().st_size <= 16 * 2**20
    assert {weight["dtype"] for weight in weights.values()} == {"BF16"}
    count = 0
    for weight in weights.values():
        size = 1
        for dimension in weight["shape"]:
            size *= dimension
        count += size
    assert 5e6 <= count <= 8e6
    assert f"{count:,}" in (NANO / "README.md").read_text(encoding="utf-8")


def test_weights_fit_the_network(weights: dict) -> None:
    shapes = {name: list(p.shape) for name, p in network.Qwen3().state_dict().items()}
    assert shapes == {name: weight["shape"] for name, weight in weights.items()}


def test_configurations() -> None:
    assert read("config.json") == network.CONFIG
    assert read("config.json")["architectures"] == ["Qwen3ForCausalLM"]
    generation = read("generation_config.json")
    assert generation == network.GENERATION
    recommended = {"do_sample": True, "temperature": 0.6, "top_p": 0.95, "top_k": 20}
    assert recommended.items() <= generation.items()


def test_marks_are_tokens_but_not_special(tokens: Tokenizer) -> None:
    added = {token.content: token for token in tokens.get_added_tokens_decoder().values()}
    for mark in nano_tokenizer.MARKS:
        assert len(tokens.encode(mark).ids) == 1
        assert not added[mark].special
    assert {text for text, token in added.items() if token.special} == set(nano_tokenizer.SPECIAL)
    text = "<think>\nx\n</think>"
    assert tokens.decode(tokens.encode(text).ids, skip_special_tokens=True) == text


def test_special_tokens_have_the_configured_ids(tokens: Tokenizer) -> None:
    config = read("config.json")
    assert tokens.get_vocab_size() == config["vocab_size"] == nano_tokenizer.VOCABULARY
    assert tokens.token_to_id("<|im_end|>") == config["eos_token_id"] == nano_tokenizer.END
    assert tokens.token_to_id("<|endoftext|>") == config["pad_token_id"] == nano_tokenizer.PAD
    assert read("tokenizer_config.json").items() >= {"eos_token": "<|im_end|>"}.items()
    # One template only: a copy in the tokenizer's configuration could disagree with the file.
    assert "chat_template" not in read("tokenizer_config.json")


@pytest.mark.parametrize(
    "text",
    ["7.8 > 7.11", "ÄÖ 你好 🎉\n\n x  y", "def f(x): return {x}", '{"answer": "12"}', "\t\x00"],
)
def test_any_text_survives(tokens: Tokenizer, text: str) -> None:
    assert tokens.decode(tokens.encode(text).ids, skip_special_tokens=False) == text


def test_digits_and_spaces_are_single_tokens(tokens: Tokenizer) -> None:
    assert tokens.encode("1234 + 5").tokens == ["1", "2", "3", "4", "Ġ", "+", "Ġ", "5"]
    # A name has the same tokens wherever it stands.
    name = tokens.encode("Zanzibar").ids
    assert tokens.encode("in Zanzibar?").ids[2:-1] == name
    assert tokens.encode('"Zanzibar"').ids[1:-1] == name


def test_the_card_has_the_place_for_the_scores() -> None:
    card = (NANO / "README.md").read_text(encoding="utf-8")
    begin, end = map(card.index, evaluate.MARKS)
    assert begin < end
    assert all(task.replace("_", " ") in card[begin:end] for task in evaluate.all_tasks())
