"""What of some pods finds a node, on nodes as the API has them."""

from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from kubernetes.utils.quantity import parse_quantity

from preflight import quantity
from preflight.quantity import amount
from preflight.requests import requests
from preflight.scheduling.nodes import with_pods
from preflight.scheduling.packing import Kind, Packing
from preflight.scheduling.standing import reason

Object = dict[str, Any]


def node(name: str = "a", room: Object | None = None, **spec: Any) -> Object:
    labels = {"kubernetes.io/hostname": name, **spec.pop("labels", {})}
    allocatable = {"cpu": "8", "memory": "32Gi", "pods": "110", **(room or {})}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {"allocatable": allocatable},
    }


def pod(asked: Object | None = None, labels: Object | None = None, **spec: Any) -> Object:
    container = {"name": "it", "resources": {"requests": asked or {}}}
    metadata = {"name": "it", "namespace": "prod", "labels": labels or {}}
    return {"metadata": metadata, "spec": {"containers": [container], **spec}}


def placed(nodes: list[Object], pods: list[Object], *wanted: tuple[Object, int]) -> list[Any]:
    """Return every outcome: how many pods of each kind find a node."""
    kinds = [Kind(str(n), one) for n, (one, _) in enumerate(wanted)]
    packing = Packing(with_pods(nodes, pods), kinds, "prod", {"prod": {}, "others": {"team": "x"}})
    outcomes = packing.outcomes([(n, count) for n, (_, count) in enumerate(wanted)])
    assert outcomes.whole
    return sorted(outcomes.placed)


@pytest.mark.parametrize(
    ("resource", "quantity", "value"),
    [
        ("cpu", "500m", 500),
        ("cpu", 2, 2000),
        ("cpu", "0.1", 100),
        ("cpu", "100u", 1),
        ("memory", "64Gi", 64 * 2**30),
        ("memory", "1.5G", 1_500_000_000),
        ("memory", "1e3", 1000),
        ("memory", "24581692Ki", 24581692 * 1024),
        ("memory", "1500m", 2),
        ("nvidia.com/gpu", "4", 4),
        ("requests.cpu", "1", 1000),
    ],
)
def test_a_quantity(resource: str, quantity: str, value: int) -> None:
    assert amount(resource, quantity) == value


@hypothesis.given(
    number=st.one_of(
        st.integers(0, 10**12).map(str),
        st.decimals(0, 10**6, places=3).map(str),
        st.sampled_from(["1e3", "1E3", "2e-2", "-5"]),
    ),
    suffix=st.sampled_from(["", *"numkMGTPE", *(f"{prefix}i" for prefix in "KMGTPE")]),
)
@hypothesis.settings(deadline=None)
def test_a_quantity_is_what_the_kubernetes_package_takes_it_for(number: str, suffix: str) -> None:
    assert quantity.number(number + suffix) == parse_quantity(number + suffix)


@pytest.mark.parametrize("text", ["", "Gi", "1ki", "1Ki Gi", "1x", "four"])
def test_what_is_no_quantity_is_none_for_both(text: str) -> None:
    for parse in (quantity.number, parse_quantity):
        with pytest.raises(ValueError):
            parse(text)


def _container(cpu: str, **more: Any) -> Object:
    return {"resources": {"requests": {"cpu": cpu}}, **more}


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        ({"containers": [_container("1"), _container("500m")]}, 1500),
        ({"containers": [_container("100m")], "initContainers": [_container("200m")]}, 200),
        (
            {
                "containers": [_container("1")],
                "initContainers": [_container("200m", restartPolicy="Always")],
            },
            1200,
        ),
        (  # the sidecar runs already when the second init container does
            {
                "containers": [_container("100m")],
                "initContainers": [_container("1", restartPolicy="Always"), _container("2")],
            },
            3000,
        ),
        ({"containers": [_container("1")], "overhead": {"cpu": "250m"}}, 1250),
        ({"containers": [_container("1")], "resources": {"requests": {"cpu": "3"}}}, 3000),
        ({"containers": [{"resources": {"limits": {"cpu": "2"}}}]}, 2000),
    ],
)
def test_what_a_pod_asks_for(spec: Object, cpu: int) -> None:
    assert requests({"spec": spec})["cpu"] == cpu


TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("there", "wanted", "why"),
    [
        (node(), pod({"cpu": "8"}), ""),
        (node(), pod({"cpu": "8001m"}), "8 cpu in all, 8.001 needed"),
        (node(), pod({"nvidia.com/gpu": "1"}), "0 nvidia.com/gpu in all, 1 needed"),
        (node(room={"pods": "0"}), pod(), "no pods allowed"),
        (node(unschedulable=True), pod(), "cordoned"),
        (
            node(unschedulable=True),
            pod(tolerations=[{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]),
            "",
        ),
        (node(), pod(nodeSelector={"zone": "a"}), "no label zone=a"),
        (node(labels={"zone": "b"}), pod(nodeSelector={"zone": "a"}), "no label zone=a (it is b)"),
        (node(taints=[TAINT]), pod(), "taint gpu=yes:NoSchedule is not tolerated"),
        (node(taints=[TAINT]), pod(tolerations=[{"key": "gpu", "operator": "Exists"}]), ""),
        (node(taints=[TAINT]), pod(tolerations=[{"key": "gpu", "value": "yes"}]), ""),
        (
            node(taints=[TAINT]),
            pod(tolerations=[{"key": "gpu", "value": "no"}]),
            "taint gpu=yes:NoSchedule is not tolerated",
        ),
        (
            node(taints=[TAINT]),
            pod(tolerations=[{"key": "gpu", "operator": "Exists", "effect": "NoExecute"}]),
            "taint gpu=yes:NoSchedule is not tolerated",
        ),
        (node(taints=[TAINT]), pod(tolerations=[{"operator": "Exists"}]), ""),
        (node(taints=[{**TAINT, "effect": "PreferNoSchedule"}]), pod(), ""),
        (  # every pod tolerates this one for five minutes
            node(taints=[{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}]),
            pod(),
            "",
        ),
        (
            node(taints=[{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]),
            pod(),
            "taint node.kubernetes.io/not-ready:NoSchedule is not tolerated",
        ),
    ],
)
def test_why_a_node_can_not_hold_a_pod(there: Object, wanted: Object, why: str) -> None:
    (made,) = with_pods([there], [])
    assert reason(made, wanted) == why


def _near(*expressions: Object, **fields: Any) -> Object:
    terms = [{"matchExpressions": [one]} for one in expressions] or [fields]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return {"nodeAffinity": required}


@pytest.mark.parametrize(
    ("affinity", "fits"),
    [
        (_near({"key": "size", "operator": "In", "values": ["4"]}), True),
        (_near({"key": "size", "operator": "NotIn", "values": ["4"]}), False),
        (_near({"key": "other", "operator": "NotIn", "values": ["4"]}), True),
        (_near({"key": "size", "operator": "Exists"}), True),
        (_near({"key": "size", "operator": "DoesNotExist"}), False),
        (_near({"key": "size", "operator": "Gt", "values": ["3"]}), True),
        (_near({"key": "size", "operator": "Lt", "values": ["4"]}), False),
        (_near({"key": "other", "operator": "Gt", "values": ["3"]}), False),
        # Terms are alternatives, an empty one is none.
        (
            _near({"key": "other", "operator": "Exists"}, {"key": "size", "operator": "Exists"}),
            True,
        ),
        (_near(matchFields=[{"key": "metadata.name", "operator": "In", "values": ["a"]}]), True),
        (_near(matchFields=[{"key": "metadata.name", "operator": "In", "values": ["b"]}]), False),
        (_near(matchExpressions=[]), False),
    ],
)
def test_required_node_affinity(affinity: Object, fits: bool) -> None:
    (made,) = with_pods([node(labels={"size": "4"})], [])
    assert (reason(made, pod(affinity=affinity)) == "") == fits


def on(place: str, cpu: str, phase: str = "Running", **more: Any) -> Object:
    running = pod({"cpu": cpu}, nodeName=place, **more)
    running["status"] = {"phase": phase}
    return running


def test_what_runs_there_holds_its_room_and_what_has_ended_none() -> None:
    four = (pod({"cpu": "4"}), 2)
    assert placed([node()], [], four) == [(2,)]
    assert placed([node()], [on("a", "1")], four) == [(1,)]
    assert placed([node()], [on("a", "1", "Succeeded"), on("b", "8")], four) == [(2,)]
    nominated = on("a", "1") | {"status": {"nominatedNodeName": "a"}}
    del nominated["spec"]["nodeName"]
    assert placed([node()], [nominated], four) == [(1,)]


def test_a_node_takes_so_many_pods() -> None:
    assert placed([node(room={"pods": "2"})], [on("a", "1")], (pod({"cpu": "1"}), 3)) == [(1,)]


def test_a_pod_that_asks_for_nothing_fits_where_too_much_runs() -> None:
    assert placed([node()], [on("a", "9")], (pod(), 1)) == [(1,)]


def test_where_the_first_goes_decides_whether_the_second_fits() -> None:
    nodes = [node("small", {"cpu": "2"}), node("large", {"cpu": "8"})]
    head, worker = (pod({"cpu": "1"}), 1), (pod({"cpu": "8"}), 1)
    assert placed(nodes, [], head, worker) == [(1, 0), (1, 1)]
    assert placed(nodes, [], worker, head) == [(1, 1)]


def test_many_nodes_that_are_alike_are_one_question() -> None:
    nodes = [node(f"n{number}") for number in range(2000)]
    assert placed(nodes, [], (pod({"cpu": "1"}), 1), (pod({"cpu": "8"}), 40)) == [(1, 40)]


HOST = "kubernetes.io/hostname"


def _apart(key: str = HOST, **term: Any) -> Object:
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": "it"}}, **term}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def test_pods_that_want_to_be_apart() -> None:
    worker = pod({"cpu": "1"}, {"app": "it"}, affinity=_apart())
    assert placed([node("a"), node("b")], [], (worker, 3)) == [(2,)]
    zones = [node("a", labels={"zone": "x"}), node("b", labels={"zone": "x"}), node("c")]
    # A node without the label is in no domain, so nothing there is too near.
    assert placed(zones, [], (pod(None, {"app": "it"}, affinity=_apart("zone")), 4))[0][0] >= 3


def test_pods_that_are_there_want_others_apart() -> None:
    there = on("a", "1", affinity=_apart(namespaceSelector={}))
    there["metadata"]["namespace"] = "others"
    assert placed(
        [node("a"), node("b", {"cpu": "1"})], [there], (pod({"cpu": "1"}, {"app": "it"}), 3)
    ) == [(1,)]
    there["spec"]["affinity"] = _apart()  # of its own namespace alone
    assert placed([node("a")], [there], (pod({"cpu": "1"}, {"app": "it"}), 3)) == [(3,)]


def test_pods_that_want_to_be_together() -> None:
    term = {"topologyKey": HOST, "labelSelector": {"matchLabels": {"app": "it"}}}
    near = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    # The first goes anywhere, the others beside it.
    together = pod({"cpu": "4"}, {"app": "it"}, affinity=near)
    assert placed([node("a"), node("b")], [], (together, 3)) == [(2,)]
    assert placed(
        [node("a"), node("b")],
        [on("b", "6", labels=None)],
        (pod({"cpu": "4"}, {"app": "x"}, affinity=near), 1),
    ) == [(0,)]


def _spread(**more: Any) -> list[Object]:
    selector = {"matchLabels": {"app": "it"}}
    rule = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    return [{**rule, "labelSelector": selector, **more}]


def _zones(**rooms: str) -> list[Object]:
    return [node(name, {"cpu": cpu}, labels={"zone": name}) for name, cpu in rooms.items()]


@pytest.mark.parametrize(
    ("rule", "rooms", "count"),
    [
        ({}, {"a": "8", "b": "8"}, 16),
        ({}, {"a": "8", "b": "2"}, 5),  # b is full with 2, so a may have 3
        ({"maxSkew": 3}, {"a": "8", "b": "2"}, 7),
        ({"minDomains": 3}, {"a": "8", "b": "8"}, 2),
        ({"whenUnsatisfiable": "ScheduleAnyway"}, {"a": "8", "b": "2"}, 10),
    ],
)
def test_pods_that_are_spread(rule: Object, rooms: dict[str, str], count: int) -> None:
    worker = pod({"cpu": "1"}, {"app": "it"}, topologySpreadConstraints=_spread(**rule))
    assert placed(_zones(**rooms), [], (worker, 20)) == [(count,)]


def test_zones_that_a_pod_may_not_go_to_do_not_count_for_its_spread() -> None:
    nodes = _zones(a="8", b="8")
    nodes[1]["metadata"]["labels"]["pool"] = "other"
    nodes[0]["metadata"]["labels"]["pool"] = "mine"
    labels, rule = {"app": "it"}, _spread()
    mine = pod({"cpu": "1"}, labels, nodeSelector={"pool": "mine"}, topologySpreadConstraints=rule)
    assert placed(nodes, [], (mine, 5)) == [(5,)]
    ignored = _spread(nodeAffinityPolicy="Ignore")
    mine = pod(
        {"cpu": "1"}, labels, nodeSelector={"pool": "mine"}, topologySpreadConstraints=ignored
    )
    assert placed(nodes, [], (mine, 5)) == [(1,)]


def test_tainted_zones_count_for_the_spread_unless_told_otherwise() -> None:
    nodes = _zones(a="8", b="8")
    nodes[1]["spec"]["taints"] = [TAINT]
    for policy, count in (("Ignore", 1), ("Honor", 5)):
        rule = _spread(nodeTaintsPolicy=policy)
        worker = pod({"cpu": "1"}, {"app": "it"}, topologySpreadConstraints=rule)
        assert placed(nodes, [], (worker, 5)) == [(count,)]
