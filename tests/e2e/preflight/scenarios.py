"""Random clusters and values: nodes, what runs there, and a release that may or may not fit."""

import random
from dataclasses import dataclass, field
from typing import Any

from ..kube import Object

ZONE, PRODUCT = "topology.kubernetes.io/zone", "nvidia.com/gpu.product"
GPU = "nvidia.com/gpu"
HOST = "kubernetes.io/hostname"

# Values of the chart, and what one of their worker pods needs: GPUs, CPUs, GiB.
MODELS: list[tuple[Object, str, int, int, int]] = [
    ({}, "NVIDIA-L40S", 4, 32, 192),
    ({"accelerator": {"preset": "h100"}}, "NVIDIA-H100-80GB-HBM3", 2, 26, 0),
    ({"model": {"preset": "qwen3-4b"}, "accelerator": {"preset": "l4"}}, "NVIDIA-L4", 1, 8, 32),
    ({"model": {"preset": "qwen3-8b"}}, "NVIDIA-L40S", 1, 8, 48),
]


@dataclass
class Scenario:
    """One of them.

    Args:
        values: of the chart.
        nodes: as nodes.fake takes them.
        pods: that run there already.
    """

    values: Object
    nodes: list[Object] = field(default_factory=list)
    pods: list[Object] = field(default_factory=list)


def draw(seed: int, namespace: str) -> Scenario:
    """Return the scenario of a seed; its other pods are in `namespace`."""
    dice = random.Random(seed)
    chosen, product, gpus, cpus, memory = dice.choice(MODELS)
    least = dice.choice([1, 1, 2, 2, 3])
    values: Object = {**chosen, "networkPolicy": {"enabled": False}}
    values["autoscaling"] = {"minReplicas": least, "maxReplicas": least + dice.choice([0, 1, 2])}
    if dice.random() < 0.6:  # as somebody has it who has other machines than the preset thinks of
        cpus, memory = dice.choice([4, 6, 8]) * gpus, dice.choice([8, 16, 24]) * gpus
        asked = {"cpu": str(cpus), "memory": f"{memory}Gi"}
        if dice.random() < 0.3:
            asked["ephemeral-storage"] = "50Gi"
        values["worker"] = {"resources": {"requests": asked, "limits": {"memory": f"{memory}Gi"}}}
    memory = memory or 48 * gpus
    worker = values.setdefault("worker", {})
    labels = {"app.kubernetes.io/component": "worker"}
    rule = dice.random()
    if rule < 0.15:
        term = {"topologyKey": HOST, "labelSelector": {"matchLabels": labels}}
        apart = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
        worker["affinity"] = {"podAntiAffinity": apart}
    elif rule < 0.4:
        worker["topologySpreadConstraints"] = [
            {
                **{"maxSkew": 1, "topologyKey": dice.choice([ZONE, HOST])},
                **{"whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": labels}},
            }
        ]
    elif rule < 0.5:
        expression = {"key": ZONE, "operator": dice.choice(["In", "NotIn"]), "values": ["a"]}
        wanted = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
        required = {"requiredDuringSchedulingIgnoredDuringExecution": wanted}
        worker["affinity"] = {"nodeAffinity": required}
    head: Object = {"resources": {"requests": {"cpu": dice.choice(["500m", "2"]), "memory": "8Gi"}}}
    if dice.random() < 0.3:
        head["nodeSelector"] = {"pool": "general"}
    values["head"] = head
    if dice.random() < 0.15:
        values["accelerator"] = {**values.get("accelerator", {}), "tolerations": []}
    scenario = Scenario(values)
    for number in range(dice.choice([2, 3, 3, 4, 5])):
        scenario.nodes.append(_gpu_node(dice, number, product, gpus, cpus, memory))
    for number in range(dice.choice([0, 1, 1, 2])):
        scenario.nodes.append(_general_node(dice, number))
    dice.shuffle(scenario.nodes)
    for node in scenario.nodes:
        for number in range(dice.choice([0, 0, 1, 1, 2])):
            scenario.pods.append(_pod(dice, node, number, namespace, gpus, cpus))
    return scenario


def _gpu_node(
    dice: random.Random, number: int, product: str, gpus: int, cpus: int, memory: int
) -> Object:
    times = dice.choice([1, 1, 2, 2, 3])
    spare = dice.choice([0, 0, 1, 3, 8])  # whether the head finds room beside the workers
    taints: list[Object] = []
    if dice.random() < 0.4:
        taints.append({"key": GPU, "value": "present", "effect": "NoSchedule"})
    if dice.random() < 0.12:
        taints.append({"key": "dedicated", "value": "others", "effect": "NoSchedule"})
    if dice.random() < 0.1:
        taints.append({"key": "old", "effect": "PreferNoSchedule"})
    return {
        "name": f"fake-gpu-{number}",
        "labels": {
            ZONE: dice.choice("ab"),
            PRODUCT: product if dice.random() < 0.85 else "Tesla-T4",
            **({"pool": "general"} if dice.random() < 0.1 else {}),
        },
        "taints": taints,
        "unschedulable": dice.random() < 0.08,
        "allocatable": {
            GPU: str(gpus * times if dice.random() < 0.9 else 0),
            "cpu": f"{times * cpus * 1000 + spare * 1000 - dice.choice([0, 0, 0, 100])}m",
            "memory": f"{times * memory + spare * 4}Gi",
            "ephemeral-storage": dice.choice(["40Gi", "200Gi", "400Gi"]),
            "pods": dice.choice(["110", "110", "110", "2"]),
        },
    }


def _general_node(dice: random.Random, number: int) -> Object:
    cpu, memory = dice.choice([(2, 8), (4, 16), (8, 32)])
    return {
        "name": f"fake-general-{number}",
        "labels": {ZONE: dice.choice("ab"), "pool": "general"},
        "unschedulable": dice.random() < 0.08,
        "allocatable": {
            "cpu": str(cpu),
            "memory": f"{memory}Gi",
            "ephemeral-storage": "100Gi",
            "pods": "110",
        },
    }


def _pod(
    dice: random.Random, node: Object, number: int, namespace: str, gpus: int, cpus: int
) -> Object:
    asked: dict[str, str] = {"cpu": dice.choice(["100m", "1", str(max(cpus // 2, 1))])}
    asked["memory"] = dice.choice(["128Mi", "4Gi", "16Gi"])
    has = int(node["allocatable"].get(GPU, "0"))
    if has and dice.random() < 0.35:
        asked[GPU] = str(dice.randint(1, min(has, gpus)))
    container: Object = {
        "name": "it",
        "image": "none",
        "resources": {"requests": asked, "limits": {}},
    }
    if GPU in asked:
        container["resources"]["limits"] = {GPU: asked[GPU]}
    spec: dict[str, Any] = {"nodeName": node["name"], "containers": [container]}
    spec["securityContext"] = {"runAsNonRoot": True, "runAsUser": 1000}
    spec["terminationGracePeriodSeconds"] = 0
    metadata: Object = {"name": f"{node['name']}-{number}", "namespace": namespace}
    metadata["labels"] = {"app": "other"}
    if dice.random() < 0.12:  # it wants no head, or no worker, beside it
        component = dice.choice(["head", "worker"])
        selector = {"matchLabels": {"app.kubernetes.io/component": component}}
        term = {"topologyKey": dice.choice([HOST, ZONE]), "labelSelector": selector}
        term["namespaceSelector"] = {}
        required = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
        spec["affinity"] = {"podAntiAffinity": required}
    pod: Object = {"metadata": metadata, "spec": spec}
    if dice.random() < 0.15:
        pod["status"] = {"phase": dice.choice(["Succeeded", "Failed"])}
    return pod


def _node(name: str, cpu: str, gpus: int = 0, zone: str = "a") -> Object:
    labels = {ZONE: zone, **({PRODUCT: "NVIDIA-L40S"} if gpus else {})}
    allocatable = {"cpu": cpu, "memory": "512Gi", "pods": "110", GPU: str(gpus)}
    allocatable["ephemeral-storage"] = "400Gi"
    return {"name": name, "labels": labels, "allocatable": allocatable}


def _release(replicas: int = 1, more: int = 0, **worker: Any) -> Object:
    bounds = {"minReplicas": replicas, "maxReplicas": replicas + more}
    return {"autoscaling": bounds, "worker": worker, "networkPolicy": {"enabled": False}}


def _asks(cpu: str) -> Object:
    return {"requests": {"cpu": cpu, "memory": "8Gi"}, "limits": {"memory": "8Gi"}}


_APART: Object = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {
                "topologyKey": HOST,
                "labelSelector": {"matchLabels": {"app.kubernetes.io/component": "worker"}},
            }
        ]
    }
}
_NOT_IN_A: Object = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {"matchExpressions": [{"key": ZONE, "operator": "NotIn", "values": ["a"]}]}
            ]
        }
    }
}

# What decides is one thing, which chance seldom draws: the title, the scenario, preflight's word.
DIRECTED: list[tuple[str, Scenario, str]] = [
    (
        "the init container that KubeRay adds asks for more than the worker",
        Scenario(
            _release(resources=_asks("100m")),
            [_node("fake-gpu-0", "150m", 4), _node("fake-general-0", "8")],
        ),
        "no",
    ),
    (
        "the autoscaler beside the head asks for the rest of a CPU",
        Scenario(
            _release(more=1, resources=_asks("8")),
            [_node("fake-gpu-0", "8", 4), _node("fake-general-0", "2100m")],
        ),
        "no",
    ),
    (
        "workers that want to be apart, and one node",
        Scenario(_release(2, affinity=_APART), [_node("fake-gpu-0", "96", 8)]),
        "no",
    ),
    (
        "workers that want to be apart, and two nodes",
        Scenario(
            _release(2, affinity=_APART),
            [_node("fake-gpu-0", "40", 4), _node("fake-gpu-1", "40", 4)],
        ),
        "yes",
    ),
    (
        "a zone that the worker may not go to",
        Scenario(_release(affinity=_NOT_IN_A), [_node("fake-gpu-0", "96", 8)]),
        "no",
    ),
    (
        "a head that may take the worker's place",
        Scenario(_release(), [_node("fake-gpu-0", "33", 4), _node("fake-general-0", "4")]),
        "depends",
    ),
]
