"""The picture: each panel where Grafana's grid has it."""

import math
import time
from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from .asking import Range, Series
from .panels import Panel

WIDTH, COLUMNS = 1200, 24  # px, and into how many parts Grafana divides it
ROW, HEAD, GAP = 25, 84, 8  # px: a unit of the grid's height, the title above all, between panels
DPI = 100
INK, SOFT, GRID, GROUND, CARD = "#1f2328", "#59636e", "#d1d9e0", "#f6f8fa", "#ffffff"
LINES = ("#0969da", "#bc4c00", "#1a7f37", "#8250df", "#cf222e", "#9a6700", "#1b7c83", "#bf3989")
LETTER = 6.6  # px that a letter of the legend takes at most
UNITS = {"reqps": "req/s", "ops": "1/s", "s": "s", "short": "", "percentunit": "", "percent": ""}
NO_DATA = "no data"


def draw(
    shown: Sequence[tuple[Panel, Sequence[Series]]],
    title: str,
    captions: Sequence[str],
    over: Range,
    to: Path,
) -> None:
    """Write the picture.

    Args:
        shown: each panel with its series; one without is drawn as such.
        title: of all.
        captions: two lines at most below it, which say where the figures are from.
        over: the time that the graphs span.
        to: the file; its ending says the format, svg or png.
    """
    bottom = max(panel.box[1] + panel.box[3] for panel, _ in shown)
    height = HEAD + bottom * ROW + GAP
    # Names come from outside: a dollar in one begins no formula.
    with matplotlib.rc_context({"font.family": "DejaVu Sans", "text.parse_math": False}):
        figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor=GROUND)
        canvas = _Canvas(figure, height)
        canvas.text(GAP + 4, 26, title, size=14, weight="bold")
        for line, text in enumerate(captions):
            canvas.text(GAP + 4, 48 + 18 * line, text, size=9, color=SOFT)
        for panel, series in shown:
            if panel.kind == "row":
                canvas.text(GAP + 4, HEAD + panel.box[1] * ROW + 19, panel.title, 11, "bold")
            else:
                _panel(canvas, panel, series, over)
        figure.savefig(to, facecolor=GROUND)
    if to.suffix == ".png":  # a quarter of the size
        Image.open(to).convert("RGB").quantize(256).save(to, optimize=True)


class _Canvas:
    """A figure whose places are pixels from its upper left corner."""

    def __init__(self, figure: Figure, height: int) -> None:
        self.figure, self.height = figure, height

    def text(
        self, x: float, y: float, text: str, size: float, weight: str = "normal", color: str = INK
    ) -> None:
        place = (x / WIDTH, 1 - y / self.height)
        self.figure.text(*place, text, size=size, weight=weight, color=color, va="baseline")

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        bottom = self.height - top - height
        parts = (left / WIDTH, bottom / self.height, width / WIDTH, height / self.height)
        return self.figure.add_axes(parts)


def _panel(canvas: _Canvas, panel: Panel, series: Sequence[Series], over: Range) -> None:
    x, y, wide, high = panel.box
    left, top = x * WIDTH / COLUMNS + GAP / 2, HEAD + y * ROW + GAP / 2
    width, height = wide * WIDTH / COLUMNS - GAP, high * ROW - GAP
    card = canvas.axes(left, top, width, height)
    card.set(facecolor=CARD, xticks=[], yticks=[])
    card.spines[:].set_color(GRID)
    unit = UNITS.get(panel.unit, panel.unit)
    _title(canvas, panel.title, unit, left + 9, top + 18, width - 18)
    if not series:
        card.text(0.5, 0.45, NO_DATA, color=SOFT, size=11, ha="center", va="center")
    elif panel.kind == "stat":
        text = _label(panel.unit, last(series[0]))
        card.text(0.5, 0.45, text, color=INK, size=22, ha="center", va="center")
    else:
        names = [one.name for one in series]
        columns = max(1, int((width - 12) / (max(map(len, names)) * LETTER + 30)))
        below = 26 + 14 * math.ceil(len(names) / columns)
        axes = canvas.axes(left + 52, top + 30, width - 68, height - 30 - below)
        lines = _graph(axes, panel, series, over)
        card.legend(
            *(lines, [_cut(name, width - 40) for name in names]),
            loc="lower left",
            ncols=min(columns, len(names)),
            frameon=False,
            fontsize=8,
            labelcolor=INK,
            handlelength=1.2,
            borderaxespad=0.1,
            labelspacing=0.2,
        )


def _title(canvas: _Canvas, title: str, unit: str, x: float, y: float, width: float) -> None:
    text = title + (f"  ({unit})" if unit else "")
    letters = int(width / 7.6)
    if len(text) > letters:  # the longest are those of numbers, which have room for two lines
        cut = text.rfind(" ", 0, letters)
        canvas.text(x, y + 15, text[cut + 1 :], 9, "bold")
        text = text[:cut]
    canvas.text(x, y, text, 9, "bold")


def _graph(axes: Axes, panel: Panel, series: Sequence[Series], over: Range) -> list[Line2D]:
    axes.set_facecolor(CARD)
    lines = []
    for index, one in enumerate(series):
        minutes = [(at - over.start) / 60 for at, _ in one.points]
        values = [value for _, value in one.points]
        color = LINES[index % len(LINES)]
        lines += axes.plot(*_with_gaps(minutes, values, over.step / 60), color=color)
    axes.set_xlim(0, (over.end - over.start) / 60)
    highest = max(v for one in series for _, v in one.points if math.isfinite(v))
    axes.set_ylim(0, highest * 1.15 or 1)  # as the dashboard has it, graphs begin at 0
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _label(panel.unit, value)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _clock(over.start + 60 * value)))
    axes.grid(color=GRID, linewidth=0.6)
    axes.tick_params(length=0, labelsize=8, labelcolor=SOFT)
    axes.spines[:].set_visible(False)
    return lines


def _with_gaps(x: list[float], y: list[float], step: float) -> tuple[list[float], list[float]]:
    """Return the points with a NaN where some are missing, which ends the line there."""
    places, values = x[:1], y[:1]
    for before, place, value in zip(x, x[1:], y[1:], strict=False):
        if place - before > 1.5 * step:
            places.append((place + before) / 2)
            values.append(math.nan)
        places.append(place)
        values.append(value)
    return places, values


def last(series: Series) -> float:
    """Return the last value that is a number, which a `stat` shows."""
    return [value for _, value in series.points if math.isfinite(value)][-1]


def _label(unit: str, value: float) -> str:
    """Return a value as the panel's unit has it."""
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "percent":
        return f"{value:.3g} %"
    if unit == "s" and 0 < value < 1:
        return f"{value * 1000:.3g} ms"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M", time.gmtime(seconds))


def _cut(text: str, width: float) -> str:
    letters = int(width / LETTER)
    return text if len(text) <= letters else text[: letters - 1] + "…"
