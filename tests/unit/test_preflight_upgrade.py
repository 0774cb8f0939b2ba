"""Preflight of an upgrade: room for a second cluster where pods change, else none."""

import copy
from typing import Any

import pytest
from cluster_double import API, SPACE, World, node, secret
from preflight_hook import RBAC, of_kind, rendered

from preflight.checking import check
from preflight.release import Release

Object = dict[str, Any]


def live(*sets: str) -> World:
    """Return a cluster with no room left, in which a release of these values is."""
    world = World()
    service = copy.deepcopy(of_kind(rendered(*sets), "RayService", "it-hybrid-llm"))
    cluster = service["spec"]["rayClusterConfig"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        for container in group["template"]["spec"]["containers"]:
            for port in container.get("ports", []):
                port["protocol"] = "TCP"  # as the API server writes it
    for group in cluster["workerGroupSpecs"]:  # as the autoscaler and the operator do
        group |= {"replicas": 2, "numOfHosts": 1, "scaleStrategy": {"workersToDelete": []}}
    world.objects["/apis/ray.io/v1/namespaces/prod/rayservices/it-hybrid-llm"] = service
    world.lists[f"{API}/nodes"] = []
    world.objects[f"{SPACE}/secrets/hf-token"] = secret("HF_TOKEN")
    return world


def errors(world: World, *sets: str) -> list[tuple[str, str]]:
    """Return what is in the way of these values."""
    world.kinds |= RBAC
    found = check(Release(rendered(*sets), "prod"), world.cluster(read_only=True))
    return [(name, one.what) for name, one in found if one.severity == "error"]


def test_an_upgrade_that_changes_no_pod_needs_no_room() -> None:
    assert errors(live()) == []
    assert errors(live(), "networkPolicy.clientNamespaces={more}") == []
    world = live()
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}}}
    world.lists[f"{SPACE}/resourcequotas"] = [quota]
    assert errors(world) == []


@pytest.mark.parametrize(
    "change",
    [
        "env[0].name=NEW,env[0].value=x",
        "head.resources.requests.cpu=3",
        "head.nodeSelector.pool=general",
        "reasoning.tokenBudget=5",
        "image.digest=sha256:" + "0" * 64,
    ],
)
def test_one_that_changes_pods_needs_room_beside_them(change: str) -> None:
    found = errors(live(), *change.split(","))
    assert {name for name, _ in found} == {"nodes"}
    assert all("there is no node" in what for _, what in found)


def test_one_that_takes_something_away_needs_it_too() -> None:
    assert errors(live("head.nodeSelector.pool=general"))
    assert errors(live("env[0].name=NEW", "env[0].value=x"))


def test_one_that_kuberay_does_not_roll_out_needs_none() -> None:
    strategy = "ray.upgrade.strategy=None"
    assert errors(live(strategy), strategy, "head.resources.requests.cpu=3") == []


def test_what_may_not_be_read_is_taken_for_new() -> None:
    world = live()
    world.denied.add("/apis/ray.io/v1/namespaces/prod/rayservices/it-hybrid-llm")
    assert {name for name, _ in errors(world)} == {"nodes"}


def test_make_preflight_of_a_release_with_the_job_looks_past_it() -> None:
    world = World()
    world.kinds |= RBAC
    with_job = check(Release(rendered(), "prod", ">=1.6.2 <1.8.0"), world.cluster())
    assert [one.what for _, one in with_job if one.severity != "ok"] == []


def test_the_pod_that_looks_takes_no_room_from_the_release() -> None:
    spec = of_kind(rendered("preflight.resources.requests.cpu=14"), "Job", "-preflight")["spec"]
    pod = {**spec["template"], "status": {"phase": "Running"}}
    pod["metadata"] |= {"name": "it-hybrid-llm-preflight-x", "namespace": "prod"}
    pod["spec"]["nodeName"] = "gpu-0"
    world = World()
    world.lists |= {f"{API}/nodes": [node("gpu-0", room={"cpu": "35"})], f"{API}/pods": [pod]}
    hard = {"pods": "2", "requests.cpu": "35"}
    status = {"hard": hard, "used": {"pods": "1", "requests.cpu": "14"}}
    quota = {"metadata": {"name": "q"}, "spec": {"hard": hard}, "status": status}
    world.lists[f"{SPACE}/resourcequotas"] = [quota]
    assert errors(world) == []
    pod["metadata"]["namespace"] = "others"
    assert {name for name, _ in errors(world)} == {"nodes", "quota"}
