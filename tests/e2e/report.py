"""The table of the suite: for every change and fault, what became of the requests."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from .driver import Fates
from .kube import ROOT

FILE = Path(__file__).with_name("report.md")
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- tests/e2e/report.md -->", "<!-- end of tests/e2e/report.md -->"
TABLES = {
    "requests": "| What happens | mode | requests | answered | of these after a retry"
    " | cut, and told so | lost | last in trouble, s | whole again, s |",
    "times": "| What | mode | seconds |",
    "refusals": "| What is wrong | who refuses it | what the user sees |",
}
INTRO = """<!-- Written by the suite: make e2e ARGS=--report -->
Each row is one run under traffic of the OpenAI client: streams of some seconds with thinking, short
streams and plain requests without, a new connection each. "Retry" is the OpenAI client's own
(`max_retries` 2, its default). "Cut": the answer had begun and the client got an error; a clean end
would fail the suite. Seconds count from the act: to the start of the last request that was not
answered at once, and until every pod and replica is there again.
"""


@dataclass
class Report:
    """The rows of one run, by table."""

    saved: bool = False  # each row at once: a later failure must not lose it
    rows: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in TABLES})
    troubles: list[str] = field(default_factory=list)  # printed only

    def traffic(self, title: str, mode: str, fates: Fates, since: float, whole: float) -> None:
        """Add a row about traffic. `since` and `whole`: seconds since the epoch."""
        numbers = [len(fates.requests), fates.count("answered"), fates.retried]
        numbers += [fates.count("cut"), fates.count("lost")]
        last = f"{fates.last_trouble(since):.0f}" if fates.trouble() else "-"
        cells = [title, mode, *map(str, numbers), last, f"{whole - since:.0f}"]
        self._add("requests", cells)
        self.troubles += [f"{title}, {mode}, act at {since:.2f}: {r}" for r in fates.trouble()]

    def time(self, title: str, mode: str, seconds: float) -> None:
        """Add how long something took."""
        self._add("times", [title, mode, f"{seconds:.0f}"])

    def refusal(self, title: str, who: str, message: str) -> None:
        """Add a bad input and what is said to it."""
        self._add("refusals", [title, who, re.sub(r"[|\[]", r"\\\g<0>", message)])

    def _add(self, table: str, cells: list[str]) -> None:
        self.rows[table].append(_row(cells))
        if self.saved:
            self.save()

    def print(self) -> None:
        """Print what this run saw."""
        print("\n" + _text(self.rows) + "\n".join(self.troubles))

    def save(self) -> None:
        """Write report.md and the copy in PAGE; rows of cases that did not run now stay."""
        kept = _parse(FILE.read_text()) if FILE.exists() else {}
        rows = {name: _merge(kept.get(name, []), new) for name, new in self.rows.items()}
        FILE.write_text(INTRO + "\n" + _text(rows))
        page = PAGE.read_text()
        if BEGIN in page:
            before, rest = page.split(BEGIN)
            table = _text({"requests": rows["requests"]})
            PAGE.write_text(f"{before}{BEGIN}\n{table}{END}{rest.split(END)[1]}")


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _text(rows: dict[str, list[str]]) -> str:
    tables = []
    for name, lines in rows.items():
        if lines:
            columns = TABLES[name].count("|") - 1
            tables.append("\n".join([TABLES[name], "|" + " --- |" * columns, *lines]) + "\n")
    return "\n".join(tables)


def _parse(text: str) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {}
    lines = text.splitlines()
    for name, heading in TABLES.items():
        if heading in lines:
            after = lines[lines.index(heading) + 2 :]
            end = next((i for i, line in enumerate(after) if not line.startswith("|")), len(after))
            rows[name] = after[:end]
    return rows


def _merge(old: list[str], new: list[str]) -> list[str]:
    """Put new rows in place of old ones about the same: the first two cells name a row."""

    def key(row: str) -> tuple[str, ...]:
        return tuple(cell.strip() for cell in row.split("|")[1:3])

    fresh = {key(row): row for row in new}
    replaced = [fresh.pop(key(row), row) for row in old]
    return replaced + list(fresh.values())
