"""gpt-oss: always thinks, as much as its own `reasoning_effort` says, in a channel and not in tags.

vLLM writes its prompts and reads its answers by openai-harmony, which takes no vocabulary but
OpenAI's; a Go module has the file that it would download.
"""

import functools
import os
import subprocess
from pathlib import Path

from openai_harmony import load_harmony_encoding
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers.convert_slow_tokenizer import TikTokenConverter, bytes_to_unicode

from ..conftest import ROOT
from ..tiny.family import SIZES, Family, terms

SIZE = 201088  # tokens, the special ones included


def variables() -> dict[str, str]:
    """Return what tells openai-harmony where its vocabulary lies."""
    return {"TIKTOKEN_ENCODINGS_BASE": str(_vocabulary())}


@functools.cache
def _vocabulary() -> Path:
    command = [ROOT / "tools/go-tool", "--module", "tiktoken-go-loader"]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Path(found.stdout.strip()) / "assets"


def tokenizer() -> Tokenizer:
    """Return OpenAI's vocabulary. It has no merges: what is no token is told byte by byte."""
    os.environ.update(variables())
    harmony = load_harmony_encoding("HarmonyGptOss")
    converter, letters = TikTokenConverter(), bytes_to_unicode()
    ranks = converter.load_tiktoken_bpe(str(_vocabulary() / "o200k_base.tiktoken"))
    vocabulary = {"".join(map(letters.get, token)): rank for token, rank in ranks.items()}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[], ignore_merges=True))
    words = pre_tokenizers.Split(Regex(converter.pattern), behavior="isolated")
    as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.pre_tokenizer = pre_tokenizers.Sequence([words, as_bytes])
    made.decoder = decoders.ByteLevel()
    special = [harmony.decode([token]) for token in range(len(ranks), SIZE)]
    made.add_special_tokens([AddedToken(token, normalized=False) for token in special])
    return made


FAMILY = Family(
    config={
        **SIZES,
        "architectures": ["GptOssForCausalLM"],
        "model_type": "gpt_oss",
        "layer_types": ["sliding_attention", "full_attention"],
        "num_experts_per_tok": 2,
        "num_local_experts": 4,
        "sliding_window": 128,
        "swiglu_limit": 7.0,
    },
    native=terms("gpt-oss-20b"),
    template="{{ raise_exception('openai-harmony writes the prompts') }}",
    head="<|end|><|start|>assistant",
    before="<|channel|>analysis<|message|>",
    after="<|end|><|start|>assistant<|channel|>final<|message|>",
    call="<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather "
    '<|constrain|>json<|message|>{"city": "Oslo"}<|call|>',
    end="<|return|>",
    ends=["<|call|>"],
    given="# Tools",
    lengths={": low": 3},  # "Reasoning" is no token
    reasoning_parser="openai_gptoss",
    tool_parser="openai",
    variables=variables,
    tokenizer=tokenizer,
)
