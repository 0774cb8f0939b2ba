"""What the dashboard shows, and where: read out of the JSON that the chart makes for Grafana."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from . import Stop

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Query:
    """A PromQL expression without variables.

    Args:
        legend: of its series; {{label}} stands for a label's value.
    """

    legend: str
    expression: str


@dataclass(frozen=True)
class Panel:
    """A part of the dashboard.

    Args:
        kind: timeseries, stat, or row, which is a heading.
        unit: as Grafana names it.
        box: left, top, width and height in the units of Grafana's grid, which is 24 wide.
    """

    title: str
    kind: str
    unit: str
    box: tuple[int, int, int, int]
    queries: tuple[Query, ...]


def rendered() -> dict[str, Any]:
    """Return the dashboard as the chart renders it.

    Raises:
        Stop: Helm says no.
    """
    helm = (
        ROOT / "tools" / "go-tool",
        "helm",
        "template",
        "hybrid-llm",
        ROOT / "charts/hybrid-llm",
    )
    options = ("--set", "dashboard.enabled=true", "--show-only", "templates/dashboard.yaml")
    done = subprocess.run((*helm, *options), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Stop(f"the chart can't be rendered: {done.stderr.strip()}")
    (text,) = yaml.safe_load(done.stdout)["data"].values()
    made: dict[str, Any] = json.loads(text)
    return made


def panels(dashboard: Mapping[str, Any], variables: Mapping[str, str]) -> list[Panel]:
    """Return the panels with the variables filled in.

    Args:
        dashboard: Grafana's JSON.
        variables: by name, without the dollar; longer names first where one begins another.
    """

    def filled(text: str) -> str:
        for name, value in variables.items():
            text = text.replace(f"${name}", value)
        return text

    found = []
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        queries = [Query(t["legendFormat"], filled(t["expr"])) for t in panel.get("targets", [])]
        unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit", "")
        box = (place["x"], place["y"], place["w"], place["h"])
        found.append(Panel(filled(panel["title"]), panel["type"], unit, box, tuple(queries)))
    return found
