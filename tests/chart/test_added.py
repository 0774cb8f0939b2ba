"""What users add to pods and objects is there as they wrote it, and nothing else changes."""

import copy
import json
from typing import Any

import pytest

from .cluster import cluster_says
from .conftest import Object, cluster, manifest, pods, refusal, render
from .test_kubernetes_schemas import ADDED, OF_BOTH
from .test_policy import containers, pod_security

HEAD, WORKER = "hybrid-llm-head", "hybrid-llm-my-qwen-3-32b"
RAY = ("ray-head", "ray-worker")
OF_A_POD = ("hostAliases", "dnsPolicy", "dnsConfig", "schedulerName")
OF_A_CONTAINER = ("envFrom", "livenessProbe", "readinessProbe", "lifecycle")


def named(items: list[Object]) -> dict[str, Object]:
    """Return what is in a list by its name."""
    return {item["name"]: item for item in items}


@pytest.fixture(scope="module")
def objects() -> list[Object]:
    """Return the chart with all of it."""
    return render(ADDED)


@pytest.mark.parametrize("pod", [HEAD, WORKER])
def test_a_pod_has_what_was_added(pod: str, objects: list[Object]) -> None:
    spec = pods(objects)[pod]["spec"]
    assert {field: spec[field] for field in OF_A_POD} == {f: ADDED[f] for f in OF_A_POD}
    container = spec["containers"][0]
    assert container["name"] in RAY  # KubeRay takes the first for Ray's
    expected = {**OF_BOTH, "envFrom": ADDED["envFrom"]}
    assert {f: container[f] for f in OF_A_CONTAINER} == {f: expected[f] for f in OF_A_CONTAINER}
    assert OF_BOTH["volumeMounts"][0] in container["volumeMounts"]
    assert OF_BOTH["volumes"][0] in spec["volumes"]
    assert [one["name"] for one in spec["initContainers"]] == ["helper", "beside"]
    assert "shipper" in named(spec["containers"])
    assert ("startupProbe" in container) == (pod == WORKER)


def test_nothing_else_of_the_pods_changes(objects: list[Object]) -> None:
    before = pods(render({"ray": {"gcs": ADDED["ray"]["gcs"]}}))
    after = pods(objects)
    for name in (HEAD, WORKER):
        spec = copy.deepcopy(after[name]["spec"])
        for field in (*OF_A_POD, "initContainers"):
            del spec[field]
        spec["containers"] = [c for c in spec["containers"] if c["name"] != "shipper"]
        spec["volumes"].remove(OF_BOTH["volumes"][0])
        ray = spec["containers"][0]
        for field in (*OF_A_CONTAINER, "startupProbe"):
            ray.pop(field, None)
        ray["volumeMounts"].remove(OF_BOTH["volumeMounts"][0])
        assert spec == before[name]["spec"]


def test_own_containers_are_as_restricted_as_the_charts_and_get_no_key(
    objects: list[Object],
) -> None:
    assert pod_security(pods(objects)) == {}
    for name in (HEAD, WORKER):
        for container in containers(pods(objects)[name]):
            if container["name"] not in (*RAY, "autoscaler"):
                assert container["securityContext"]["readOnlyRootFilesystem"] is True
                assert not {"env", "envFrom"} & container.keys()
                assert {m["name"] for m in container.get("volumeMounts", [])} <= {"logs"}


def test_own_security_contexts_are_taken_as_they_are() -> None:
    own = {"runAsUser": 0, "readOnlyRootFilesystem": False}
    values = {"head": {"sidecars": [{"name": "a", "image": "a:1", "securityContext": own}]}}
    spec = pods(render(values))[HEAD]["spec"]
    assert named(spec["containers"])["a"]["securityContext"] == own


def test_labels_of_pods_win_over_those_of_all_objects(objects: list[Object]) -> None:
    for name, pod in pods(objects).items():
        expected = "serving" if name in (HEAD, WORKER) else "all"
        assert pod["metadata"]["labels"]["team"] == expected or name == "hybrid-llm-test"
        assert ("azure.workload.identity/use" in pod["metadata"]["labels"]) == (
            name in (HEAD, WORKER)
        )
    assert manifest(objects, "RayService")["metadata"]["labels"]["team"] == "all"


def test_pods_of_the_ingress_have_what_the_workers_have() -> None:
    values = {**ADDED, "autoscaling": {"minReplicas": 0}}
    spec = pods(render(values))["hybrid-llm-ingress"]["spec"]
    assert "shipper" in named(spec["containers"]) and spec["schedulerName"] == "volcano"


def test_other_objects_stand_as_they_were_written(objects: list[Object]) -> None:
    (own,) = ADDED["extraObjects"]
    assert manifest(objects, "ConfigMap", "proxies") == own  # its braces too


def test_the_download_has_the_same_environment() -> None:
    cache = {"weights": {"cache": {"enabled": True, "download": True}}}
    found = pods(render({**cache, "envFrom": ADDED["envFrom"]}))
    (job,) = [pod for name, pod in found.items() if "download" in name]
    assert job["spec"]["containers"][0]["envFrom"] == ADDED["envFrom"]


def test_the_test_and_the_page_go_to_the_nodes_that_are_named(objects: list[Object]) -> None:
    for name in ("hybrid-llm-test", "hybrid-llm-playground"):
        spec = pods(objects)[name]["spec"]
        assert spec["nodeSelector"] == {"pool": "small"}
        assert spec["tolerations"] == [{"operator": "Exists"}]


def test_each_name_of_the_ingress_leads_to_the_model_and_has_its_certificate(
    objects: list[Object],
) -> None:
    spec = manifest(objects, "Ingress")["spec"]
    hosts = ["llm.example.com", "chat.example.com", "old.example.com"]
    assert [rule["host"] for rule in spec["rules"]] == hosts
    assert len({json.dumps(rule["http"]) for rule in spec["rules"]}) == 1
    assert spec["tls"] == [
        {"hosts": hosts[:2], "secretName": "tls"},
        {"hosts": hosts[2:], "secretName": "old-tls"},
    ]
    assert (
        "tls"
        not in manifest(
            render({**ADDED, "ingress": {"enabled": True, "host": "a.example"}}), "Ingress"
        )["spec"]
    )


def test_redis_is_asked_by_tls_and_as_a_user(objects: list[Object]) -> None:
    options = cluster(objects)["gcsFaultToleranceOptions"]
    assert options["redisAddress"] == "rediss://redis:6380"
    assert options["redisUsername"] == {"value": "r"}
    policy = manifest(objects, "NetworkPolicy", "hybrid-llm-head")
    assert {"ports": [{"port": 6380, "protocol": "TCP"}]} in policy["spec"]["egress"]


def test_kubernetes_and_the_operator_take_it(objects: list[Object]) -> None:
    balanced = {"service": {"type": "NodePort", "loadBalancerSourceRanges": ["10.0.0.0/8"]}}
    for verdict in cluster_says([objects, render(balanced)]):
        assert verdict["refused"] == []


def test_a_load_balancer_lets_in_whom_it_names() -> None:
    ranges = ["10.0.0.0/8", "fd00::/8"]
    annotations = {"service.beta.kubernetes.io/aws-load-balancer-internal": "true"}
    service = {
        "type": "LoadBalancer",
        "annotations": annotations,
        "loadBalancerSourceRanges": ranges,
    }
    objects = render({"service": service})
    made = manifest(objects, "RayService")["spec"]["serveService"]
    assert made == {
        "metadata": {"annotations": annotations},
        "spec": {"type": "LoadBalancer", "loadBalancerSourceRanges": ranges},
    }
    policy = manifest(objects, "NetworkPolicy", "hybrid-llm")["spec"]["ingress"]
    (clients,) = [rule for rule in policy if "ipBlock" in json.dumps(rule)]
    assert [peer["ipBlock"]["cidr"] for peer in clients["from"] if "ipBlock" in peer] == ranges
    assert clients["ports"] == [{"port": 8000, "protocol": "TCP"}]
    assert "serveService" not in manifest(render(), "RayService")["spec"]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("head.sidecars", [{"name": "a"}]),
        ("worker.initContainers", [{"image": "a:1"}]),
        ("worker.initContainers", [{"name": "a", "image": "a:1", "comand": ["x"]}]),
        ("extraObjects", [{"kind": "ConfigMap", "metadata": {"name": "a"}}]),
        ("envFrom", [{"secretRef": "more"}]),
        ("service", {"type": "ExternalName"}),
    ],
)
def test_slips_are_found(place: str, value: Any) -> None:
    section, _, key = place.partition(".")
    said = refusal({section: {key: value} if key else value})
    assert f"/{place.replace('.', '/')}" in said
