"""What each policy would have brought, worked out from what was answered with and without thinking.

A policy decides which questions are thought about. Everything here is per question, and intervals
are percentile bootstrap over questions (Efron 1979), the same resamples for all policies, so that
differences are paired.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .asking import ADAPTIVE, BUDGET, OFF, ON
from .grading import agrees, right
from .questions import Question
from .records import Answer

Floats = npt.NDArray[np.float64]
Answers = Mapping[tuple[str, str], Answer]

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
ORACLE, SERVED = "oracle", "adaptive, as served"
RESAMPLES = 2000
SEED = 1
_BYTES = 1 << 27  # of resampled values at a time


@dataclass(frozen=True, eq=False)
class Policy:
    """What a policy brings, a value for each question.

    Attributes:
        name: for people.
        right: 1 where its answer is right, else 0.
        tokens: that are generated.
        seconds: to the end of the answer.
        thinks: 1 where it thinks, else 0.
        threshold: of an adaptive one.
    """

    name: str
    right: Floats
    tokens: Floats
    seconds: Floats
    thinks: Floats
    threshold: float | None = None


@dataclass(frozen=True)
class Estimate:
    """A value, and its 95 % interval over questions."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Chance:
    """What thinking about as many questions, drawn at random, is expected to bring."""

    accuracy: float
    tokens: float  # a question
    seconds: float  # median


@dataclass(frozen=True, eq=False)
class Row:
    """What a policy brings over all questions.

    Attributes:
        policy: what it is, for each question.
        accuracy: share of right answers.
        gain: that less the accuracy of thinking always.
        tokens: mean, a question.
        seconds: median.
        share: of questions that it thinks about.
        chance: at the same share; for the adaptive ones.
    """

    policy: Policy
    accuracy: Estimate
    gain: Estimate
    tokens: Estimate
    seconds: Estimate
    share: float
    chance: Chance | None


def whole(questions: Iterable[Question], answers: Answers) -> tuple[list[Question], list[str]]:
    """Return the questions that were asked with and without thinking, and the arms of them all."""
    asked = [q for q in questions if all((q.key, arm) in answers for arm in (OFF, ON))]
    arms = dict.fromkeys(arm for _, arm in answers)
    return asked, [arm for arm in arms if all((q.key, arm) in answers for q in asked)]


def graded(questions: Sequence[Question], answers: Answers, arm: str) -> Floats:
    """Return 1 for each right answer of an arm and 0 for the others."""
    return np.array(
        [
            right(q.grade, answers[q.key, arm].text, q.answer)
            if q.answer is not None
            else agrees(q.grade, answers[q.key, arm].text, answers[q.key, ON].text)
            for q in questions
        ],
        float,
    )


def policies(
    questions: Sequence[Question],
    answers: Answers,
    arms: Iterable[str],
    thresholds: Iterable[float],
    draft_tokens: int,
) -> list[Policy]:
    """Return all policies: off, on, budgets, each threshold, the oracle, what was served.

    Args:
        questions: that have an answer of each arm.
        answers: those.
        arms: that were asked.
        thresholds: least probabilities of a draft's token.
        draft_tokens: so many of a draft's tokens are watched.
    """

    def asked(arm: str, name: str) -> Policy:
        of = [answers[q.key, arm] for q in questions]
        thinks = [a.thought if arm == ADAPTIVE else arm != OFF for a in of]
        tokens = np.array([a.tokens for a in of], float)
        seconds = np.array([a.seconds for a in of])
        return Policy(
            name, graded(questions, answers, arm), tokens, seconds, np.array(thinks, float)
        )

    off, on = asked(OFF, OFF), asked(ON, ON)
    budgets = sorted(
        (arm for arm in arms if arm.startswith(BUDGET)), key=lambda arm: int(arm.split()[1])
    )
    drafts = [answers[q.key, OFF] for q in questions]
    helps = (on.right > off.right).astype(float)
    nothing = np.zeros(len(questions))
    return [
        off,
        on,
        *(asked(arm, arm) for arm in budgets),
        *(adaptive(off, on, drafts, threshold, draft_tokens) for threshold in thresholds),
        # It knows beforehand where thinking helps, so it needs no draft.
        _chosen(ORACLE, helps, off, on, nothing, nothing),
        *([asked(ADAPTIVE, SERVED)] if ADAPTIVE in arms else []),
    ]


def adaptive(
    off: Policy, on: Policy, drafts: Sequence[Answer], threshold: float, draft_tokens: int
) -> Policy:
    """Return what thinking brings wherever a token of the draft is less probable than that.

    Args:
        off: without thinking.
        on: with it.
        drafts: the answers without it, with their tokens' log probabilities.
        threshold: least probability.
        draft_tokens: so many tokens are watched; what is under the threshold later comes too late.
    """
    thinks, tokens, seconds = (np.zeros(len(drafts)) for _ in range(3))
    for place, draft in enumerate(drafts):
        watched = np.exp(draft.logprobs[:draft_tokens]) < threshold
        if watched.any():
            first = int(watched.argmax())
            thinks[place], tokens[place], seconds[place] = 1, first + 1, draft.at[first]
    return _chosen(f"adaptive {threshold:g}", thinks, off, on, tokens, seconds, threshold)


def _chosen(
    name: str,
    thinks: Floats,
    off: Policy,
    on: Policy,
    more_tokens: Floats,
    more_seconds: Floats,
    threshold: float | None = None,
) -> Policy:
    """Return the policy that thinks there, at the further cost of drafts that were rejected."""
    return Policy(
        name,
        np.where(thinks, on.right, off.right),
        np.where(thinks, on.tokens + more_tokens, off.tokens),
        np.where(thinks, on.seconds + more_seconds, off.seconds),
        thinks,
        threshold,
    )


def rows(made: Sequence[Policy]) -> list[Row]:
    """Return what the policies bring; the first is without thinking, the second with it."""
    off, on = made[:2]
    count = len(off.right)
    draws = np.random.default_rng(SEED).integers(count, size=(RESAMPLES, count))
    # Few resamples at a time, or a long file of questions would fill the memory.
    parts = np.array_split(draws, 1 + draws.size * 8 // _BYTES)

    def mean(values: Floats) -> Estimate:
        return _estimate(float(values.mean()), [values[part].mean(axis=1) for part in parts])

    def median(values: Floats) -> Estimate:
        return _estimate(
            float(np.median(values)), [np.median(values[part], axis=1) for part in parts]
        )

    return [
        Row(
            policy,
            mean(policy.right),
            mean(policy.right - on.right),
            mean(policy.tokens),
            median(policy.seconds),
            float(policy.thinks.mean()),
            chance(off, on, float(policy.thinks.mean())) if policy.threshold else None,
        )
        for policy in made
    ]


def _estimate(value: float, drawn: list[Floats]) -> Estimate:
    low, high = np.quantile(np.concatenate(drawn), [0.025, 0.975])
    return Estimate(value, float(low), float(high))


def chance(off: Policy, on: Policy, share: float) -> Chance:
    """Return the expectation of thinking about a share of the questions, whichever they are.

    Args:
        off: without thinking.
        on: with it.
        share: 0 to 1.
    """

    def mixed(without: Floats, thinking: Floats) -> float:
        return float((1 - share) * without.mean() + share * thinking.mean())

    both = np.concatenate([off.seconds, on.seconds])
    weights = np.repeat([1 - share, share], len(off.seconds))
    middle = np.quantile(both, 0.5, weights=weights, method="inverted_cdf")
    return Chance(mixed(off.right, on.right), mixed(off.tokens, on.tokens), float(middle))


def doubted(policy: Policy, off: Policy, drafts: Sequence[Answer]) -> tuple[int, int, float]:
    """Return how many drafts a policy doubts, how many of them are right, and how many by luck.

    The last is what the model's own probabilities say: a draft is right with their product, if they
    are true. Where the two agree, no other look at the drafts could choose much better.
    """
    thinks = policy.thinks == 1
    said = np.array([math.exp(sum(draft.logprobs)) for draft in drafts])
    return int(thinks.sum()), int(off.right[thinks].sum()), float(said[thinks].sum())


def auroc(drafts: Sequence[Answer], draft_right: Floats, draft_tokens: int) -> float:
    """Return how well the smallest probability tells right drafts from wrong ones.

    It is the chance that a right one's is larger than a wrong one's, equal ones counted half
    (Mann and Whitney 1947): 0.5 tells nothing, 1 all; nan where all are right or all wrong.
    """
    least = np.array([min(draft.logprobs[:draft_tokens]) for draft in drafts])
    good, bad = least[draft_right == 1], np.sort(least[draft_right == 0])
    if not len(good) or not len(bad):
        return float("nan")
    below, up_to = (np.searchsorted(bad, good, side) for side in ("left", "right"))
    return float((below + up_to).mean() / 2 / len(bad))
