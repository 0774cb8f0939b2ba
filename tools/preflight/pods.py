"""The pods that a RayService becomes, as KubeRay makes them, as far as the scheduler sees."""

import copy
from dataclasses import dataclass

from . import Object

# What the operator gives containers that it adds (ray-operator/controllers/ray/common/pod.go).
_WAITS = {"cpu": "200m", "memory": "256Mi"}
_AUTOSCALER = {"cpu": "500m", "memory": "512Mi"}


@dataclass(frozen=True)
class Group:
    """Pods that are alike.

    Args:
        name: of the worker group, "head", or a Job's.
        pod: one of them; metadata.labels and spec.
        least: how many there are from the beginning.
        most: how many there may be.
        serves: whether they are a model's replicas.
    """

    name: str
    pod: Object
    least: int
    most: int
    serves: bool = False


def made_by_kuberay(rayservice: Object) -> list[Group]:
    """Return head and workers of a RayService, in the order in which KubeRay makes them."""
    cluster = rayservice["spec"]["rayClusterConfig"]
    scales = bool(cluster.get("enableInTreeAutoscaling"))
    name = rayservice["metadata"]["name"]
    head = _pod(cluster["headGroupSpec"]["template"], name, "head", "headgroup")
    if scales:
        options = cluster.get("autoscalerOptions") or {}
        resources = options.get("resources") or {"requests": _AUTOSCALER, "limits": _AUTOSCALER}
        sidecar = {**head["spec"]["containers"][0], "name": "autoscaler", "ports": []}
        sidecar |= {"resources": resources, "image": options.get("image", sidecar["image"])}
        for field in ("env", "volumeMounts", "imagePullPolicy", "securityContext"):
            if field in options:
                sidecar[field] = options[field]
        head["spec"]["containers"].append(sidecar)
    groups = [Group("head", head, 1, 1)]
    for spec in cluster.get("workerGroupSpecs") or []:
        pod = _pod(spec["template"], name, "worker", spec["groupName"])
        first = pod["spec"]["containers"][0]
        waits = {**first, "name": "wait-gcs-ready", "ports": []}
        waits["resources"] = {"requests": _WAITS, "limits": _WAITS}
        pod["spec"].setdefault("initContainers", []).append(waits)
        hosts = spec.get("numOfHosts") or 1
        least = spec.get("minReplicas") or 0
        if not scales:
            least = max(least, spec.get("replicas") or 0)
        most = max(least, spec.get("maxReplicas") or 0)
        ingress = "ingress" in (spec.get("resources") or {})
        groups.append(Group(spec["groupName"], pod, least * hosts, most * hosts, not ingress))
    return groups


def job(made: Object) -> Group:
    """Return the pods of a Job."""
    count = made["spec"].get("parallelism", 1)
    template = made["spec"]["template"]
    pod = {"metadata": {"labels": {}, **(template.get("metadata") or {})}, "spec": template["spec"]}
    return Group(made["metadata"]["name"], copy.deepcopy(pod), count, count)


def _pod(template: Object, name: str, node: str, group: str) -> Object:
    metadata = copy.deepcopy(template.get("metadata") or {})
    added = {"ray.io/cluster": name, "ray.io/node-type": node, "ray.io/group": group}
    metadata["labels"] = {"ray.io/is-ray-node": "yes"} | added | (metadata.get("labels") or {})
    return {"metadata": metadata, "spec": copy.deepcopy(template["spec"])}
