"""What was answered, kept in a file as it comes, so that nothing is asked twice."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import Stop


@dataclass(frozen=True)
class Answer:
    """What came of one question, asked in one way.

    Attributes:
        question: its key.
        arm: the way: off, on, `budget N` or adaptive.
        text: the answer, without the thinking.
        finish: the finish_reason.
        tokens: generated in all: thinking, answer, and a draft that was rejected.
        thinking_tokens: those of thinking.
        seconds: from the request to the end of the answer.
        logprobs: the log probability of each token, where thinking is off.
        at: when each of these came, in seconds since the request.
        outcome: the header `adaptive-thinking` of an adaptive one.
    """

    question: str
    arm: str
    text: str
    finish: str
    tokens: int
    thinking_tokens: int
    seconds: float
    logprobs: tuple[float, ...] = ()
    at: tuple[float, ...] = ()
    outcome: str = ""

    @property
    def thought(self) -> bool:
        """Whether an adaptive one rejected its draft."""
        return self.outcome.startswith("thought")


class Records:
    """A file of answers: the settings that all were asked with, then one answer a line.

    Attributes:
        answers: {(question, arm): the answer}.
        settings: what they were asked with.
    """

    def __init__(self, path: Path, settings: dict[str, Any] | None) -> None:
        """Read a file, or begin it.

        Args:
            path: of the file.
            settings: of what will be asked; None takes those of the file.

        Raises:
            Stop: the file is no such file, or was asked with other settings.
        """
        self._path = path
        self.answers: dict[tuple[str, str], Answer] = {}
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        whole, _, rest = text.rpartition("\n")
        head, *lines = whole.split("\n")
        if not text:
            if settings is None:
                raise Stop(f"{path}: nothing was asked yet; leave --again out")
            self.settings = settings
            path.parent.mkdir(parents=True, exist_ok=True)
            self._append({"settings": settings})
            return
        try:
            self.settings = json.loads(head)["settings"]
            for line in lines:
                self._take(Answer(**json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise Stop(
                f"{path}: not written by this tool ({error!r}); name another --out"
            ) from None
        if other := [
            f"{name} {self.settings.get(name)}, not {value}"
            for name, value in (settings or {}).items()
            if self.settings.get(name) != value
        ]:
            raise Stop(
                f"{path} was asked with {'; '.join(other)}. "
                "Ask as before, name another --out, or remove the file"
            )
        if rest:  # it was killed while it wrote
            path.write_text(whole + "\n", encoding="utf-8")

    def add(self, answer: Answer) -> None:
        """Keep an answer."""
        self._take(answer)
        self._append(asdict(answer))

    def _take(self, answer: Answer) -> None:
        self.answers[answer.question, answer.arm] = answer

    def _append(self, what: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(what, separators=(",", ":")) + "\n")
