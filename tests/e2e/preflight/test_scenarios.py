"""What preflight says of 20 random clusters, against what the real scheduler does.

The nodes are objects without a kubelet; scheduler, API server and KubeRay are real. A pod that is
bound to such a node never runs, which is all the same to the scheduler.
"""

import json
from collections.abc import Iterator

import pytest
import yaml

from ..kube import Namespace, Object, core, helm, kubectl, wait
from ..release import CHART
from .nodes import cordoned, fake
from .said import preflight
from .scenarios import DIRECTED, Scenario, draw

SEEDS = range(20)
KINDS = ("RayService", "ServiceAccount")  # of the release, what makes pods
SAID: dict[int, str] = {}


@pytest.fixture(scope="module", autouse=True)
def only_fake_nodes() -> Iterator[None]:
    with cordoned():
        yield


@pytest.fixture(scope="module")
def others() -> Iterator[Namespace]:
    """A namespace for what runs there already."""
    namespace = Namespace("preflight-others")
    namespace.delete()
    kubectl("create", "namespace", namespace.name)
    yield namespace
    kubectl("delete", "namespace", namespace.name)


def said_of_pods(manifests: str, namespace: str) -> Object:
    """Return what preflight says of the pods."""
    _, findings = preflight("--manifests", "-", "-n", namespace, stdin=manifests)
    said = [one for one in findings if one["check"] == "nodes" and "schedules" in one["data"]]
    found: Object = said[0]["data"]
    found["text"] = [one["what"] for one in findings if one["check"] == "nodes"]
    return found


def settled(namespace: Namespace, count: int) -> dict[str, list[str]] | None:
    """Return the groups of the pods that have a node and of those that can't have one."""
    pods = namespace.pods("ray.io/is-ray-node=yes")
    if len(pods) != count:
        return None
    found: dict[str, list[str]] = {"bound": [], "unschedulable": []}
    for pod in pods:
        group = pod["metadata"]["labels"]["ray.io/group"].replace("headgroup", "head")
        conditions = {c["type"]: c for c in pod["status"].get("conditions", [])}
        if pod["spec"].get("nodeName"):
            found["bound"].append(group)
        elif conditions.get("PodScheduled", {}).get("reason") == "Unschedulable":
            found["unschedulable"].append(group)
    return found if len(found["bound"]) + len(found["unschedulable"]) == count else None


@pytest.mark.parametrize("seed", SEEDS)
def test_the_scheduler_does_as_preflight_says(seed: int, others: Namespace) -> None:
    SAID[seed] = compared(draw(seed, others.name), f"preflight-{seed}")


@pytest.mark.parametrize("number", range(len(DIRECTED)), ids=[one[0] for one in DIRECTED])
def test_it_does_so_where_one_thing_decides(number: int) -> None:
    _, scenario, word = DIRECTED[number]
    assert compared(scenario, f"preflight-directed-{number}") == word


def compared(scenario: Scenario, name: str) -> str:
    """Hold what preflight says against what the scheduler does; return preflight's word."""
    namespace = Namespace(name)
    namespace.create()
    values = yaml.safe_dump(scenario.values)
    manifests = helm("template", "it", CHART, "-n", name, "--values", "-", stdin=values)
    try:
        with fake(scenario.nodes, scenario.pods):
            said = said_of_pods(manifests, name)
            bounds = scenario.values["autoscaling"]
            least, most = bounds["minReplicas"], bounds["maxReplicas"]
            parts = [d for d in yaml.safe_load_all(manifests) if d and d["kind"] in KINDS]
            namespace.apply(yaml.safe_dump_all(parts))
            seen = wait("the first pods", lambda: settled(namespace, 1 + least), every=0.5)
            assert said["exact"]
            if said["schedules"] != "depends":
                well = said["schedules"] == "yes"
                assert (not seen["unschedulable"]) == well, f"{said}\n{seen}\n{scenario}"
            # What the autoscaler does when there is load.
            (cluster,) = namespace.names("rayclusters")
            patch = [{"op": "replace", "path": "/spec/workerGroupSpecs/0/replicas", "value": most}]
            namespace.kubectl("patch", cluster, "--type=json", "-p", json.dumps(patch))
            seen = wait("all pods", lambda: settled(namespace, 1 + most), every=0.5)
            (group,) = [title for title in said["pods"] if title != "head"]
            low, high = said["pods"][group]["fit"]
            assert low <= seen["bound"].count(group) <= high, f"{said}\n{seen}\n{scenario}"
            return str(said["schedules"])
    finally:
        for pod in core().list_namespaced_pod(name).items:
            namespace.kubectl("delete", "pod", pod.metadata.name, "--force", "--grace-period=0")
        namespace.delete()


def test_it_seldom_leaves_it_open() -> None:
    """A word that is never wrong because it is no word would be none."""
    if len(SAID) < len(SEEDS):
        pytest.skip("only some scenarios were run")
    words = list(SAID.values())
    assert words.count("yes") >= 5
    assert words.count("no") >= 5
    assert words.count("depends") <= 4
