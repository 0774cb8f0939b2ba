"""A replica over several hosts: two worker groups, and a placement group over both."""

from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from ray.autoscaler._private.kuberay.autoscaling_config import _get_ray_resources_from_group_spec
from ray.autoscaler.v2.event_logger import AutoscalerEventLogger
from ray.autoscaler.v2.instance_manager.config import NodeTypeConfig
from ray.autoscaler.v2.scheduler import ResourceDemandScheduler, SchedulingRequest
from ray.autoscaler.v2.utils import ResourceRequestUtil
from ray.core.generated.autoscaler_pb2 import GangResourceRequest
from ray.llm._internal.serve.core.server.llm_server import (
    _merge_replica_actor_and_child_actor_bundles,
)
from ray.serve.llm import LLMConfig

from .conftest import Object, cluster, llm_configs, pods, render

LABEL = "app.kubernetes.io/component"
SHAPES: dict[str, Object] = {
    "two hosts of one stage": {"tensor": 4, "pipeline": 2, "hosts": 2},
    "two hosts of two stages": {"tensor": 4, "pipeline": 4, "hosts": 2},
    "three hosts": {"tensor": 8, "pipeline": 3, "hosts": 3},
    "the tensor is the chart's": {"pipeline": 2, "hosts": 2},
}
each_shape = pytest.mark.parametrize("shape", SHAPES)
SCALING = {"minReplicas": 1, "maxReplicas": 3}


def made(shape: str, **more: Any) -> tuple[Object, Object, Object]:
    """Return the LLMConfig of a shape, its worker group, and that of its further hosts."""
    objects = render({"parallelism": SHAPES[shape], "autoscaling": SCALING, **more})
    first, further = cluster(objects)["workerGroupSpecs"]
    return llm_configs(objects)[0], first, further


def replica(model: Object) -> list[dict[str, float]]:
    """Return the bundles that Ray Serve LLM asks for, of one replica."""
    engine = LLMConfig.model_validate(model).get_engine_config()
    merged: list[dict[str, float]] = _merge_replica_actor_and_child_actor_bundles(
        engine.placement_bundles, {"CPU": 1, "GPU": 0}
    )
    return merged


def node(group: Object) -> dict[str, int]:
    """Return what Ray's autoscaler takes a pod of a group to have."""
    found: dict[str, int] = _get_ray_resources_from_group_spec(group, is_head=False)
    return found


@each_shape
def test_a_host_has_its_part_of_the_accelerators(shape: str) -> None:
    model, first, further = made(shape)
    engine, hosts = model["engine_kwargs"], SHAPES[shape]["hosts"]
    ranks = engine["tensor_parallel_size"] * engine["pipeline_parallel_size"]
    assert engine["pipeline_parallel_size"] == SHAPES[shape]["pipeline"]
    for group in (first, further):
        limits = group["template"]["spec"]["containers"][0]["resources"]["limits"]
        assert int(limits["nvidia.com/gpu"]) * hosts == ranks == len(replica(model))
        assert int(limits["nvidia.com/gpu"]) % engine["tensor_parallel_size"] == 0
    assert (first["minReplicas"], first["maxReplicas"]) == (1, 3)
    assert (further["minReplicas"], further["maxReplicas"]) == (hosts - 1, 3 * (hosts - 1))


@each_shape
def test_rays_autoscaler_makes_the_hosts_of_a_replica_and_no_more(shape: str) -> None:
    model, *groups = made(shape)
    bundles = [ResourceRequestUtil.make(bundle) for bundle in replica(model)]
    types = {
        group["groupName"]: NodeTypeConfig(
            name=group["groupName"],
            min_worker_nodes=0,
            max_worker_nodes=group["maxReplicas"],
            resources=node(group),
        )
        for group in groups
    }
    request = SchedulingRequest(
        disable_launch_config_check=True,
        node_type_configs=types,
        gang_resource_requests=[GangResourceRequest(requests=bundles)],
    )
    scheduler = ResourceDemandScheduler(AutoscalerEventLogger(logger=[].append))
    reply = scheduler.schedule(request)
    assert not reply.infeasible_gang_resource_requests
    launched = {launch.instance_type: launch.count for launch in reply.to_launch}
    first, further = (group["groupName"] for group in groups)
    assert launched == {first: 1, further: SHAPES[shape]["hosts"] - 1}


@each_shape
def test_no_host_has_room_for_more_ranks_than_its_own(shape: str) -> None:
    """PACK fills node after node: a stage is cut in two by no way of placing them."""
    model, first, further = made(shape)
    bundles, per_host = replica(model), len(replica(model)) // SHAPES[shape]["hosts"]
    kinds = [first["groupName"]] * per_host + [further["groupName"]] * (len(bundles) - per_host)
    assert [next(kind for kind in b if kind in kinds) for b in bundles] == kinds
    for group in (first, further):
        total: Counter[str] = Counter()
        of_group = [bundle for bundle in bundles if group["groupName"] in bundle]
        for bundle in of_group[:per_host]:
            total.update({name: Fraction(str(n)) for name, n in bundle.items()})
        assert total["GPU"] == node(group)["GPU"]
        assert all(total[name] <= node(group)[name] for name in total)


def test_further_hosts_have_a_component_of_their_own() -> None:
    objects = render({"parallelism": SHAPES["three hosts"]})
    kinds = [pod["metadata"]["labels"][LABEL] for pod in pods(objects).values()]
    assert kinds.count("host") == 1
    (policy,) = [
        one
        for one in objects
        if one["kind"] == "NetworkPolicy" and one["metadata"]["name"] == "hybrid-llm"
    ]
    (chosen,) = policy["spec"]["podSelector"]["matchExpressions"]
    (peers,) = policy["spec"]["ingress"][0]["from"][0]["podSelector"]["matchExpressions"]
    assert "host" in chosen["values"] and "host" in peers["values"]


def test_an_engine_does_not_wait_long_for_a_host_that_is_lost() -> None:
    name = "VLLM_EXECUTE_MODEL_TIMEOUT_SECONDS"
    own = {"accelerator": {"overrides": {"env": {name: "200"}}}}
    for values, seconds in (({}, "60"), (own, "200")):
        model, *_ = made("two hosts of one stage", **values)
        assert model["runtime_env"]["env_vars"][name] == seconds
    (model,) = llm_configs(render())
    assert name not in model["runtime_env"]["env_vars"]


def test_prometheus_asks_no_further_host_for_a_proxys_metrics() -> None:
    _, first, further = made("two hosts of one stage")
    for group, names in ((first, ["metrics", "haproxy", "serve"]), (further, ["metrics", "serve"])):
        (container,) = group["template"]["spec"]["containers"]
        assert [port["name"] for port in container["ports"]] == names


def test_pods_of_all_hosts_are_alike_but_for_their_group() -> None:
    _, first, further = made("two hosts of one stage")
    for group in (first, further):
        assert node(group).pop(group["groupName"]) == 1
        group["resources"].pop(group.pop("groupName"))
        group["template"]["metadata"]["labels"].pop(LABEL)
        group["template"]["spec"]["containers"][0].pop("ports")
    assert first == further


def budgets(**values: Any) -> dict[str, int]:
    """Return how many pods of each component the disruption budgets keep."""
    objects = render({"parallelism": SHAPES["three hosts"], **values})
    return {
        one["spec"]["selector"]["matchLabels"][LABEL]: one["spec"]["minAvailable"]
        for one in objects
        if one["kind"] == "PodDisruptionBudget"
    }


def test_where_no_replica_may_go_none_of_its_hosts_may() -> None:
    assert budgets() == {"worker": 1, "host": 2}
    assert budgets(autoscaling={"minReplicas": 2, "maxReplicas": 2}) == {"worker": 1}
    assert budgets(podDisruptionBudget={"minAvailable": 0}) == {"worker": 0}


def test_each_host_has_devices_of_its_own() -> None:
    objects = render(
        {"parallelism": SHAPES["three hosts"], "accelerator": {"dra": {"enabled": True}}}
    )
    (template,) = [one for one in objects if one["kind"] == "ResourceClaimTemplate"]
    (request,) = template["spec"]["spec"]["devices"]["requests"]
    assert request["exactly"]["count"] == 8
    for group in cluster(objects)["workerGroupSpecs"]:
        assert group["resources"]["GPU"] == "8"
        (claim,) = group["template"]["spec"]["resourceClaims"]
        assert claim["resourceClaimTemplateName"] == template["metadata"]["name"]


def test_a_model_that_sleeps_lets_all_its_hosts_go() -> None:
    scaling = {"minReplicas": 0, "maxReplicas": 1}
    objects = render({"parallelism": SHAPES["three hosts"], "autoscaling": scaling})
    first, further, ingress = cluster(objects)["workerGroupSpecs"]
    assert (first["minReplicas"], first["maxReplicas"]) == (0, 1)
    assert (further["minReplicas"], further["maxReplicas"]) == (0, 2)
    assert ingress["groupName"] == "ingress"


def test_models_find_their_own_hosts() -> None:
    other = {"model": {"preset": "qwen3-14b", "id": "other"}, "parallelism": {"tensor": 1}}
    objects = render(
        {
            "parallelism": SHAPES["two hosts of one stage"],
            "additionalModels": [
                {**other, "parallelism": {"tensor": 4, "pipeline": 2, "hosts": 2}},
                {"model": {"preset": "qwen3-8b", "id": "small"}},
            ],
        }
    )
    groups = {g["groupName"]: g for g in cluster(objects)["workerGroupSpecs"]}
    assert list(groups) == ["my-qwen-3-32b", "my-qwen-3-32b-hosts", "other", "other-hosts", "small"]
    for model in llm_configs(objects)[:2]:
        asked = {name for bundle in replica(model) for name in bundle} & groups.keys()
        name = model["model_loading_config"]["model_id"]
        assert asked == {name, f"{name}-hosts"}
        assert all(node(groups[one])[one] == 1 for one in asked)
