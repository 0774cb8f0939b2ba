"""The 32B manifest as it is, on a node that says it has GPUs.

It has none, so no engine can start: this goes as far as Ray's view of the node, and to the second
worker that a second replica would need.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from .kube import IMAGE, PRODUCT, ROOT, Namespace, gpu_node, wait
from .release import Release, is_ready

MODEL = "NVIDIA-L40S"
# What two replicas ask Ray for, with no model behind it.
ASK_FOR_TWO = """
import ray, time
ray.init(address="auto", log_to_driver=False)
bundles = [{"CPU": 1, "GPU": 1} for _ in range(4)]
bundles[0]["accelerator_type:L40S"] = 0.001
groups = [ray.util.placement_group(bundles, strategy="STRICT_PACK") for _ in range(2)]
time.sleep(600)
"""


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    """A node with 8 GPUs, as far as Kubernetes knows."""
    with gpu_node(MODEL, "nvidia.com/gpu", 8) as name:
        yield name


@pytest.fixture(scope="module")
def release(node: str) -> Iterator[Release]:
    """k8s/rayservice.yaml, with the suite's image, and CPU, memory and disk that a laptop has."""
    namespace = Namespace("e2e-gpu")
    namespace.create()
    documents = list(yaml.safe_load_all((ROOT / "k8s" / "rayservice.yaml").read_text()))
    (service,) = [d for d in documents if d["kind"] == "RayService"]
    cluster = service["spec"]["rayClusterConfig"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        (container,) = group["template"]["spec"]["containers"]
        container["image"] = IMAGE
        for kind in ("requests", "limits"):
            container["resources"][kind].pop("ephemeral-storage", None)
            small = {"cpu": "100m", "memory": "1Gi" if kind == "requests" else "6Gi"}
            container["resources"][kind].update(small if kind == "requests" else {"memory": "6Gi"})
    namespace.apply(yaml.safe_dump_all(documents))
    yield Release(namespace)
    namespace.delete()


def pods(release: Release, component: str) -> list[dict[str, Any]]:
    label = f"app.kubernetes.io/component={component}"
    return [p for p in release.namespace.pods(label) if p["status"].get("phase") == "Running"]


def resources(release: Release) -> list[dict[str, float]]:
    """Return what each node of Ray has in all, as the head knows it."""
    script = (
        'wget -qO- --header "X-Ray-Authorization: Bearer $RAY_AUTH_TOKEN"'
        " 'http://127.0.0.1:8265/api/v0/nodes?detail=1'"
    )
    (head,) = pods(release, "head")
    answer = json.loads(release.namespace.shell(head["metadata"]["name"], script, "ray-head"))
    nodes = answer["data"]["result"]["result"]
    return [node["resources_total"] for node in nodes if node["state"] == "ALIVE"]


def with_gpus(release: Release) -> list[dict[str, float]]:
    """Return what each node of Ray has that has GPUs."""
    return [total for total in resources(release) if total.get("GPU")]


def test_the_worker_is_on_the_node_with_the_accelerators(release: Release, node: str) -> None:
    (worker,) = wait("a worker runs", lambda: pods(release, "worker"))
    (container,) = worker["spec"]["containers"]
    assert worker["spec"]["nodeName"] == node
    assert worker["spec"]["nodeSelector"] == {PRODUCT: MODEL}
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "4"


def test_ray_sees_four_gpus_of_the_type_that_the_model_asks_for(release: Release) -> None:
    wait("the head is ready", lambda: list(filter(is_ready, pods(release, "head"))))
    (worker,) = wait("Ray sees the GPUs", lambda: with_gpus(release))
    assert worker["GPU"] == 4
    assert worker["accelerator_type:L40S"] == 1


def test_a_second_replicas_demand_brings_a_second_worker(release: Release) -> None:
    (head,) = pods(release, "head")
    script = f"nohup python - >/tmp/ask.log 2>&1 <<'END' &\n{ASK_FOR_TWO}\nEND"
    release.namespace.shell(head["metadata"]["name"], script, "ray-head")
    wait("the autoscaler adds a worker", lambda: len(pods(release, "worker")) == 2)
    wait("Ray sees the GPUs of both", lambda: [n["GPU"] for n in with_gpus(release)] == [4, 4])
