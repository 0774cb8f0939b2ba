"""Every Pod is as safe as it can be: Kubernetes' own judgement of it, and kube-score's."""

import json
import re
from typing import Any

import pytest
import yaml

from .conftest import KUBERNETES, Object, go_tool, pods, render
from .test_kubernetes_schemas import VALUES

# What kube-score has against the chart, as `component: check: finding`, and why it stays.
ACCEPTED = {
    r".*: container-resources: CPU limit is not set": (
        "a CPU limit only slows what the request has already reserved; memory has limits"
    ),
    r".*: container-ephemeral-storage-request-and-limit: .*": (
        "weights that come into a pod have both; what others write is logs, which Ray rotates"
    ),
    r".*: container-security-context-user-group-id: .*low (user|group) ID": (
        "the files of Ray's image belong to 1000:100, and no node's user has a right by that"
    ),
    r".*: container-image-pull-policy: .*": (
        "the tag is fixed, or a digest; and a pod must start while the registry is down"
    ),
    r"Deployment: deployment-(replicas|strategy): .*": (
        "the page for a chat keeps its database in a file, which one process has"
    ),
    r"test: pod-networkpolicy: The pod does not have a matching NetworkPolicy": (
        "it lives for seconds, listens on nothing and runs only what the chart says"
    ),
    r"Ingress: ingress-targets-service: No service match was found": (
        "KubeRay makes the Service, and moves it to the new cluster at a roll-out"
    ),
}


def component(pod: Object) -> str:
    """Return which part of the chart a Pod is."""
    name: str = pod["metadata"].get("labels", {}).get("app.kubernetes.io/component", "")
    return name or pod["metadata"]["name"].rpartition("-")[2]


def all_pods() -> dict[str, Object]:
    """Return the Pods of all sets of values, by values and name."""
    return {
        f"{name}/{pod}": content
        for name, values in VALUES.items()
        for pod, content in pods(render(values)).items()
    }


# The Pod Security Standard `restricted`, judged by the code that judges it in the API server.


def pod_security(given: dict[str, Object]) -> dict[str, str]:
    """Return what the standard has against each Pod of these that it does not take."""
    run = go_tool("podsecurity", "restricted", input=json.dumps(given))
    assert run.returncode == 0, run.stderr
    found: dict[str, str] = json.loads(run.stdout)
    return found


def test_every_pod_passes_the_restricted_profile() -> None:
    given = all_pods()
    assert {component(pod) for pod in given.values()} == {
        *("head", "worker", "host", "ingress", "download", "playground", "preflight", "test")
    }
    assert pod_security(given) == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hostNetwork": True}, "host namespaces"),
        ({"volumes": [{"name": "disk", "hostPath": {"path": "/"}}]}, 'volume type "hostPath"'),
        ({"securityContext": {"runAsUser": 0}}, "runAsUser=0"),
        ({"containers": [{"name": "bare"}]}, "allowPrivilegeEscalation != false"),
    ],
)
def test_pod_that_is_not_restricted_is_found(change: Object, said: str) -> None:
    (pod, *_) = pods(render()).values()
    assert said in pod_security({"changed": {**pod, "spec": {**pod["spec"], **change}}})["changed"]


# What that standard does not ask for.


def containers(pod: Object) -> list[Object]:
    """Return all containers of a Pod."""
    spec = pod["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def test_no_container_writes_to_its_image() -> None:
    for name, pod in all_pods().items():
        for container in containers(pod):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, name


def test_autoscaler_and_preflight_alone_get_a_token_of_the_cluster() -> None:
    seen = set()
    for name, pod in all_pods().items():
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        tokens = {
            volume["name"]
            for volume in pod["spec"].get("volumes", [])
            if any(
                "serviceAccountToken" in s for s in volume.get("projected", {}).get("sources", [])
            )
        }
        holders = {
            container["name"]
            for container in containers(pod)
            if tokens & {mount["name"] for mount in container.get("volumeMounts", [])}
        }
        meant = {"autoscaler", "preflight"} & {container["name"] for container in containers(pod)}
        assert holders == meant, name
        assert bool(tokens) == bool(meant), name
        seen |= meant or {"none"}
    assert seen == {"autoscaler", "preflight", "none"}  # all were looked at


def test_no_container_has_a_secret_in_its_text() -> None:
    secret = re.compile(r"TOKEN|PASSWORD|SECRET_|API_KEY$")
    for name, pod in all_pods().items():
        for container in containers(pod):
            for variable in container.get("env", []):
                if secret.search(variable["name"]):
                    assert "value" not in variable, (name, variable["name"])


# kube-score


def score(objects: list[Object]) -> set[str]:
    """Return what kube-score has against objects and the Pods in them."""
    inside = pods(objects)
    names = {pod["metadata"]["name"]: component(pod) for pod in inside.values()}
    others = [o for o in objects if o["kind"] not in ("Pod", "Job", "RayService")]
    run = go_tool(
        *("kube-score", "score", "--output-format", "json"),
        *("--kubernetes-version", f"v{KUBERNETES.rpartition('.')[0]}", "-"),
        input=yaml.safe_dump_all([*others, *inside.values()]),
    )
    assert run.stdout, run.stderr
    found = set()
    for item in json.loads(run.stdout):
        kind, name = item["type_meta"]["kind"], item["object_meta"]["name"]
        where = names[name] if kind == "Pod" else kind
        for check in item["checks"]:
            if not check["skipped"] and check["grade"] < 10:  # all is well
                comments: list[Any] = check["comments"] or [{"summary": ""}]
                found |= {f"{where}: {check['check']['id']}: {c['summary']}" for c in comments}
    return found


def accepted(finding: str) -> bool:
    """Return whether a finding has a reason to stay."""
    return any(re.fullmatch(pattern, finding) for pattern in ACCEPTED)


def test_kube_score_finds_what_was_accepted_and_nothing_else() -> None:
    found = set().union(*(score(render(values)) for values in VALUES.values()))
    assert sorted(finding for finding in found if not accepted(finding)) == []
    stale = [p for p in ACCEPTED if not any(re.fullmatch(p, finding) for finding in found)]
    assert stale == [], "accepted, but no longer found: take it out of ACCEPTED"


def test_kube_score_looks_into_a_ray_service() -> None:
    privileged = {"privileged": True, "allowPrivilegeEscalation": True}
    objects = render({"containerSecurityContext": privileged})
    assert [finding for finding in sorted(score(objects)) if "privileged" in finding] == [
        f"{part}: container-security-context-privileged: The container is privileged"
        for part in ("head", "test", "worker")
    ]
