"""What `make plan` foretells, against what a server's clients saw (bench/sizing/).

The measurements are of real servers on one H200 (docs/sizing.md); no server runs here.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plan.simulation import drawn, simulate
from plan.sizing import FREE, outcome

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "bench"))  # where its scripts find each other

import sizing  # noqa: E402

EIGHT = [ROOT / "bench/sizing/h200-8b.jsonl", ROOT / "bench/sizing/h200-8b-other.jsonl"]
NANO = ROOT / "bench/sizing/h200-nano.jsonl"
USUAL = 1 - FREE  # of what a replica can do: no plan has more


def foretold(path: Path, most: float = USUAL) -> Iterator[tuple[str, float, float]]:
    """Give what, foretold and measured, in seconds, of each load up to so much."""
    head, table, loads = sizing.loaded(path)
    for kept in loads:
        if kept["load"] <= most:
            ours, theirs = sizing.both(kept, table, head["limits"])
            for what, kind, one, other in sizing.compared(ours, theirs):
                yield f"{kept['load']:.0%} {what} {kind}", one, other


@pytest.mark.parametrize("path", [*EIGHT, NANO], ids=lambda path: path.stem)
def test_answers_ends_and_requests_in_flight_are_within_20_percent(path: Path) -> None:
    seen = [(what, ours / theirs) for what, ours, theirs in foretold(path) if "first" not in what]
    assert len(seen) >= 10
    assert [(what, ratio) for what, ratio in seen if not 0.8 <= ratio <= 1.2] == []


@pytest.mark.parametrize("path", EIGHT, ids=lambda path: path.stem)
def test_first_tokens_are_within_21_percent(path: Path) -> None:
    seen = [(what, ours / theirs) for what, ours, theirs in foretold(path) if "first" in what]
    assert len(seen) >= 8
    assert [(what, ratio) for what, ratio in seen if not 0.79 <= ratio <= 1.21] == []


def test_first_tokens_that_the_front_end_is_slower_with_are_within_70_ms() -> None:
    seen = [(what, ours - theirs) for what, ours, theirs in foretold(NANO) if "first" in what]
    assert len(seen) >= 12
    assert [(what, late) for what, late in seen if not -0.07 <= late <= 0] == []


@pytest.mark.parametrize("path", EIGHT, ids=lambda path: path.stem)
def test_lengths_that_are_drawn_say_what_the_real_ones_do(path: Path) -> None:
    head, table, loads = sizing.loaded(path)
    for kept in loads:
        if kept["load"] > USUAL:
            continue
        _, measured = sizing.both(kept, table, head["limits"])
        load = sizing.lengths(kept["requests"], measured.rate)
        engine = sizing.engine(table, load, head["limits"])
        plan = outcome(simulate(engine, drawn(load, 4000), measured.rate), measured.rate)
        for kind, whats in plan.seconds.items():
            assert whats["end"].mean == pytest.approx(measured.seconds[kind]["end"].mean, rel=0.2)


def test_the_page_has_the_figures() -> None:
    page = (ROOT / "docs" / "sizing.md").read_text()
    for path in (*EIGHT, NANO):
        for what in ("first", "answer", "end", "in flight"):
            for most, least in ((USUAL, 0.0), (1.0, USUAL)):
                ratios = [
                    ours / theirs
                    for name, ours, theirs in foretold(path, most)
                    if what in name and float(name.partition("%")[0]) / 100 > least
                ]
                if ratios:
                    assert f"{min(ratios):.2f} to {max(ratios):.2f}" in page, (path.name, what)
