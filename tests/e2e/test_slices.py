"""Parts of GPUs and claims of devices, on a node that says it has them.

It has none, so no engine can start: this goes as far as Ray's count and the scheduler's claim.
"""

import json
from collections.abc import Iterator

import pytest
import yaml

from .kube import IMAGE, Namespace, Object, gpu_node, kubectl, wait
from .release import Release, image_values, is_ready, merged
from .test_gpu_shape import pods, with_gpus

H100 = "NVIDIA-H100-80GB-HBM3"
SMALL = {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"memory": "6Gi"}}
VALUES: Object = {
    "model": {"preset": "qwen3-4b", "id": "qwen3-4b"},
    "accelerator": {"preset": "h100"},
    "auth": {"existingSecret": "keys"},
    "head": {"resources": SMALL},
    "worker": {"resources": SMALL},
}
PARTS: dict[str, Object] = {
    "nvidia.com/mig-3g.40gb": {},
    "nvidia.com/gpu.shared": {"sharedBy": 2},
}
DRIVER = "gpu.nvidia.com"


def release(namespace: Namespace, accelerator: Object) -> Release:
    """Install Qwen3-4B on a part of an H100."""
    namespace.create()
    found = Release(namespace)
    values = merged(VALUES, {"accelerator": accelerator})
    found.values = merged(values, image_values(IMAGE))
    found.install()
    return found


@pytest.mark.parametrize("resource", PARTS)
def test_ray_counts_a_part_as_one_gpu(resource: str) -> None:
    namespace = Namespace("e2e-slices")
    with gpu_node(H100, resource, 2):
        accelerator = {"overrides": {"resourceName": resource}, **PARTS[resource]}
        installed = release(namespace, accelerator)
        wait("a worker runs", lambda: pods(installed, "worker"))
        wait("the head is ready", lambda: list(filter(is_ready, pods(installed, "head"))))
        (worker,) = wait("Ray sees the GPU", lambda: with_gpus(installed))
        assert worker["GPU"] == 1
        assert worker["accelerator_type:H100"] == 1
        namespace.delete()


@pytest.fixture
def devices() -> Iterator[None]:
    """Two devices of NVIDIA's class on the node, as its driver would publish them."""
    nodes = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    attributes = {"type": {"string": "gpu"}, "productName": {"string": "NVIDIA H100 80GB HBM3"}}
    devices = [{"name": f"gpu-{number}", "attributes": attributes} for number in range(2)]
    selector = {"cel": {"expression": f"device.driver == '{DRIVER}'"}}
    objects = [
        {
            "apiVersion": "resource.k8s.io/v1",
            "kind": "DeviceClass",
            "metadata": {"name": DRIVER},
            "spec": {"selectors": [selector]},
        },
        {
            "apiVersion": "resource.k8s.io/v1",
            "kind": "ResourceSlice",
            "metadata": {"name": "e2e"},
            "spec": {
                "driver": DRIVER,
                "nodeName": nodes[-1]["metadata"]["name"],
                "pool": {"name": "e2e", "generation": 1, "resourceSliceCount": 1},
                "devices": devices,
            },
        },
    ]
    text = yaml.safe_dump_all(objects)
    kubectl("apply", "-f", "-", stdin=text)
    yield
    kubectl("delete", "-f", "-", "--ignore-not-found", stdin=text)


def test_the_scheduler_finds_a_device_for_a_claim(devices: None) -> None:
    namespace = Namespace("e2e-claims")
    with gpu_node(H100):
        installed = release(namespace, {"dra": {"enabled": True, "deviceClass": DRIVER}})

        def allocated() -> list[Object]:
            found = json.loads(namespace.kubectl("get", "resourceclaims", "-o", "json"))["items"]
            return [claim for claim in found if claim.get("status", {}).get("allocation")]

        (claim,) = wait("the claim is allocated", allocated)
        (result,) = claim["status"]["allocation"]["devices"]["results"]
        assert (result["driver"], result["pool"]) == (DRIVER, "e2e")
        label = "app.kubernetes.io/component=worker"
        (worker,) = installed.namespace.pods(label)
        assert claim["status"]["reservedFor"][0]["name"] == worker["metadata"]["name"]
        assert worker["spec"]["nodeName"]
        namespace.delete()
