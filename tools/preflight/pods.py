"""The pods that a RayService becomes, as KubeRay makes them, as far as the scheduler sees."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

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
        serves: whether they are a model's replicas, or the first host of each.
        of: the group whose replicas they are further hosts of; empty where they are none.
        each: of them a replica has.
    """

    name: str
    pod: Object
    least: int
    most: int
    serves: bool = False
    of: str = ""
    each: int = 1


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
        made = Group(spec["groupName"], pod, least * hosts, most * hosts)
        groups.append(_with_its_part(made, spec, groups))
    return groups


def _with_its_part(made: Group, spec: Object, before: Sequence[Group]) -> Group:
    """Return a worker group with what it is for; the chart names further hosts after the first."""
    if made.pod["metadata"]["labels"].get("app.kubernetes.io/component") == "host":
        name = made.name.removesuffix("-hosts")
        first = next((group for group in before if group.name == name and group.most), None)
        return replace(made, of=name, each=max(1, made.most // first.most)) if first else made
    return replace(made, serves="ingress" not in (spec.get("resources") or {}))


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
