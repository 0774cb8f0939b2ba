"""Every alert fires, keeps quiet and says what to do: by promtool, on the rules that are rendered.

A case is a file of alerts/ with promtool's unit tests, a document for each set of `values`. What
every alert has, its labels and texts, is put in here.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas import go_tool

from .conftest import CHART, ROOT, Object, manifest, render

HERE = Path(__file__).parent
ALERTS = {path.stem: yaml.safe_load(path.read_text()) for path in CHART.glob("alerts/*.yaml")}
RUNBOOKS = ROOT / "docs" / "runbooks"
CASES = HERE / "alerts"
OPERATIONS = ROOT / "docs" / "operations.md"
# All alerts that there are.
VALUES: Object = {
    "podMonitor": {"enabled": True},
    "networkPolicy": {"metricsNamespaces": ["monitoring"], "clientNamespaces": ["nginx"]},
    "ingress": {"enabled": True, "host": "llm.example.com", "tlsSecret": "tls"},
    "prometheusRule": {"enabled": True, "sources": {"kuberay": True, "certManager": True}},
}

each_alert = pytest.mark.parametrize("name", sorted(ALERTS))


def merged(base: Object, change: Object) -> Object:
    """Return both, merged as Helm merges values."""
    result = dict(base)
    for key, value in change.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        result[key] = merged(base[key], value) if both else value
    return result


def rules(change: Object | None = None) -> dict[str, Object]:
    """Return {name: rule} of what the chart renders."""
    made = manifest(render(merged(VALUES, change or {})), "PrometheusRule")
    (group,) = made["spec"]["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def alert_of(name: str) -> str:
    """Return the name of a file's alert."""
    return "HybridLLM" + "".join(word.capitalize() for word in name.split("-"))


def promtool(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return go_tool("promtool", *arguments, cwd=folder)


def documents(name: str) -> list[Object]:
    return list(yaml.safe_load_all((CASES / f"{name}.yaml").read_text()))


def write(folder: Path, case: Object) -> None:
    """Write promtool's files: the rules of a case's values without texts, and its tests."""
    made = rules(case.pop("values", None))
    for rule in made.values():
        del rule["annotations"]
    groups = [{"name": "alerts", "rules": list(made.values())}]
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    for test in case["tests"]:
        for moment in test["alert_rule_test"]:
            for alert in moment.get("exp_alerts", []):
                alert["exp_labels"] |= made[moment["alertname"]]["labels"]
    (folder / "tests.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], **case}))


@each_alert
def test_it_fires_and_keeps_quiet(name: str, tmp_path: Path) -> None:
    fired = set()
    for case in documents(name):
        moments = [m for t in case["tests"] for m in t["alert_rule_test"]]
        fired |= {bool(m.get("exp_alerts")) for m in moments if m["alertname"] == alert_of(name)}
        write(tmp_path, case)
        run = promtool(tmp_path, "test", "rules", "tests.yaml")
        assert run.returncode == 0, run.stdout + run.stderr
    assert fired == {True, False}, "it must fire in one moment, and in another not"


def test_a_case_can_fail(tmp_path: Path) -> None:
    case = documents("kv-cache-full")[0]
    case["tests"][0]["alert_rule_test"][1]["exp_alerts"] = []
    write(tmp_path, case)
    run = promtool(tmp_path, "test", "rules", "tests.yaml")
    assert run.returncode and "HybridLLMKvCacheFull" in run.stdout + run.stderr


@pytest.mark.parametrize("mode", ["direct", "ingress"])
def test_prometheus_takes_the_rules(mode: str, tmp_path: Path) -> None:
    made = rules({"serving": {"mode": mode}})
    assert set(made) == {alert_of(name) for name in ALERTS}
    groups = [{"name": "alerts", "rules": list(made.values())}]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    run = promtool(tmp_path, "check", "rules", "--lint=all", "--lint-fatal", "rules.yaml")
    assert run.returncode == 0, run.stdout + run.stderr


@each_alert
def test_it_says_what_to_do(name: str) -> None:
    rule = rules()[alert_of(name)]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["runbook_url"].endswith(f"/docs/runbooks/{name}.md")
    assert rule["annotations"]["summary"] and rule["annotations"]["description"]
    page = (RUNBOOKS / f"{name}.md").read_text()
    assert page.startswith(f"# {alert_of(name)}\n")
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == ["Meaning", "Impact", "Look", "Mend"]
    look = page.partition("## Look")[2]
    assert "```" in look, "the exact commands"


def test_nothing_is_left_of_an_alert_that_there_was() -> None:
    assert {path.stem for path in CASES.glob("*.yaml")} == set(ALERTS)
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == set(ALERTS)


def test_an_alert_can_be_turned_off_and_changed() -> None:
    own = {"queue-growing": {"enabled": False}, "error-rate": {"for": "1m", "severity": "page"}}
    made = rules({"prometheusRule": {"alerts": own, "alertLabels": {"team": "llm"}}})
    assert "HybridLLMQueueGrowing" not in made
    assert made["HybridLLMErrorRate"]["for"] == "1m"
    assert made["HybridLLMErrorRate"]["labels"] == {
        **{"severity": "page", "team": "llm", "namespace": "default", "release": "hybrid-llm"}
    }


def test_without_a_source_its_alerts_are_not_there() -> None:
    none = {"kubeStateMetrics": False, "kuberay": False, "certManager": False}
    made = rules({"prometheusRule": {"sources": none}})
    from_others = {alert_of(name) for name, alert in ALERTS.items() if "source" in alert}
    assert set(made) == {alert_of(name) for name in ALERTS} - from_others
    assert not re.search(r"\b(kube|kuberay|certmanager)_", str(list(made.values())))


def test_a_model_that_may_sleep_needs_no_replica() -> None:
    assert alert_of("no-ready-replica") not in rules({"autoscaling": {"minReplicas": 0}})


def test_bounds_of_objectives_are_those_of_the_histogram() -> None:
    from app.answers.metrics import _SECONDS

    schema: Any = yaml.safe_load((CHART / "values.schema.json").read_text())
    objectives = schema["properties"]["prometheusRule"]["properties"]["objectives"]["properties"]
    for key in ("answerSeconds", "thinkingAnswerSeconds"):
        assert objectives[key]["enum"] == _SECONDS


def table() -> str:
    """Return the table of alerts, of their files."""
    sources = {
        "kubeStateMetrics": "kube-state-metrics",
        "kuberay": "KubeRay's operator",
        "certManager": "cert-manager",
    }
    lines = ["| Alert | Severity | For | Metrics of | What |", "| --- | --- | --- | --- | --- |"]
    for name, alert in sorted(ALERTS.items()):
        source = sources[alert["source"]] if "source" in alert else "the release"
        link = f"[{alert_of(name)}](runbooks/{name}.md)"
        cells = (link, alert["severity"], alert["for"], source, alert["summary"])
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def test_the_documents_table_is_that_of_the_files() -> None:
    """After a change that is meant: REGOLD=1 make test ARGS=tests/chart/test_alerts.py."""
    text = OPERATIONS.read_text()
    begin, end = "<!-- the alerts -->\n", "\n<!-- end of the alerts -->"
    before, _, rest = text.partition(begin)
    found, _, after = rest.partition(end)
    if os.environ.get("REGOLD"):
        OPERATIONS.write_text(before + begin + table() + end + after)
        found = table()
    assert found == table()
