"""Every expression of the dashboard has data, and every alert its metrics, in a real Prometheus."""

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from promapi import Prometheus

from .conftest import BOB, CONFIG, DAVE, KEY, MODEL, MODES, ROOT, Server, command_line
from .prometheus import RELEASE, chart, running
from .surfaces import SURFACES, ask

# Alice asks as she likes, bob may not think, of dave no draft is trusted.
REASONING = {
    "thinkingDefault": True,
    "allowOverride": True,
    "adaptive": {"threshold": 0, "draftTokens": 64},
    "keys": {
        "bob": {"thinkingDefault": False, "allowOverride": False},
        "dave": {"adaptive": {"threshold": 1, "draftTokens": 64}},
    },
}
# What can't be seen here, and why: a part of an expression.
UNSEEN = {
    'Name="GPU"': "there is no accelerator",
    "ray_node_g": "there is no accelerator",
}
UNSEEN_IN_THE_INGRESS_MODE = {"haproxy_": "the ingress mode has no HAProxy"}
ELSEWHERE = {
    "kube": "of kube-state-metrics",
    "kuberay": "of KubeRay's operator",
    "certmanager": "of cert-manager",
}
NOT_HERE = {"ray_serve_deployment_error_counter_total": "nothing has failed"}
METRIC = re.compile(r"\b((?:ray|haproxy|kube|kuberay|certmanager)_\w+|up)\{")
LONG = "Tell me which of these is greater. " * 40  # more than a block of the prefix cache
THINKER = "What is 347 * 86?"


def with_little_cache(mode: str) -> str:
    """Return a Serve config whose KV cache holds one whole sequence alone: so some must yield."""
    config = yaml.safe_load((ROOT / CONFIG).read_text())
    config.pop("http_options", None)
    arguments = config["applications"][0]["args"]
    (model,) = arguments["llm_configs"]
    model["engine_kwargs"] |= {"max_model_len": 2048, "num_gpu_blocks_override": 17}
    arguments["reasoning"] = {MODEL: REASONING}
    return yaml.safe_dump(config)


SERVERS = [(mode, with_little_cache(mode)) for mode in MODES]
pytestmark = pytest.mark.parametrize("server", SERVERS, ids=list(MODES), indirect=True)


@dataclass
class Monitored:
    """A server, and a Prometheus that has scraped it while it was asked in all ways."""

    mode: str
    made: dict[str, Any]
    prometheus: Prometheus

    @property
    def unseen(self) -> dict[str, str]:
        """What has no data here, and why."""
        return UNSEEN | (UNSEEN_IN_THE_INGRESS_MODE if self.mode == "ingress" else {})

    def expressions(self) -> Iterator[tuple[str, str]]:
        """Yield the title of a panel and an expression, with the variables filled in."""
        (text,) = self.made["Dashboard"]["data"].values()
        for panel in json.loads(text)["panels"]:
            for target in panel.get("targets", []):
                expression = target["expr"].replace("$release", RELEASE)
                for name, value in {"$__rate_interval": "1m", "$price": "2"}.items():
                    expression = expression.replace(name, value)
                assert "$" not in expression
                yield panel["title"], expression

    def without_data(self) -> list[str]:
        """Return the expressions of the dashboard that should have data by now and have none."""
        missing = []
        for title, expression in self.expressions():
            seen = not any(part in expression for part in self.unseen)
            if seen and not self.prometheus.query(expression):
                missing.append(f"{title}: {expression}")
        return missing


def ask_in_all_ways(server: Server) -> None:
    """Ask in each mode, by each API, streamed and not, with several keys; some are refused."""
    calls: list[Any] = []
    chat = SURFACES["chat"]
    adaptive: Any = {"thinking": {"type": "adaptive"}}
    for streamed in (True, False):
        for surface in SURFACES.values():
            calls.append(lambda s=surface, w=streamed: ask(server, s, w, THINKER))
            calls.append(lambda s=surface, w=streamed: ask(server, s, w, key=BOB))
        for key in (KEY, DAVE):
            calls.append(lambda k=key, w=streamed: ask(server, chat, w, "Hello", key=k, **adaptive))
    calls.append(lambda: ask(server, chat, True, THINKER, thinking_token_budget=2))
    calls += [lambda: ask(server, chat, True, f"{LONG} {THINKER}")] * 8
    refused = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}
    refused |= {"reasoning_effort": "high"}
    headers = {"authorization": f"Bearer {BOB}"}

    def forbidden() -> None:
        reply = server.send("/v1/chat/completions", json=refused, headers=headers)
        assert reply.status_code == 403, reply.text

    with ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(call) for call in [*calls, forbidden]]:
            done.result()


@pytest.fixture(scope="module")
def monitored(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """Ask until all is there that should be, or no more came for long."""
    mode = "direct" if "direct" in str(server.run.output) else "ingress"
    made = chart(mode)
    folder = tmp_path_factory.mktemp("prometheus")
    with running(server, made["PrometheusRule"]["spec"], folder) as prometheus:
        found = Monitored(mode, made, prometheus)
        end = time.monotonic() + 240
        while True:
            ask_in_all_ways(server)
            if not found.without_data() or time.monotonic() > end:
                break
        yield found


def test_every_expression_of_the_dashboard_has_data(monitored: Monitored) -> None:
    assert monitored.without_data() == []


def test_what_is_said_to_be_unseen_is(monitored: Monitored) -> None:
    expressions = [expression for _, expression in monitored.expressions()]
    for part, why in monitored.unseen.items():
        with_it = [expression for expression in expressions if part in expression]
        assert with_it, f"nothing has {part} any more"
        for expression in with_it:
            assert not monitored.prometheus.query(expression), f"not so any more: {why}"


def test_cost_is_the_price_by_the_tokens(monitored: Monitored) -> None:
    """With the CPUs for accelerators, of which there are some."""
    expressions = dict(monitored.expressions())
    query = monitored.prometheus.query
    (cost,) = query(
        expressions["A million tokens, of thinking or of answers"].replace("GPU", "CPU")
    )
    (cpus,) = query(f'sum(last_over_time(ray_resources{{job="{RELEASE}", Name="CPU"}}[2m]))')
    (rate,) = query(
        f'sum(rate(ray_hybrid_llm_thinking_tokens_total{{job="{RELEASE}"}}[1m]))'
        f'+ sum(rate(ray_hybrid_llm_answer_tokens_total{{job="{RELEASE}"}}[1m]))'
    )
    assert cost * rate * 3600 / 1e6 == pytest.approx(2 * cpus, rel=0.3)  # not of the same moment


def test_every_alert_is_evaluated_and_its_metrics_are_there(monitored: Monitored) -> None:
    (group,) = monitored.prometheus.get("rules")["groups"]
    assert [
        (rule["name"], rule["lastError"]) for rule in group["rules"] if "lastError" in rule
    ] == []
    assert {rule["health"] for rule in group["rules"]} == {"ok"}
    alerts = monitored.made["PrometheusRule"]["spec"]["groups"][0]["rules"]
    assert len(group["rules"]) == len(alerts)
    missing = []
    for alert in alerts:
        for name in set(METRIC.findall(alert["expr"])):
            here = monitored.prometheus.query(f"count(last_over_time({name}[10m]))")
            if bool(here) == (name.partition("_")[0] in ELSEWHERE):
                missing.append(f"{alert['alert']}: {name}")
    assert missing == []


def test_what_the_pages_ask_of_prometheus_has_its_metrics(monitored: Monitored) -> None:
    missing = []
    for page in sorted((ROOT / "docs" / "runbooks").glob("*.md")):
        for block in re.findall(r"```promql\n(.*?)```", page.read_text(), re.DOTALL):
            for query in re.split(r"\n(?! )", block.strip()):
                monitored.prometheus.get("query", query=query)
                for name in METRIC.findall(query):
                    known = name in NOT_HERE or any(p in name for p in monitored.unseen)
                    if not known and not monitored.prometheus.query(f"last_over_time({name}[10m])"):
                        missing.append(f"{page.name}: {name}")
    assert missing == []


def test_an_alert_fires_when_the_replica_is_gone_and_ends_with_the_next(
    server: Server, monitored: Monitored
) -> None:
    """Comes last: it kills the engine, and with it goes the only replica."""
    alert, active = "HybridLLMNoReadyReplica", monitored.prometheus.active
    assert alert not in active()
    for process in server.run.processes():
        if "EngineCore" in command_line(process):
            process.kill()
    wait(lambda: active().get(alert) == "firing", 120)
    wait(lambda: alert not in active(), 400)
    ask(server, SURFACES["chat"], True)


def wait(until: Callable[[], bool], seconds: float) -> None:
    """Wait until something is so; fail when it takes longer."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(1)
