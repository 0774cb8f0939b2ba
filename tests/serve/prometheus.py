"""A real Prometheus with the chart's rules, which scrapes a server as its PodMonitor would."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from promapi import Prometheus

from schemas import KUBERNETES, go_tool

from .conftest import ROOT, Server, free_port

RELEASE = "default/hybrid-llm"  # the job that the operator makes of the PodMonitor
MONITORED = {
    "podMonitor": {"enabled": True},
    "prometheusRule": {
        "enabled": True,
        "sources": {"kuberay": True, "certManager": True},
        "alerts": {"no-ready-replica": {"for": "5s"}},  # so as not to wait
    },
    "dashboard": {"enabled": True, "acceleratorHourPrice": 2},
    "networkPolicy": {"metricsNamespaces": ["monitoring"], "clientNamespaces": ["nginx"]},
    "ingress": {"enabled": True, "host": "llm.example.com", "tlsSecret": "tls"},
}


def chart(mode: str) -> dict[str, Any]:
    """Return {kind: object} of what the chart renders for Prometheus and Grafana."""
    values = yaml.safe_dump(MONITORED | {"serving": {"mode": mode}})
    options = ("--values", "-", "--kube-version", KUBERNETES)
    command = ("helm", "template", "hybrid-llm", str(ROOT / "charts" / "hybrid-llm"), *options)
    made = go_tool(*command, input=values, check=True).stdout
    objects = [item for item in yaml.load_all(made, yaml.CSafeLoader) if item]
    found = {item["kind"]: item for item in objects if item["kind"] == "PrometheusRule"}
    (found["Dashboard"],) = [o for o in objects if o["metadata"]["name"].endswith("-dashboard")]
    return found


def targets(server: Server) -> list[str]:
    """Return host:port of what the PodMonitor names: Ray's agent, and HAProxy if there is one."""
    (folder,) = server.run.folders()
    (found,) = json.loads((folder / "prom_metrics_service_discovery.json").read_text())
    # In a pod the port `metrics` is the agent's alone; here there are those of head's parts too.
    (agent,) = [
        t for t in found["targets"] if "ray_serve_" in httpx.get(f"http://{t}/metrics").text
    ]
    proxies = [
        re.search(r"frontend prometheus\s+bind (\S+)", f.read_text()) for f in configs(folder)
    ]
    return [agent, *(match[1] for match in proxies if match)]


def configs(folder: Path) -> list[Path]:
    """Return HAProxy's configuration files."""
    return sorted(folder.glob("*/haproxy.cfg"))


@contextmanager
def running(server: Server, rules: dict[str, Any], folder: Path) -> Iterator[Prometheus]:
    """Run one that scrapes each second and evaluates rules, the `spec` of a PrometheusRule."""
    port = free_port()
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
    scraped = {
        "job_name": RELEASE,
        "static_configs": [{"targets": targets(server)}],
    }
    every = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "5s"}
    config = {"global": every, "rule_files": ["rules.yaml"], "scrape_configs": [scraped]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    program = go_tool("--path", "prometheus", check=True).stdout.strip()
    log = folder / "prometheus.log"
    options = (f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={folder}/data")
    with log.open("w") as file:
        process = subprocess.Popen(
            [program, "--config.file=prometheus.yml", *options],
            cwd=folder,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 60
        while not _ready(url):
            if process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"Prometheus does not start:\n{log.read_text()[-4000:]}")
            time.sleep(0.2)
        yield Prometheus(url)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready").is_success
    except httpx.TransportError:
        return False
