"""Fail where a ratio has become worse than its spread: `python bench/compare.py OLD NEW`.

Both are what `bench/serving.py` writes: rows of a hardware, a system, its baseline, a number of
streams and a metric, with a ratio and the lowest and the highest of a round. A row is worse when
the best of its new rounds is worse than the worst of the old ones. Of a hardware that the new file
has nothing of, nothing is asked.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
KEY = ("hardware", "system", "baseline", "concurrency", "metric")
MORE_IS_BETTER = frozenset({"output_throughput"})


def worse(old: Iterable[Row], new: Iterable[Row]) -> list[str]:
    """Return a line for each row that has become worse, or is missing.

    Args:
        old: the rows that hold; those of a hardware that the new ones have none of don't count.
        new: those that are compared with them; others than the old ones don't count.
    """
    found = {tuple(row[name] for name in KEY): row for row in new}
    here = {row["hardware"] for row in found.values()}
    lines = []
    for row in old:
        if row["hardware"] not in here:
            continue
        key = tuple(row[name] for name in KEY)
        name = " ".join(map(str, key))
        if (now := found.get(key)) is None:
            lines.append(f"{name}: missing")
            continue
        more = row["metric"] in MORE_IS_BETTER
        if now["high"] < row["low"] if more else now["low"] > row["high"]:
            spread = f"{row['ratio']} ({row['low']} to {row['high']})"
            lines.append(f"{name}: {now['ratio']} ({now['low']} to {now['high']}), was {spread}")
    return lines


def main() -> int:
    """Compare two files and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--metric", default="", help="this one alone; CPU time is the steadiest")
    arguments = parser.parse_args()
    old, new = (
        [row for row in json.loads(path.read_text()) if arguments.metric in ("", row["metric"])]
        for path in (arguments.old, arguments.new)
    )
    if not new:
        raise SystemExit(f"{arguments.new}: nothing was measured")
    lines = worse(old, new)
    print("\n".join(lines) or "nothing is worse than its spread")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
