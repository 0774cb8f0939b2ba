"""Lines and curves through measurements."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """A line through measurements: base + each x; the error is the largest one, relative."""

    base: float
    each: float
    error: float


def line(points: Sequence[tuple[float, float]]) -> Line:
    """Return the line through (x, y) whose relative errors have the least squares.

    It neither falls nor begins below nothing.
    """
    weights = [1 / (y * y) if y else 1.0 for _, y in points]
    total = sum(weights)
    x0 = sum(w * x for w, (x, _) in zip(weights, points, strict=True)) / total
    y0 = sum(w * y for w, (_, y) in zip(weights, points, strict=True)) / total
    spread = sum(w * (x - x0) ** 2 for w, (x, _) in zip(weights, points, strict=True))
    both = sum(w * (x - x0) * (y - y0) for w, (x, y) in zip(weights, points, strict=True))
    each = max(0.0, both / spread if spread else 0.0)
    if (base := y0 - each * x0) < 0:
        square = sum(w * x * x for w, (x, _) in zip(weights, points, strict=True))
        product = sum(w * x * y for w, (x, y) in zip(weights, points, strict=True))
        base, each = 0.0, product / square
    errors = [abs(base + each * x - y) / y for x, y in points if y]
    return Line(base, each, max(errors, default=0.0))


@dataclass(frozen=True)
class Curve:
    """What was measured at some x, by a line between two of them; it never falls.

    Before the first x it is what it is there. After the last it goes on as between the last two, or
    as between the first and the last if that is steeper.

    Args:
        points: (x, y), by x.
    """

    points: tuple[tuple[float, float], ...]

    def __call__(self, at: float) -> float:
        """Return y at an x."""
        (x, y), *others = self.points
        if at <= x:
            return y
        for there, high in others:
            if at <= there:
                return y + (high - y) * (at - x) / (there - x)
            x, y = there, high
        return y + self.beyond * (at - x)

    @property
    def beyond(self) -> float:
        """How steep it is after the last x."""
        *_, last = self.points
        return max((_slope(one, last) for one in (self.points[0], *self.points[-2:-1])), default=0)

    def tilted(self, each: float) -> "Curve":
        """Return the curve with so much more for each x."""
        return Curve(tuple((x, y + each * x) for x, y in self.points))


def _slope(one: tuple[float, float], other: tuple[float, float]) -> float:
    return (other[1] - one[1]) / (other[0] - one[0]) if other[0] > one[0] else 0.0


def curve(points: Iterable[tuple[float, float]]) -> Curve:
    """Return the curve through the means of what was measured, where it falls the highest so far.

    Args:
        points: (x, y) in any order; an x may be there more than once.
    """
    seen: dict[float, list[float]] = defaultdict(list)
    for x, y in points:
        seen[x].append(y)
    most, found = 0.0, []
    for x in sorted(seen):
        most = max(most, sum(seen[x]) / len(seen[x]))
        found.append((x, most))
    return Curve(tuple(found))
