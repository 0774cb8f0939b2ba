"""Prometheus's API, as tests ask it: of one beside a server (serve), and in a cluster (e2e)."""

from dataclasses import dataclass
from typing import Any

import httpx


@dataclass
class Prometheus:
    """A running one."""

    url: str

    def get(self, path: str, **parameters: str) -> Any:
        """Ask its API; fail with its error."""
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=30).json()
        assert answer["status"] == "success", f"{parameters}: {answer['error']}"
        return answer["data"]

    def active(self) -> dict[str, str]:
        """Return {alert: pending or firing}."""
        alerts = self.get("alerts")["alerts"]
        return {alert["labels"]["alertname"]: alert["state"] for alert in alerts}

    def query(self, expression: str) -> list[float]:
        """Return the values of an expression now, of every series that has one."""
        result = self.get("query", query=expression)["result"]
        values = [float(series["value"][1]) for series in result]
        return [value for value in values if value == value]  # no NaN
