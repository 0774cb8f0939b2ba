"""Which threshold to set; or that none is worth it, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from .asking import BUDGET
from .policies import Estimate, Row

TOLERANCE = 0.01  # of accuracy, that may be lost against thinking always
SAVING = 0.05  # of its tokens, that must be saved
UNKNOWN = 0.05  # of accuracy: where more could be lost than that, nothing is said


@dataclass(frozen=True)
class Advice:
    """What to set.

    Attributes:
        text: what, and why, with the figures.
        values: the lines of values.yaml; empty where there are too few questions.
        row: the adaptive policy that is recommended; None where none is.
    """

    text: str
    values: str
    row: Row | None = None


def advise(rows: Sequence[Row], draft_tokens: int) -> Advice:
    """Return what to set.

    Args:
        rows: of off, of on, and of the other policies.
        draft_tokens: tokens of a draft that the adaptive ones watch.
    """
    off, on = rows[:2]
    good = [row for row in rows if row.policy.threshold and row.gain.value >= -TOLERANCE]
    # Of thresholds that do the same here, the highest is the safest elsewhere.
    best = min(good, key=lambda row: (row.tokens.value, -(row.policy.threshold or 0)), default=None)
    without = off.gain.value >= -TOLERANCE
    judged = off if without else best
    # Where no answer differs the bootstrap has no doubt, but up to 3 / n may be lost all the same,
    # with 95 % confidence ("rule of three", Hanley and Lippman-Hand 1983).
    count = len(on.policy.right)
    if min(judged.gain.low if judged else 0, -3 / count) < -UNKNOWN:
        judged = judged or off
        return Advice(
            f"Too few questions ({count}) for a statement. As far as they tell, "
            f"{judged.policy.name}: {_compared(judged, on)} {_sure(judged.gain)} To say more, it "
            f"must be known to lose no more than {100 * UNKNOWN:.0f} points, which takes "
            f"{3 / UNKNOWN:.0f} questions at least, and mostly some hundreds.",
            "",
        )
    if without:
        return Advice(
            "Adaptive thinking is not worth it: let it not think. Without thinking "
            f"{_compared(off, on)} {_sure(off.gain)}",
            "reasoning:\n  thinkingDefault: false\n",
        )
    if best is None or best.tokens.value > (1 - SAVING) * on.tokens.value:
        why = "No threshold comes within a point of the accuracy of thinking always."
        if best:
            why = (
                f"The cheapest threshold within a point of its accuracy, {best.policy.threshold:g},"
                f" saves less than {100 * SAVING:.0f} % of its tokens: {_compared(best, on)}"
            )
        return Advice(
            f"Adaptive thinking is not worth it: let it think always. {why} Without thinking "
            f"{_compared(off, on)}",
            "reasoning:\n  thinkingDefault: true\n",
        )
    text = (
        f"Set the threshold to {best.policy.threshold:g}. It thinks about {100 * best.share:.0f} % "
        f"of the questions, and {_compared(best, on)} {_sure(best.gain)}"
    )
    for row in rows:
        cheaper = row.tokens.value < best.tokens.value and row.gain.value >= -TOLERANCE
        if row.policy.name.startswith(BUDGET) and cheaper:
            text += (
                f" But a {row.policy.name} for every question (reasoning.tokenBudget) takes less: "
                f"{_compared(row, on)}"
            )
            break
    values = f"    threshold: {best.policy.threshold:g}\n    draftTokens: {draft_tokens}\n"
    return Advice(text, "reasoning:\n  adaptive:\n" + values, best)


def _compared(row: Row, on: Row) -> str:
    right, always = (f"{100 * one.accuracy.value:.1f} %" for one in (row, on))
    return (
        f"{right} are right with {row.tokens.value:.0f} tokens a question; {always} with "
        f"{on.tokens.value:.0f} when it thinks always."
    )


def _sure(gain: Estimate) -> str:
    points = [f"{100 * value:+.1f}" for value in (gain.value, gain.low, gain.high)]
    return (
        f"That is {points[0]} points ({points[1]} to {points[2]}, 95 %); the lower end of the "
        f"interval {'is' if gain.low >= -TOLERANCE else 'is not'} within the one that may be lost."
    )
