"""Draws the chart's dashboard out of a Prometheus, for where there is no Grafana."""


class Stop(Exception):
    """Why it can't go on, and the way out, in one line for whoever asked."""
