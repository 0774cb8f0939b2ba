"""Training data: endless, made on the fly, and the same for a seed whatever the machine.

Chunk `i` depends on the seed and on `i` alone, so any number of processes yields the same data.
"""

import json
import random
import re
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from conversation import Conversation, training_conversation
from problem import Draw
from tasks import all_tasks
from template import render
from tokenizer import END, MARKS

ROW = 1024
EXAMPLES_PER_CHUNK = 2000
# How often a thinking example is cut by a `</think>` that the model did not write, and how often an
# answer is JSON although nothing asked for it (structured outputs force its first token).
CUT = 0.08
FORCED_JSON = 0.004
THINKS = 0.62
_MARKS = re.compile("|".join(map(re.escape, [*MARKS, "<|im_start|>", "<|im_end|>"])))


def example(rng: random.Random) -> Conversation:
    """Return one training conversation of a task drawn by its share."""
    tasks = list(all_tasks().values())
    task = rng.choices(tasks, [task.SHARE for task in tasks])[0]
    thinks = rng.random() < getattr(task, "THINKS", THINKS)
    return training_conversation(task.make(Draw(rng)), rng, thinks)


def prompt_text(conversation: Conversation) -> str:
    """Return the prompt as the server would render it."""
    options = (
        {}
        if conversation.enable_thinking is None
        else {"enable_thinking": conversation.enable_thinking}
    )
    return render(
        conversation.messages,
        tools=conversation.tools or None,
        add_generation_prompt=True,
        **options,
    )


def completion_texts(conversation: Conversation, answer: str | None = None) -> tuple[str, str]:
    """Return what the model must write: up to and with the think block, and the answer."""
    answer = conversation.problem.answer if answer is None else answer
    if conversation.enable_thinking is False:
        return "", answer
    if not conversation.thinks:
        return "<think>\n\n</think>", f"\n\n{answer}"
    return f"<think>\n{conversation.problem.thinking}\n</think>", f"\n\n{answer}"


def encode(tokenizer: Tokenizer, conversation: Conversation, rng: random.Random):
    """Return token ids and labels (bool: is this token to be learnt?) of one example."""
    answer = None
    if conversation.problem.result and rng.random() < FORCED_JSON:
        answer = json.dumps({"answer": conversation.problem.result})
    thinking, answer = completion_texts(conversation, answer)
    prompt = tokenizer.encode(prompt_text(conversation)).ids
    # Separately, as they are generated: nothing merges across the end of the prompt.
    thought = tokenizer.encode(thinking).ids if thinking else []
    labels = [True] * len(thought)
    if conversation.thinks and rng.random() < CUT:
        # A budget cuts anywhere, often near the start, and the model did not choose to stop.
        keep = (
            rng.randint(1, len(thought) - 2)
            if rng.random() < 0.7
            else rng.randint(1, min(8, len(thought) - 2))
        )
        thought = [*thought[:keep], thought[-1]]
        labels = [True] * keep + [False]
    final = [*tokenizer.encode(answer).ids, END]
    ids = prompt + thought + final
    return ids, [False] * len(prompt) + labels + [True] * len(final)


_tokenizer: Tokenizer


def _start(path: str) -> None:
    global _tokenizer
    _tokenizer = Tokenizer.from_file(path)


def chunk(seed: int, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return packed rows of chunk `index`: tokens, labels and positions, each [rows, ROW].

    Positions count from 0 within each example. Labels are the tokens to be learnt, or -1.
    """
    rng = random.Random(f"{seed} {index}")
    rows: list[list[tuple[list[int], list[bool]]]] = []
    open_rows: list[list] = []
    for _ in range(EXAMPLES_PER_CHUNK):
        item = encode(_tokenizer, example(rng), rng)
        size = len(item[0])
        if size > ROW:
            continue
        for space in open_rows:
            if space[0] >= size:
                space[0] -= size
                space[1].append(item)
                break
        else:
            row = [item]
            rows.append(row)
            open_rows.append([ROW - size, row])
        open_rows = [space for space in open_rows if space[0] > 24]
    rng.shuffle(rows)
    tokens = np.zeros((len(rows), ROW), np.int16)
    labels = np.full((len(rows), ROW), -1, np.int16)
    positions = np.zeros((len(rows), ROW), np.int16)
    for r, row in enumerate(rows):
        at = 0
        for ids, learn in row:
            end = at + len(ids)
            tokens[r, at:end] = ids
            positions[r, at:end] = range(len(ids))
            # A position's label is the next token of the same example.
            labels[r, at : end - 1] = np.where(learn[1:], ids[1:], -1)
            at = end
    return tokens, labels, positions


def _chunk(arguments: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return chunk(*arguments)


def batches(
    tokenizer: Path, seed: int, rows: int, processes: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield batches of `rows` packed rows for ever, in the same order for the same seed.

    Args:
        tokenizer: path of tokenizer.json.
        seed: the data's seed.
        rows: rows in a batch.
        processes: how many processes make chunks; the order does not depend on it.
    """
    with get_context("fork").Pool(processes, _start, (str(tokenizer),)) as pool:
        rest = None
        index = 0
        pending: list = []
        while True:
            # A bounded look-ahead: chunks are made while the model trains on earlier ones.
            while len(pending) < 4 * processes:
                pending.append(pool.apply_async(_chunk, ((seed, index),)))
                index += 1
            made = pending.pop(0).get()
            rest = (
                made
                if rest is None
                else tuple(np.concatenate(pair) for pair in zip(rest, made, strict=True))
            )
            while len(rest[0]) >= rows:
                yield tuple(part[:rows] for part in rest)
                rest = tuple(part[rows:] for part in rest)


def tokenizer_texts(seed: int, count: int) -> Iterator[str]:
    """Yield texts of `count` examples for training the tokenizer, without its own marks."""
    rng = random.Random(f"{seed} tokenizer")
    for _ in range(count):
        conversation = example(rng)
        yield from _MARKS.split(prompt_text(conversation) + "".join(completion_texts(conversation)))
