"""The report: what to set, and the table of all policies, in Markdown."""

import math
from collections.abc import Sequence
from typing import Any

from .advice import Advice
from .asking import OFF
from .policies import Answers, Estimate, Row, auroc, doubted
from .questions import Question
from .records import Answer

NO_ANSWERS = (
    "**No right answers were given.** An answer counts as right where it agrees with the one with "
    "thinking, so that thinking always is right by definition, and all below says how often others "
    "agree with it, not how often they are right."
)


def report(
    rows: Sequence[Row],
    advice: Advice,
    questions: Sequence[Question],
    answers: Answers,
    settings: dict[str, Any],
    draft_tokens: int,
    command: str,
) -> str:
    """Return it.

    Args:
        rows: of off, of on, and of the other policies.
        advice: what to set.
        questions: that the rows are of.
        answers: to them.
        settings: that they were asked with.
        draft_tokens: of a draft are watched.
        command: that measures it again.
    """
    off, *_ = rows
    drafts = [answers[q.key, OFF] for q in questions]
    parts = ["# Calibration of adaptive thinking", f"`{command}`", _asked(len(questions), settings)]
    if questions[0].answer is None:
        parts.append(NO_ANSWERS)
    parts.append(advice.text)
    if advice.values:
        parts.append(f"```yaml\n{advice.values}```")
    parts.append(_table(rows, drafts))
    told = auroc(drafts, off.policy.right, draft_tokens)
    meaning = "0.5 tells nothing, 1 all" if not math.isnan(told) else "all are right, or all wrong"
    parts.append(
        "How well the least probability of a draft's token tells right answers without thinking "
        f"from wrong ones (AUROC): {told:.3f} ({meaning})."
    )
    parts.append(
        "In brackets: 95 % intervals, bootstrap over questions. Adaptive rows are worked out from "
        f"the answers without thinking (their first {draft_tokens} tokens) and those with it; a "
        "rejected draft counts up to the token that gave it away. *By chance*: right answers "
        "expected where as many questions, drawn at random, are thought about. *Luck*: right "
        "drafts among those that were doubted, and in brackets as many as their own probabilities "
        "say; where the two agree, no other look at them could tell these from the wrong ones. "
        "The oracle knows beforehand where thinking helps, and pays for no draft. A threshold that "
        "is chosen on these questions looks a little better on them than on others."
    )
    keys = {q.key for q in questions}
    cut = sum(a.finish == "length" for (key, _), a in answers.items() if key in keys)
    short = sum(len(draft.logprobs) < draft.tokens for draft in drafts)
    if cut:
        parts.append(f"{cut} answers were cut off by max_tokens, and count as they are.")
    if short:
        parts.append(f"{short} drafts came with fewer log probabilities than tokens.")
    return "\n\n".join(parts) + "\n"


def _asked(count: int, settings: dict[str, Any]) -> str:
    given = {name: settings[name] for name in ("max_tokens", "seed") if settings[name] is not None}
    more = "".join(f", {name} {value}" for name, value in given.items())
    return (
        f"{count} questions to {settings['model']}, {settings['sampling']} sampling{more}, "
        f"{settings['concurrency']} at a time."
    )


def _table(rows: Sequence[Row], drafts: Sequence[Answer]) -> str:
    names = ["", "right", "tokens a question", "seconds, median", "thinks", "by chance", "luck"]
    lines = [f"| {' | '.join(names)} |".replace("|  |", "| |"), "| --- " * len(names) + "|"]
    off = rows[0].policy
    for row in rows:
        cells = [
            row.policy.name,
            _spread(row.accuracy, 100, 1, " %"),
            _spread(row.tokens, 1, 1),
            _spread(row.seconds, 1, 2),
            f"{100 * row.share:.1f} %",
            f"{100 * row.chance.accuracy:.1f} %" if row.chance else "",
            _luck(*doubted(row.policy, off, drafts)) if row.policy.threshold else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _luck(count: int, good: int, said: float) -> str:
    return f"{good} of {count} ({said:.1f})"


def _spread(of: Estimate, times: float, digits: int, unit: str = "") -> str:
    value, low, high = (f"{times * x:.{digits}f}" for x in (of.value, of.low, of.high))
    return f"{value}{unit} ({low} to {high})"
