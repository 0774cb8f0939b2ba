"""What is refused, by whom, and in which words."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from .kube import Failed, Namespace, helm, wait
from .release import CHART, Release
from .report import Report

pytestmark = pytest.mark.core

Object = dict[str, Any]


@pytest.fixture(scope="module")
def namespace() -> Iterator[Namespace]:
    space = Namespace("e2e-bad-input")
    space.create()
    yield space
    space.delete()


@pytest.fixture(scope="module")
def service(namespace: Namespace) -> Object:
    """A RayService that would be taken."""
    values = yaml.safe_dump(Release(namespace).values)
    text = helm(
        "template",
        "bad",
        CHART,
        "--values",
        "-",
        "--show-only",
        "templates/rayservice.yaml",
        stdin=values,
    )
    start = text.index("apiVersion")
    found: Object = yaml.safe_load(text[start:])
    found["metadata"].pop("namespace")
    return found


@dataclass(frozen=True)
class Refusal:
    """A mistake in a RayService.

    Attributes:
        title: what is wrong.
        change: makes the mistake.
        says: what the answer must contain.
    """

    title: str
    change: Callable[[Object], object]
    says: str


def cluster(service: Object) -> Object:
    spec: Object = service["spec"]["rayClusterConfig"]
    return spec


def group(service: Object) -> Object:
    first: Object = cluster(service)["workerGroupSpecs"][0]
    return first


BY_THE_API_SERVER = [
    Refusal("no headGroupSpec", lambda s: cluster(s).pop("headGroupSpec"), "headGroupSpec"),
    Refusal(
        "a number in rayStartParams",
        lambda s: cluster(s)["headGroupSpec"]["rayStartParams"].update({"num-cpus": 0}),
        "num-cpus",
    ),
    Refusal(
        "an unknown field (a slip of the pen)",
        lambda s: s["spec"].update(serveConfigv2="x"),
        'unknown field "spec.serveConfigv2"',
    ),
    Refusal(
        "a number of replicas in words", lambda s: group(s).update(minReplicas="one"), "minReplicas"
    ),
    Refusal(
        "upgradeStrategy as a word",
        lambda s: s["spec"].update(upgradeStrategy="NewCluster"),
        "upgradeStrategy",
    ),
    Refusal(
        "a pod without containers",
        lambda s: group(s)["template"]["spec"].pop("containers"),
        "containers",
    ),
    Refusal("a name in capitals", lambda s: s["metadata"].update(name="Hybrid"), "RFC 1123"),
]
BY_THE_OPERATOR = [
    Refusal(
        "an unknown upgradeStrategy.type",
        lambda s: s["spec"]["upgradeStrategy"].update(type="Sometimes"),
        "InvalidRayServiceSpec",
    ),
    Refusal(
        "minReplicas above maxReplicas",
        lambda s: group(s).update(minReplicas=3, maxReplicas=2),
        "InvalidRayServiceSpec",
    ),
    Refusal(
        "a name of more than 47 characters",
        lambda s: s["metadata"].update(name="a" * 48),
        "InvalidRayServiceMetadata",
    ),
    Refusal(
        "CPUs both in rayStartParams and in resources",
        lambda s: group(s)["rayStartParams"].update({"num-cpus": "4"}),
        "InvalidRayServiceSpec",
    ),
    Refusal(
        "a pod that is not allowed to run as it asks",
        lambda s: cluster(s)["headGroupSpec"]["template"]["spec"].pop("securityContext"),
        "violates PodSecurity",
    ),
]
BY_THE_CHART = {
    "a model that does not fit": (
        ["accelerator.preset=l4", "parallelism.tensor=2"],
        "does not fit 2 x L4",
    ),
    "a name of an accelerator that Ray does not know": (
        ["accelerator.type=A100-40G"],
        "accelerator.preset=a100-40gb",
    ),
    "a model that there is no preset of": (["model.preset=qwen3-33b"], "presets/models"),
    "an unknown value (a slip of the pen)": (["reasoning.tokenbudget=5"], "tokenbudget"),
    "a budget above the largest one": (
        ["reasoning.tokenBudget=9", "reasoning.maxTokenBudget=5"],
        "maxTokenBudget",
    ),
    "fewer replicas at most than at least": (["autoscaling.minReplicas=3"], "autoscaling"),
    "a default that the model cannot do": (
        ["model.preset=qwq-32b", "reasoning.thinkingDefault=false"],
        "thinkingDefault",
    ),
}


@pytest.mark.parametrize("refusal", BY_THE_API_SERVER, ids=lambda r: r.title)
def test_the_api_server(
    namespace: Namespace, service: Object, refusal: Refusal, report: Report
) -> None:
    bad = copy.deepcopy(service)
    refusal.change(bad)
    with pytest.raises(Failed) as refused:
        namespace.apply(yaml.safe_dump(bad))
    message = str(refused.value)
    assert refusal.says in message
    report.refusal(refusal.title, "API server", line_with(refusal.says, message))


@pytest.mark.parametrize("refusal", BY_THE_OPERATOR, ids=lambda r: r.title)
def test_the_operator(
    namespace: Namespace, service: Object, refusal: Refusal, report: Report
) -> None:
    bad = copy.deepcopy(service)
    bad["metadata"]["name"] = "bad"
    refusal.change(bad)
    namespace.apply(yaml.safe_dump(bad))
    name = bad["metadata"]["name"]

    def message() -> str:
        events = namespace.kubectl(
            "get",
            "events",
            "-o",
            "custom-columns=:involvedObject.name,:reason,:message",
            "--no-headers",
        )
        return next(
            (e for e in events.splitlines() if e.startswith(name) and refusal.says in e), ""
        )

    try:
        event = wait(f"an event with {refusal.says}", message, 60)
        assert not namespace.pods("ray.io/is-ray-node=yes")
    finally:
        namespace.kubectl("delete", "rayservice", name, "--wait=false")
        namespace.kubectl("delete", "events", "--all")
    report.refusal(refusal.title, "operator (event)", " ".join(event.split()[1:]))


@pytest.mark.parametrize("title", BY_THE_CHART)
def test_the_chart(namespace: Namespace, title: str, report: Report) -> None:
    sets, says = BY_THE_CHART[title]
    arguments = [argument for pair in sets for argument in ("--set", pair)]
    with pytest.raises(Failed) as refused:
        helm("install", "bad", CHART, "--namespace", namespace.name, *arguments)
    message = str(refused.value)
    assert says in message
    assert not namespace.names("rayservices")
    report.refusal(title, "chart", line_with(says, message))


def line_with(says: str, message: str) -> str:
    """Return the line of a message that says it."""
    lines = message.splitlines()[1:]  # the first is the command
    line = next(line for line in lines if says in line)
    return line.strip(" *-")[:400]
