"""What the pods count, by the port of Ray's own metrics."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

THOUGHT = ("on", "adaptive_thought")


@dataclass(frozen=True)
class Counted:
    """Sums over the pods that were asked.

    Args:
        requests: that have ended, by mode.
        outcomes: of them, by outcome.
        refused: by policy.
        thinking: tokens.
        answer: tokens.
        running: requests in the engines now.
        waiting: requests that wait in the engines now.
        cache: how full the fullest KV cache is, 0 to 1; None where no engine tells, as idle ones.
    """

    requests: Counter[str]
    outcomes: Counter[str]
    refused: int
    thinking: int
    answer: int
    running: int
    waiting: int
    cache: float | None

    @property
    def share(self) -> float | None:
        """The part of the requests that thought, 0 to 1; None before the first."""
        total = sum(self.requests.values())
        return sum(self.requests[mode] for mode in THOUGHT) / total if total else None


def counted(texts: Iterable[str]) -> Counted:
    """Return the sums of what pods say.

    Args:
        texts: of each pod's metrics, in Prometheus's format.
    """
    requests, outcomes, sums = Counter[str](), Counter[str](), Counter[str]()
    cache: float | None = None
    for text in texts:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                name, labels, value = sample.name, sample.labels, sample.value
                if not math.isfinite(value):
                    continue
                if name == "ray_hybrid_llm_requests_total":
                    requests[labels.get("mode", "")] += int(value)
                    outcomes[labels.get("outcome", "")] += int(value)
                elif name == "ray_vllm_kv_cache_usage_perc":
                    cache = max(cache or 0.0, value)
                elif name.startswith("ray_"):
                    sums[name] += int(value)
    return Counted(
        requests,
        outcomes,
        sums["ray_hybrid_llm_refusals_total"],
        sums["ray_hybrid_llm_thinking_tokens_total"],
        sums["ray_hybrid_llm_answer_tokens_total"],
        sums["ray_vllm_num_requests_running"],
        sums["ray_vllm_num_requests_waiting"],
        cache,
    )
