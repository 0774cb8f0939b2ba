"""Measured tables: what a replica does at so many streams."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import Stop
from .release import ROOT, Replica

# Those of the later folder count instead of those of the earlier: their prompts differ in length.
FOLDERS = (ROOT / "bench" / "results", ROOT / "bench" / "sizing")
OURS = "direct"  # the system of bench/ that a release is
ALIKE = 1.5  # a prompt up to so many times the shortest is one of the shortest


@dataclass(frozen=True)
class Row:
    """One measurement.

    Args:
        streams: that begin together, each followed at once by the next.
        step: mean seconds between two tokens of a stream.
        first: mean seconds to the first token.
        prompt: mean tokens of a prompt.
        output: mean tokens that a request generates.
    """

    streams: float
    step: float
    first: float
    prompt: float
    output: float


@dataclass(frozen=True)
class Table:
    """Measurements of one replica, and where they are from."""

    source: str
    rows: tuple[Row, ...]


def read(path: Path, system: str = OURS) -> Table:
    """Return the table of a file of JSON Lines: of bench/, or what `vllm bench serve` saves.

    Args:
        path: of the file.
        system: whose runs count, where a file has those of several.

    Raises:
        Stop: it can't be read, or has too little.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise Stop(f"--table {path}: {getattr(problem, 'strerror', 'no text')}") from None
    rows = _rows(path, text, system)
    if len({row.streams for row in rows}) < 2:
        raise Stop(
            f"--table {path}: {len(rows)} rows of {system!r} at one concurrency, and two are "
            "needed. bench/sizing.py measures several (docs/sizing.md)"
        )
    return Table(str(path), rows)


def _rows(path: Path, text: str, system: str) -> tuple[Row, ...]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        where = f"--table {path}: line {number}"
        try:
            run: Any = json.loads(line)
            if "mean_tpot_ms" not in run:
                continue  # what was measured, and how
            if run.get("system", system) != system or run.get("stream_interval"):
                continue
            done = run["completed"]
            row = Row(
                streams=float(run.get("concurrency") or run["max_concurrency"]),
                step=run["mean_tpot_ms"] / 1e3,
                first=run["mean_ttft_ms"] / 1e3,
                prompt=run["total_input_tokens"] / done,
                output=run["total_output_tokens"] / done,
            )
        except (ValueError, KeyError, TypeError, ZeroDivisionError) as problem:
            raise Stop(
                f"{where} is no run of bench/sizing.py, bench/serving.py or `vllm bench serve "
                f"--save-result` ({type(problem).__name__}: {problem})"
            ) from None
        if not (row.streams > 0 and row.step > 0 and row.first > 0):
            raise Stop(f"{where}: concurrency, mean_tpot_ms and mean_ttft_ms must be more than 0")
        found.append(row)
    return tuple(found)


def by_prompt(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows with the shortest prompts, and those with longer ones."""
    short = min(row.prompt for row in rows)
    usual = [row for row in rows if row.prompt <= ALIKE * short]
    return usual, [row for row in rows if row.prompt > ALIKE * short]


def about(path: Path) -> tuple[str, str, int] | None:
    """Return of a file of bench/: model's preset, accelerator's label, tensor size."""
    head = json.loads(path.read_text(encoding="utf-8").partition("\n")[0])
    hardware = str(head["hardware"]).partition(",")[0].partition(" ")[0]
    source = re.search(r"--source (\S+)", head["command"])
    engine = head.get("engine", {})
    tensor = int(engine.get("tensor_parallel_size", 1))
    label = "" if hardware == "cpu" else hardware
    if model := head.get("model") or ("" if label else "nano"):
        return model, label, tensor
    if not source:
        return None
    quantized = f"-{engine['quantization']}" if engine.get("quantization") else ""
    return source[1].lower().replace("_", "-") + quantized, label, tensor


def every() -> dict[tuple[str, str, int], Table]:
    """Return what bench/ has: {(model's preset, accelerator's label, tensor size): its table}."""
    found: dict[tuple[str, str, int], Table] = {}
    for folder in FOLDERS:
        here: dict[tuple[str, str, int], Table] = {}
        for path in sorted(folder.glob("*.jsonl")):
            key = about(path)
            rows = _rows(path, path.read_text(encoding="utf-8"), OURS) if key else ()
            if key and rows:
                had = here.get(key, Table("", ()))
                name = str(path.relative_to(ROOT))
                here[key] = Table(", ".join(filter(None, (had.source, name))), had.rows + rows)
        found |= {key: one for key, one in here.items() if len({r.streams for r in one.rows}) > 1}
    return found


def measured(replica: Replica) -> Table | None:
    """Return the table of such a replica; None where it was not measured."""
    if replica.pipeline > 1:  # bench/ has none
        return None
    return every().get((replica.preset, replica.label, replica.tensor))
