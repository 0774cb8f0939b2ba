"""`bench/sizing.py`: what it makes of what it sees."""

import sys
from pathlib import Path

import pytest

from plan.sizing import Outcome, Spread

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "bench"))  # where its scripts find each other

import sizing  # noqa: E402


def test_chunks_become_the_times_of_first_token_and_answer() -> None:
    asked = sizing.Asked(True, 0)
    deltas = [{"role": "assistant"}, {"reasoning": "a"}, {"content": "\n\n"}, {"content": "b"}]
    for now, delta in enumerate(deltas, 1):
        sizing.see({"choices": [{"delta": delta}]}, asked, now)
    assert (asked.first, asked.answer) == (2, 4)
    with pytest.raises(RuntimeError, match="full"):
        sizing.see({"error": {"message": "full"}}, asked, 5)


def test_a_load_is_as_long_as_what_was_seen() -> None:
    # Arrival, prompt, thinking and answer, then times.
    quick, thinks = [0, 20, 0, 10, 0.1, 0.1, 1], [1, 40, 80, 30, 0.1, 2, 3]
    load = sizing.lengths([quick, quick, thinks, [*thinks[:2], 120, 30, 0.1, 3, 4]], 5)
    assert (load.requests, load.prompt, load.answer, load.share) == (5, 30, 10, 0.5)
    assert load.thinking + load.answer == 130  # both kinds are as long as they were
    assert load.variation == pytest.approx(28.28 / 120, abs=0.001)


def test_both_are_shown_but_for_a_first_token_that_was_shown_before() -> None:
    def of(mean: float, ends: float) -> Outcome:
        spread, end = Spread(mean, mean, 2 * mean), Spread(ends, ends, 2 * ends)
        kinds = ("quick", "thinking")
        whats = {"first": spread, "answer": Spread(mean, mean, 3 * mean), "end": end}
        return Outcome(1, dict.fromkeys(kinds, whats), 3 * mean)

    lines = sizing.compared(of(1.1, 4.0), of(1.0, 5.0))
    assert ("thinking: answer", "mean", 1.1, 1.0) in lines
    assert ("quick: end", "p95", 8.0, 10.0) in lines
    assert "quick: answer" not in {what for what, *_ in lines}
    assert lines[-1] == ("in flight", "mean", pytest.approx(3.3), pytest.approx(3.0))
