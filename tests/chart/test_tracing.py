"""The request log and the spans, as values switch them on."""

from typing import Any

import pytest
import yaml

from .conftest import CHART, Object, cluster, llm_configs, manifest, render

COLLECTOR = {"endpoint": "http://otel.monitoring:4317", "sampleRatio": 0.25}
AUTH = {"existingSecret": "keys"}
LOG = "HYBRID_LLM_REQUEST_LOG"


def environments(**values: Any) -> list[dict[str, str]]:
    """Return the environment of each of Ray's containers."""
    spec = cluster(render({"auth": AUTH, **values}))
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    containers = [group["template"]["spec"]["containers"][0] for group in groups]
    return [{e["name"]: e.get("value", "") for e in c["env"]} for c in containers]


def test_nothing_is_logged_or_traced_by_default() -> None:
    for environment in environments():
        assert not [name for name in environment if "OTEL" in name or "TRACING" in name]
        assert LOG not in environment


def test_the_request_log_goes_where_kubectl_logs_reads() -> None:
    assert [e[LOG] for e in environments(requestLog={"enabled": True})] == ["/proc/1/fd/1"] * 2


@pytest.mark.parametrize("mode", ["direct", "ingress"])
def test_all_processes_send_their_spans_to_the_collector(mode: str) -> None:
    values = {"tracing": COLLECTOR, "serving": {"mode": mode}}
    for environment in environments(**values):
        assert environment["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] == COLLECTOR["endpoint"]
        assert environment["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] == "grpc"
        assert environment["OTEL_SERVICE_NAME"] == "hybrid-llm"
        assert (
            environment["RAY_SERVE_TRACING_EXPORTER_IMPORT_PATH"] == "app.tracing:span_processors"
        )
        assert environment["RAY_SERVE_TRACING_SAMPLING_RATIO"] == "0.25"
    (model,) = llm_configs(render({"auth": AUTH, **values}))
    assert model["engine_kwargs"]["otlp_traces_endpoint"] == COLLECTOR["endpoint"]


def ports(objects: list[Object]) -> list[int]:
    rules = manifest(objects, "NetworkPolicy", "hybrid-llm")["spec"]["egress"]
    return [port["port"] for rule in rules for port in rule.get("ports", [])]


@pytest.mark.parametrize(
    ("endpoint", "protocol", "port"),
    [
        ("http://otel:4317", "grpc", 4317),
        ("https://otel.example.com:443/v1/traces", "http/protobuf", 443),
    ],
)
def test_the_network_policy_lets_spans_out(endpoint: str, protocol: str, port: int) -> None:
    base = yaml.safe_load((CHART / "ci" / "nano-cpu.yaml").read_text())
    before = ports(render(base))
    after = ports(render({**base, "tracing": {"endpoint": endpoint, "protocol": protocol}}))
    assert after == [*before, port]
