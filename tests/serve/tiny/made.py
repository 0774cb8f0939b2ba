"""The folder of a tiny model, made by code: config, tokenizer, chat template and script.

It has no weights: vLLM makes random ones for the architecture (`load_format: dummy`).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from .family import ANSWER, THOUGHT, Family
from .script import FILE


def make(family: Family, folder: Path) -> None:
    """Write the model of a family into a folder."""
    tokenizer = family.tokenizer() if family.tokenizer else _tokenizer(family)
    tokenizer.save(str(folder / "tokenizer.json"))
    ids = tokenizer.get_vocab()
    end = ids[family.end]
    tokens = {"vocab_size": len(ids), "dtype": "bfloat16"}
    tokens |= {f"{name}_token_id": end for name in ("bos", "eos", "pad")}
    said = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": family.end,
        "pad_token": family.end,
        "additional_special_tokens": family.special,
        "clean_up_tokenization_spaces": False,
    }
    _write(folder / "config.json", {**family.config, **tokens})
    _write(folder / "tokenizer_config.json", said)
    ends = [end, *(ids[token] for token in family.ends)]
    _write(folder / "generation_config.json", {"eos_token_id": ends})
    _write(folder / FILE, list(_texts(family, tokenizer)))
    (folder / "chat_template.jinja").write_text(family.template)


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1))


def _tokenizer(family: Family) -> Tokenizer:
    """Return one of bytes, and of whole words for what the model thinks and answers."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(alphabet)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, normalized=False) for t in family.special])
    words = [*family.marks, *THOUGHT, *ANSWER]
    tokenizer.add_tokens([AddedToken(t, normalized=False, special=False) for t in words])
    return tokenizer


def _texts(family: Family, tokenizer: Tokenizer) -> Iterator[dict[str, Any]]:
    """Yield what the model writes, the special after the general."""
    thoughts = {"": 0}
    if family.before:
        thoughts |= {family.asks: len(THOUGHT), **family.lengths}
    answer = family.after + "".join(ANSWER) + family.end
    for given, rest in (("", answer), (family.given, family.call)):
        for said, words in thoughts.items():
            thought = family.before + "".join(THOUGHT[:words])
            written = thought + rest if words else rest.removeprefix(family.after)
            needs = [_tokens(tokenizer, part) for part in (given, said) if part]
            yield {"needs": needs, "text": _tokens(tokenizer, family.head + written)}


def _tokens(tokenizer: Tokenizer, text: str) -> list[int]:
    tokens: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return tokens
