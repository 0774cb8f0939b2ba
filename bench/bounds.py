"""What vLLM's compiler of grammars takes for one request: `python bench/bounds.py`.

It is xgrammar, run here by itself, each case in a process of its own that is ended after a while.
The time grows with the vocabulary, so there are two: the embedded model's, and any in the form of
tiktoken (a token in base64 and its number a line), as Qwen's.
"""

import argparse
import base64
import json
import multiprocessing
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def words(count: int, size: int = 12) -> list[str]:
    """Return so many words that have nothing but their end in common."""
    return [f"{number:0{size}d}abc" for number in range(count)]


def optional(count: int, **form: Any) -> Any:
    """Return a schema of an object with so many properties."""
    return {
        "type": "object",
        "properties": {f"p{number}": {"type": "string", **form} for number in range(count)},
    }


def nested(levels: int) -> Any:
    """Return a schema of objects within each other."""
    schema: Any = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


CASES: dict[str, tuple[str, Any]] = {
    "enum of 1,000 words": ("json", {"enum": words(1_000)}),
    "enum of 1,000 words of 60 characters": ("json", {"enum": words(1_000, 57)}),
    "enum of 10,000 words": ("json", {"enum": words(10_000)}),
    "enum of 100,000 words": ("json", {"enum": words(100_000)}),
    "100 properties": ("json", optional(100)),
    "300 properties": ("json", optional(300)),
    "1,000 properties": ("json", optional(1_000)),
    "30 objects within each other": ("json", nested(30)),
    "maxLength 100": ("json", optional(1, maxLength=100)),
    "maxLength 1,000": ("json", optional(1, maxLength=1_000)),
    "10 strings of maxLength 100": ("json", optional(10, maxLength=100)),
    "regular expression of 4 KiB": ("regex", "|".join(words(270))),
    "regular expression .{1,1000}": ("regex", ".{1,1000}"),
}


def compiled(kind: str, form: Any, vocabulary: str, result: Any) -> None:
    """Compile once, and put the seconds (wall, CPU of all threads) into `result`."""
    import xgrammar

    if vocabulary:
        lines = Path(vocabulary).read_bytes().splitlines()
        tokens = [base64.b64decode(line.split()[0]) for line in lines] + [b"<|end|>"]
        info = xgrammar.TokenizerInfo(
            tokens, vocab_type=xgrammar.VocabType.RAW, stop_token_ids=[len(tokens) - 1]
        )
    else:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(ROOT / "models" / "nano")
        info = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=2048)
    compiler = xgrammar.GrammarCompiler(info, max_threads=8, cache_enabled=False)
    wall, cpu = time.perf_counter(), time.process_time()
    if kind == "json":
        compiler.compile_json_schema(json.dumps(form))
    else:
        compiler.compile_grammar(xgrammar.Grammar.from_regex(form))
    result.put((time.perf_counter() - wall, time.process_time() - cpu))


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--vocabulary", default="", help="a file in the form of tiktoken")
    parser.add_argument("--seconds", type=int, default=30, help="after which a case is ended")
    arguments = parser.parse_args()
    print("| | seconds | of CPU |\n| --- | --- | --- |")
    for name, (kind, form) in CASES.items():
        result: Any = multiprocessing.SimpleQueue()
        process = multiprocessing.Process(
            target=compiled, args=(kind, form, arguments.vocabulary, result)
        )
        process.start()
        process.join(arguments.seconds + 10)
        if process.is_alive():
            process.kill()
            print(f"| {name} | more than {arguments.seconds} | |", flush=True)
        else:
            wall, cpu = result.get()
            print(f"| {name} | {wall:.2f} | {cpu:.2f} |", flush=True)


if __name__ == "__main__":
    main()
