"""Whether the release is there already, and its pods stay as they are."""

from typing import Any

from . import Object
from .cluster import Cluster, Denied
from .release import Release

# What KubeRay 1.6 does not look at when it asks itself whether pods have changed
# (GenerateHashWithoutReplicasAndWorkersToDelete in ray-operator, which tests/chart/test_upgrade.py
# asks).
_OF_GROUP = {"replicas", "minReplicas", "maxReplicas", "scaleStrategy"}
_OF_POD = {"tolerations", "schedulingGates"}
# What the API server writes into a RayService that does not say it.
_DEFAULTS = {"protocol": "TCP", "numOfHosts": 1}


def stays(release: Release, cluster: Cluster) -> bool:
    """Return whether no pod of the release changes, so that none needs room beside the old ones.

    Where nobody may read what is there, it is taken for new.
    """
    path = f"/apis/ray.io/v1/namespaces/{release.namespace}/rayservices/{release.name}"
    try:
        there = cluster.get(path)
    except Denied:
        return False
    if there is None:
        return False
    upgrade = release.rayservice["spec"].get("upgradeStrategy") or {}
    return upgrade.get("type") == "None" or made_into_pods(there) == made_into_pods(
        release.rayservice
    )


def made_into_pods(rayservice: Object) -> Object:
    """Return what KubeRay makes pods of, as far as a change of it makes others."""
    spec = rayservice["spec"]["rayClusterConfig"]
    cluster = {key: value for key, value in spec.items() if key != "upgradeStrategy"}
    cluster["headGroupSpec"] = _group(spec["headGroupSpec"])
    cluster["workerGroupSpecs"] = [_group(one) for one in spec.get("workerGroupSpecs") or []]
    found: Object = _without_defaults(cluster)
    return found


def _group(group: Object) -> Object:
    pod = {k: v for k, v in group["template"]["spec"].items() if k not in _OF_POD}
    kept = {k: v for k, v in group.items() if k not in _OF_GROUP}
    return {**kept, "template": {**group["template"], "spec": pod}}


def _without_defaults(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _without_defaults(one) for key, one in value.items()}
        return {key: one for key, one in kept.items() if not _says_nothing(key, one)}
    return [_without_defaults(one) for one in value] if isinstance(value, list) else value


def _says_nothing(key: str, value: Any) -> bool:
    return value is None or value in ({}, []) or value == _DEFAULTS.get(key)
