"""Prometheus's answers over a range of time."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from . import Stop
from .panels import Query


@dataclass(frozen=True)
class Range:
    """From when to when, in seconds since the epoch, and the seconds between two points."""

    start: float
    end: float
    step: float


@dataclass(frozen=True)
class Series:
    """A line of a graph.

    Args:
        name: as the query's legend says.
        points: (seconds since the epoch, value); a value may be NaN.
    """

    name: str
    points: tuple[tuple[float, float], ...]


def ask(url: str, query: Query, over: Range) -> list[Series]:
    """Return the series of a query that have a value anywhere in the range.

    Raises:
        Stop: Prometheus can't be reached, or does not take the expression.
    """
    parameters: dict[str, str | float] = {"query": query.expression}
    parameters |= {"start": over.start, "end": over.end, "step": over.step}
    try:
        reply = httpx.get(f"{url}/api/v1/query_range", params=parameters, timeout=60)
        answer = reply.json()
    except (httpx.HTTPError, ValueError) as problem:
        raise Stop(f"no Prometheus answers at {url}: {problem}") from None
    if answer.get("status") != "success":
        raise Stop(f"Prometheus refuses {query.expression}: {answer.get('error')}")
    found = []
    for one in answer["data"]["result"]:
        points = tuple((float(time), float(value)) for time, value in one["values"])
        if any(math.isfinite(value) for _, value in points):
            found.append(Series(named(query.legend, one["metric"]), points))
    return sorted(found, key=lambda series: series.name)


def named(legend: str, labels: Mapping[str, str]) -> str:
    """Return a legend with the labels' values in it, as Grafana does."""
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda match: labels.get(match[1], ""), legend)
