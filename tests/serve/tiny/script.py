"""What a tiny model writes: vLLM's logits are its own, and then the script's token wins.

A logits processor does it, so that all else is as with any model: the architecture runs, a budget
forces its token after this (vLLM applies it last), a grammar and `bad_words` still forbid theirs.
"""

import json
from pathlib import Path
from typing import Any

import torch
from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor
from vllm.v1.sample.logits_processor.builtin import process_dict_updates

FILE = "script.json"  # [{"needs": [tokens, ...], "text": tokens}, ...]
SURE = 1000.0  # what is added to the logit of the script's token


class Script(LogitsProcessor):
    """Has a model write on in the text of its folder, from wherever it is in it."""

    def __init__(self, vllm_config: Any, device: torch.device, is_pin_memory: bool) -> None:
        self._texts = json.loads((Path(vllm_config.model_config.model) / FILE).read_text())
        self._requests: dict[int, tuple[list[int], list[int], list[int]]] = {}

    def is_argmax_invariant(self) -> bool:
        return False

    def update_state(self, batch_update: BatchUpdate | None) -> None:
        process_dict_updates(self._requests, batch_update, self._asked)

    def _asked(
        self, params: Any, prompt: list[int] | None, written: list[int]
    ) -> tuple[list[int], list[int], list[int]]:
        """Return the last text whose needs the prompt has, with what there is of it so far."""
        asked = prompt or []
        texts = [t["text"] for t in self._texts if all(_has(asked, need) for need in t["needs"])]
        return texts[-1], asked, written

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        logits.nan_to_num_(nan=0.0, neginf=-torch.inf)  # random weights may come to anything
        for row, (text, prompt, written) in self._requests.items():
            logits[row, following(text, [*prompt, *written])] += SURE
        return logits


def following(text: list[int], so_far: list[int]) -> int:
    """Return the token of a text that comes after the longest part of it that stands last."""
    best, longest = len(text) - 1, 0
    for end in range(1, len(text)):
        same = 0
        while same < end and same < len(so_far) and text[end - 1 - same] == so_far[-1 - same]:
            same += 1
        if same > longest:
            best, longest = end, same
    return text[best]


def _has(tokens: list[int], part: list[int]) -> bool:
    return any(tokens[at : at + len(part)] == part for at in range(len(tokens) - len(part) + 1))
