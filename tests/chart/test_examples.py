"""The examples of k8s/ give what a release asks for; `make validate` looks at their schemas."""

from collections.abc import Iterator

import yaml

from tools.preflight.checks.autoscaler import why_not
from tools.preflight.quantity import amount
from tools.preflight.requests import requests

from .conftest import ROOT, Object, cluster, manifest, render


def values(folder: str) -> Object:
    return yaml.safe_load((ROOT / "k8s" / folder / "values.yaml").read_text())


def beside(folder: str) -> list[Object]:
    """Return the objects of an example, which lie beside its values."""
    texts = [path.read_text() for path in (ROOT / "k8s" / folder).glob("*.yaml")]
    return [item for text in texts for item in yaml.safe_load_all(text) if "kind" in item]


def groups(service: Object) -> Iterator[tuple[str, int, Object]]:
    """Yield the name of each group, how many pods it may have, and its pod."""
    spec = cluster([service])
    yield "head", 1, spec["headGroupSpec"]["template"]
    for group in spec["workerGroupSpecs"]:
        yield group["groupName"], group["maxReplicas"], group["template"]


def test_karpenter_brings_the_nodes_of_the_workers_and_of_nothing_else() -> None:
    pool = manifest(beside("karpenter"), "NodePool")
    service = manifest(render(values("karpenter")), "RayService")
    fits = {name: not why_not(pool, pod) for name, _, pod in groups(service)}
    assert fits == {"head": False, "my-qwen-3-32b": True, "ingress": False}
    # All replicas, and not one more.
    most = next(n for name, n, _ in groups(service) if name == "my-qwen-3-32b")
    pod = next(pod for name, _, pod in groups(service) if name == "my-qwen-3-32b")
    gpus = requests(pod)["nvidia.com/gpu"]
    assert amount("nvidia.com/gpu", pool["spec"]["limits"]["nvidia.com/gpu"]) == most * gpus
    # A node's own end leaves time for the drain of its worker.
    assert pool["spec"]["template"]["spec"]["terminationGracePeriod"] == "15m"
    assert pod["spec"]["terminationGracePeriodSeconds"] < 15 * 60


def test_kueue_has_room_for_the_release_and_as_much_again_for_jobs() -> None:
    queue = manifest(beside("kueue"), "ClusterQueue")
    local = manifest(beside("kueue"), "LocalQueue")
    service = manifest(render(values("kueue")), "RayService")
    assert service["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == local["metadata"]["name"]
    assert local["spec"]["clusterQueue"] == queue["metadata"]["name"]
    classes = manifest(beside("kueue"), "WorkloadPriorityClass")["metadata"]["name"]
    assert service["metadata"]["labels"]["kueue.x-k8s.io/priority-class"] == classes
    # Kueue takes no cluster that Ray's autoscaler changes.
    assert not cluster([service]).get("enableInTreeAutoscaling", False)
    (of,) = queue["spec"]["resourceGroups"]
    (flavor,) = of["flavors"]
    quota = {r["name"]: amount(r["name"], r["nominalQuota"]) for r in flavor["resources"]}
    asked: dict[str, int] = {}
    for _, number, pod in groups(service):
        for resource, value in requests(pod).items():
            asked[resource] = asked.get(resource, 0) + number * value
    assert set(asked) == set(of["coveredResources"]) == set(quota)
    assert all(2 * asked[resource] <= quota[resource] for resource in asked), asked
