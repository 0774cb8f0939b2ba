"""The command: python -m tools.dashboard URL -o FILE."""

import argparse
import sys
import time
from pathlib import Path

from . import Stop
from .asking import Range, ask
from .drawing import draw
from .panels import Panel, panels, rendered

POINTS = 120  # of a line


def main() -> int:
    """Draw it.

    Returns:
        0; 1 where something is missing: Prometheus, or the data of a panel.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tools.dashboard",
        description="Draws the chart's dashboard out of a Prometheus. Exit 1: a panel has no data.",
    )
    parser.add_argument("url", help="of the Prometheus: http://127.0.0.1:9090")
    parser.add_argument(
        "--output", "-o", type=Path, default=Path("dashboard.svg"), help=".svg or .png"
    )
    parser.add_argument("--release", default="default/hybrid-llm", help="NAMESPACE/RELEASE")
    parser.add_argument("--minutes", type=float, default=180, help="how long the graphs go back")
    parser.add_argument("--until", type=float, help="seconds since the epoch; else now")
    parser.add_argument("--scrape", type=float, default=15, help="podMonitor.interval, in seconds")
    parser.add_argument("--price", default="1", help="of an accelerator's hour")
    parser.add_argument(
        "--about", default="", help="what was running, for the line below the title"
    )
    arguments = parser.parse_args()
    try:
        nothing = picture(arguments)
    except Stop as stop:
        print(f"dashboard: {stop}", file=sys.stderr)
        return 1
    for panel in nothing:
        print(f"dashboard: no data: {panel.title}", file=sys.stderr)
    return 1 if nothing else 0


def picture(arguments: argparse.Namespace) -> list[Panel]:
    """Write the picture; return the panels without data."""
    end = arguments.until or time.time()
    step = max(arguments.scrape, arguments.minutes * 60 / POINTS)
    over = Range(end - arguments.minutes * 60, end, step)
    # As Grafana works it out.
    rate = max(step + arguments.scrape, 4 * arguments.scrape)
    variables = {
        "__rate_interval": f"{rate:.0f}s",
        "release": arguments.release,
        "price": arguments.price,
    }
    dashboard = rendered()
    shown = [
        (panel, [one for query in panel.queries for one in ask(arguments.url, query, over)])
        for panel in panels(dashboard, variables)
    ]
    captions = ["Drawn from the dashboard's queries by tools/dashboard; this is not Grafana."]
    captions += [arguments.about] if arguments.about else []
    draw(shown, f"{dashboard['title']}: {arguments.release}", captions, over, arguments.output)
    return [panel for panel, series in shown if panel.kind != "row" and not series]


if __name__ == "__main__":
    sys.exit(main())
