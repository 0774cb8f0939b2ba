"""Pods pass Kubernetes' `restricted` profile, and a linter has nothing against them unexplained.

Both see Pods, also those nested in the RayService, which no linter looks into.
"""

import json

import pytest
import yaml

from .conftest import go_tool, pods, render

SHAPES = {
    "ingress": {"weights": {"cache": {"enabled": True, "download": True}}},
    "direct": {
        "serving": {"mode": "direct"},
        "weights": {"from": "path"},
        "model": {"source": "/m"},
    },
    "to zero": {"autoscaling": {"minReplicas": 0}},
    "claim": {
        "weights": {"from": "claim", "claim": {"name": "c"}},
        "model": {"source": "/weights"},
    },
    "no autoscaler": {"autoscaling": {"maxReplicas": 1}},
}

# kube-score's findings that stay, and why.
ACCEPTED = {
    "container-security-context-user-group-id": "1000:100 owns the files of Ray's images",
    "container-resources": "no CPU limit: it would throttle answers; requests and memory are set",
    "container-ephemeral-storage-request-and-limit": "how much weighs depends on the model",
    "container-image-pull-policy": "tags are versions; Always would need the registry at "
    "every start",
    "pod-networkpolicy": "the pod of `helm test` lives for seconds and listens to nothing",
}


def restricted(found):
    run = go_tool("podsecurity", "restricted", input=json.dumps(found))
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("shape", SHAPES)
def test_pods_pass_the_restricted_profile(shape):
    assert restricted(pods(render(SHAPES[shape]))) == {}


def test_a_pod_that_may_do_more_is_found():
    values = {"containerSecurityContext": {"allowPrivilegeEscalation": True}}
    assert "hybrid-llm-head" in restricted(pods(render(values)))


@pytest.mark.parametrize("shape", SHAPES)
def test_root_file_systems_are_read_only(shape):
    for pod in pods(render(SHAPES[shape])).values():
        for container in pod["spec"]["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("shape", SHAPES)
def test_the_autoscaler_alone_gets_a_service_accounts_token(shape):
    for pod in pods(render(SHAPES[shape])).values():
        assert pod["spec"]["automountServiceAccountToken"] is False
        for container in pod["spec"]["containers"]:
            mounts = {m["name"] for m in container.get("volumeMounts", [])}
            assert ("api-server-token" in mounts) is (container["name"] == "autoscaler")


def findings():
    objects = render(SHAPES["ingress"])
    nested = ("Pod", "Job", "RayService")
    plain = [o for o in objects if o["kind"] not in nested] + list(pods(objects).values())
    run = go_tool(
        "kube-score", "score", "--output-format", "json", "-", input=yaml.safe_dump_all(plain)
    )
    assert run.stdout, run.stderr
    return {
        (check["check"]["id"], item["object_name"])
        for item in json.loads(run.stdout)
        for check in item["checks"]
        if check["grade"] < 10 and not check["skipped"]
    }


def test_kube_score_finds_nothing_unexplained():
    found = findings()
    assert {one for one in found if one[0] not in ACCEPTED} == set()
    assert {check for check, _ in found} == set(ACCEPTED), "explained, but found no more"
    assert {name for check, name in found if check == "pod-networkpolicy"} == {
        "Pod/v1/default/hybrid-llm-test"
    }
