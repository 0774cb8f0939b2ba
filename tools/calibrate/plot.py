"""The figure: right answers against tokens a question, and against the time to the answer.

It is as wide as a phone, and light or dark as the reader's system is.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from xml.etree import ElementTree as ET

from .advice import Advice
from .policies import SERVED, Chance, Estimate, Row

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 400, 300, 50, 14, 60, 30  # of a panel, in CSS pixels
TITLE = 26  # px, above all else
CHARACTER, LINE = 7.0, 15.0  # px that a letter and a line of 12 px type take at most
COLOURS = {  # (light, dark), each at least 4.5:1 on its ground
    "plain": ("#1f2328", "#e6edf3"),
    "adaptive": ("#0969da", "#58a6ff"),
    "budget": ("#8250df", "#bc8cff"),
    "chance": ("#9a6700", "#d29922"),
    "oracle": ("#1a7f37", "#3fb950"),
    "served": ("#cf222e", "#ff7b72"),
}
GROUND, GRID = ("#ffffff", "#0d1117"), ("#d1d9e0", "#30363d")
# By shape too, for those who don't see the colours: paths around the middle of the mark.
MARKS = {
    "plain": "M-4-4h8v8h-8z",
    "adaptive": "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
    "budget": "M0-5l5 9h-10z",
    "oracle": "M0-6l6 6l-6 6l-6-6z",
    "served": "M-5-5l10 10M-5 5l10-10",
}
Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom
Scale = Callable[[float], float]  # where on an axis a value is, in pixels


def figure(rows: Sequence[Row], advice: Advice, about: str) -> str:
    """Return the SVG.

    Args:
        rows: of off, of on, and of the other policies.
        advice: which of them is recommended.
        about: what was asked, for those who hear the figure.
    """
    svg = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", role="img")
    svg.set("viewBox", f"0 0 {WIDTH} {2 * HEIGHT}")
    svg.set("aria-labelledby", "title description")
    _add(svg, "title", "", "Right answers against what they cost, by who thinks when", id="title")
    _add(svg, "desc", "", f"{about} {advice.text}", id="description")
    _add(svg, "style", "", _style(0) + f"@media (prefers-color-scheme:dark){{{_style(1)}}}")
    _add(svg, "rect", "ground", width=WIDTH, height=2 * HEIGHT)
    tokens, seconds = (_add(svg, "g", transform=f"translate(0 {top})") for top in (0, HEIGHT))
    title = "Right answers by mean tokens a question"
    _panel(tokens, rows, advice.row, title, lambda row: row.tokens, lambda by: by.tokens)
    title = "Right answers by median seconds to the answer"
    _panel(seconds, rows, advice.row, title, lambda row: row.seconds, lambda by: by.seconds)
    return ET.tostring(svg, encoding="unicode") + "\n"


def _style(dark: int) -> str:
    rules = [f".{name}{{fill:{c[dark]};stroke:{c[dark]}}}" for name, c in COLOURS.items()]
    rules += [f".ground{{fill:{GROUND[dark]}}}.grid{{stroke:{GRID[dark]}}}"]
    if not dark:
        rules += ["text{font:12px sans-serif;stroke:none!important}text.bold{font-weight:bold}"]
        rules += ["path{stroke-width:2}polyline{stroke-width:2;fill:none}"]
        rules += ["polyline.chance{stroke-dasharray:5 4}"]
    return "".join(rules)


def _kind(row: Row) -> str:
    if row.policy.name == SERVED:
        return "served"
    name = row.policy.name.split()[0]
    return name if name in MARKS else "plain"


def _panel(
    group: ET.Element,
    rows: Sequence[Row],
    chosen: Row | None,
    title: str,
    cost: Callable[[Row], Estimate],
    chance_cost: Callable[[Chance], float],
) -> None:
    curve = [row for row in rows if row.policy.threshold]
    # Thresholds are one line; what is recommended has a name, or else the middle one.
    named = [row for row in rows if row not in curve] + [chosen or curve[len(curve) // 2]]
    heights = [row.accuracy for row in named]
    reached = [row.accuracy.value for row in rows] + [e for a in heights for e in (a.low, a.high)]
    across, costs = _axis([0, *(cost(row).value for row in rows)], LEFT, WIDTH - RIGHT)
    up, shares = _axis(reached, HEIGHT - BOTTOM, TOP, most=1)

    def at(row: Row) -> Point:
        return across(cost(row).value), up(row.accuracy.value)

    _add(group, "text", "plain bold", title, x=8, y=20)
    for tick in costs:
        _line(group, "grid", (across(tick), TOP), (across(tick), HEIGHT - BOTTOM))
        _text(group, "plain", (across(tick), HEIGHT - BOTTOM + 18), f"{tick:g}", "middle")
    for tick in shares:
        _line(group, "grid", (LEFT, up(tick)), (WIDTH - RIGHT, up(tick)))
        _text(group, "plain", (LEFT - 6, up(tick) + 4), f"{100 * tick:g} %", "end")
    ends = [(cost(row).value, row.accuracy.value) for row in rows[:2]]
    chances = [(chance_cost(row.chance), row.chance.accuracy) for row in curve if row.chance]
    lines = {
        "chance": [(across(x), up(y)) for x, y in (ends[0], *chances, ends[1])],
        "adaptive": [at(row) for row in curve],
    }
    for name, points in lines.items():
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        _add(group, "polyline", name, points=drawn, style="fill:none")
    for row in (*curve, *named):
        place = "translate({:.1f} {:.1f})".format(*at(row))
        _add(group, "path", _kind(row), d=MARKS[_kind(row)], transform=place)
    for row in named:
        x, _ = at(row)
        lines[row.policy.name] = [(x, up(row.accuracy.low)), (x, up(row.accuracy.high))]
        _line(group, _kind(row), *lines[row.policy.name])
    taken = [_around(at(row), 5) for row in rows]
    taken += [_around(point, 3) for line in lines.values() for point in _along(line)]
    if chosen:
        x, y = at(chosen)
        _add(group, "circle", "adaptive", r=8, cx=round(x, 1), cy=round(y, 1), style="fill:none")
    labels = [(at(row), row.policy.name.removeprefix("adaptive, "), _kind(row)) for row in named]
    if not chosen:
        labels[-1] = labels[-1][0], "adaptive", "adaptive"
    labels.append((lines["chance"][(len(chances) + 1) // 2], "chance", "chance"))
    for point, text, name in labels:
        box = _place(point, text, taken)
        taken.append(box)
        left, top, right, bottom = box
        near = min(max(point[0], left), right), min(max(point[1], top), bottom)
        if math.dist(point, near) > 13:
            _line(group, name, point, near)
        bold = " bold" if chosen and text == chosen.policy.name else ""
        _text(group, name + bold, (left, bottom - 3), text, "start")


def _axis(
    values: Iterable[float], start: float, end: float, most: float = math.inf
) -> tuple[Scale, list[float]]:
    """Return a linear axis for these values from one pixel to another, and its round ticks."""
    low, high = min(values := list(values)), max(values)
    spread = (high - low) or abs(high) or 1.0
    size: float = 10 ** math.floor(math.log10(spread / 4))
    step = next(size * n for n in (1, 2, 2.5, 5, 10) if size * n * 4 >= spread)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [n * step for n in range(first, max(first + 1, last) + 1) if n * step < most + step / 2]
    # A little more than the highest, so that a mark at the edge is whole.
    span = max(ticks[-1], high) + 0.04 * spread - ticks[0]
    return lambda value: start + (value - ticks[0]) / span * (end - start), ticks


def _around(point: Point, reach: float) -> Box:
    x, y = point
    return x - reach, y - reach, x + reach, y + reach


def _along(line: Sequence[Point]) -> Iterator[Point]:
    """Yield points of a line, so close together that no label fits between them."""
    for (x1, y1), (x2, y2) in zip(line, line[1:], strict=False):
        steps = 1 + int(math.hypot(x2 - x1, y2 - y1) / 6)
        for step in range(steps + 1):
            yield x1 + (x2 - x1) * step / steps, y1 + (y2 - y1) * step / steps


def _place(point: Point, text: str, taken: Sequence[Box]) -> Box:
    """Return where around a point a label covers least of what is there, the nearest first."""
    (x, y), width = point, CHARACTER * len(text)
    boxes = []
    for gap in (7, 14, 24, 36, 50):
        for right, down in ((1, 0), (-1, 0), (0, -1), (0, 1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            left = x + right * gap - width * (1 - right) / 2
            top = y + down * gap - LINE * (1 - down) / 2
            if left > LEFT and left + width < WIDTH and TITLE < top < HEIGHT - BOTTOM - LINE:
                boxes.append((left, top, left + width, top + LINE))

    def covered(box: Box) -> int:
        left, top, right, bottom = box
        return sum(left < b[2] and b[0] < right and top < b[3] and b[1] < bottom for b in taken)

    return min(boxes, key=covered)


def _line(group: ET.Element, name: str, start: Point, end: Point) -> None:
    ends = zip(("x1", "y1", "x2", "y2"), (*start, *end), strict=True)
    _add(group, "line", name, **{side: f"{value:.1f}" for side, value in ends})


def _text(group: ET.Element, name: str, point: Point, text: str, anchor: str) -> None:
    place = {"x": f"{point[0]:.1f}", "y": f"{point[1]:.1f}", "text-anchor": anchor}
    _add(group, "text", name, text, **place)


def _add(
    parent: ET.Element, tag: str, name: str = "", text: str = "", **attributes: str | float
) -> ET.Element:
    given = {"class": name} if name else {}
    given |= {key: str(value) for key, value in attributes.items()}
    child = ET.SubElement(parent, tag, given)
    child.text = text or None
    return child
