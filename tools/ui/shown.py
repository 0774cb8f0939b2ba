"""How an answer looks: the thinking folded, the answer, and what they took."""

from nicegui import ui

from .asking import Answer

REFRESH = 0.1  # s; a model writes faster than anybody reads


class ShownAnswer:
    """One answer, drawn again while it comes.

    Attributes:
        answer: what it shows.
    """

    def __init__(self) -> None:
        """Make its elements, in the place where it is called."""
        self.answer = Answer()
        with ui.column().classes("answer"):
            self._fold = ui.expansion().classes("fold").props("dense dense-toggle")
            with self._fold:
                self._thinking = ui.label().classes("thinking")
            self._text = ui.markdown()
            self._error = ui.label().classes("error").props("role=alert")
            self._took = ui.label().classes("took")
        self._timer = ui.timer(REFRESH, self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the answer as it is now."""
        answer = self.answer
        self._fold.set_visibility(answer.thinking_at is not None)
        self._fold.set_text(fold_title(answer))
        self._thinking.set_text(answer.thinking.strip())
        self._text.set_content(answer.text.strip())
        self._error.set_text(answer.error)
        self._error.set_visibility(bool(answer.error))
        self._took.set_text(took(answer))
        if answer.ended_at is not None:
            self._timer.deactivate()


def fold_title(answer: Answer) -> str:
    """Return the line that the thinking is folded under."""
    seconds = f"{answer.thinking_seconds:.1f} s"
    if answer.text_at is None and answer.ended_at is None:
        return f"Thinking … {seconds}"
    if answer.tokens is None:
        return f"Thought for {seconds}"
    return f"Thought for {seconds}, {plural(answer.tokens.thinking)}"


def took(answer: Answer) -> str:
    """Return the line under an answer."""
    if answer.ended_at is None:
        return f"{answer.seconds:.1f} s"
    parts = []
    if tokens := answer.tokens:
        draft = f"{tokens.draft:,} a draft, " if tokens.draft else ""
        split = f": {draft}{tokens.thinking:,} thinking, {tokens.text:,} answer"
        parts.append(plural(tokens.total) + (split if tokens.thinking else ", no thinking"))
    parts.append(f"{answer.seconds:.1f} s")
    if answer.finish_reason == "length":
        parts.append("stopped at the token limit")
    return " · ".join(parts)


def plural(tokens: int) -> str:
    """Return a number of tokens in words."""
    return f"{tokens:,} token{'' if tokens == 1 else 's'}"


class Comparison:
    """The same question without and with thinking, and what the thinking cost.

    Attributes:
        off: the answer without.
        on: the answer with.
    """

    def __init__(self) -> None:
        """Make its elements, in the place where it is called."""
        with ui.element().classes("pair"):
            self.off, self._off_cost = self._side("Thinking off")
            self.on, self._on_cost = self._side("Thinking on")
        self._verdict = ui.label().classes("verdict")
        self._verdict.set_visibility(False)

    def _side(self, title: str) -> tuple[ShownAnswer, ui.element]:
        with ui.column().classes("side").props(f"role=region aria-label='{title}'"):
            ui.label(title).classes("title")
            shown = ShownAnswer()
            cost = ui.column().classes("cost")
        return shown, cost

    def conclude(self) -> None:
        """Show both costs on one scale, once both answers are whole."""
        off, on = self.off.answer, self.on.answer
        if off.error or on.error or not off.tokens or not on.tokens:
            return
        most = max(off.tokens.total, on.tokens.total, 1)
        longest = max(off.seconds, on.seconds)
        for place, answer, tokens in (
            (self._off_cost, off, off.tokens),
            (self._on_cost, on, on.tokens),
        ):
            parts = {"thought": tokens.thinking / most, "said": tokens.text / most}
            with place:
                _bar(plural(tokens.total), parts)
                _bar(f"{answer.seconds:.1f} s", {"time": answer.seconds / longest})
        times = on.tokens.total / max(off.tokens.total, 1), on.seconds / off.seconds
        self._verdict.set_text(
            f"With thinking: {times[0]:.1f} times the tokens, {times[1]:.1f} times the seconds."
        )
        self._verdict.set_visibility(True)


def _bar(text: str, parts: dict[str, float]) -> None:
    with ui.element().classes("measure"):
        ui.label(text).classes("figure")
        with ui.element().classes("bar-of"):
            for kind, share in parts.items():
                ui.element().classes(kind).style(f"width: {100 * share:.2f}%")
