"""What operators add to the pods of any chart is there, and the model answers all the same."""

from collections.abc import Iterator

import pytest

from .kube import IMAGE, Namespace, Object
from .release import Release

BESIDE = {
    "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}}
}
SAYS = {"command": ["sh", "-c", "trap exit TERM; cat /shared/said; sleep 100000 & wait"]}
GROUP: Object = {
    "podLabels": {"team.example/name": "search"},
    "volumes": [{"name": "shared", "emptyDir": {}}],
    "volumeMounts": [{"name": "shared", "mountPath": "/shared"}],
    "initContainers": [
        {
            "name": "before",
            "image": IMAGE,
            "command": ["sh", "-c", "echo was first > /shared/said"],
            "volumeMounts": [{"name": "shared", "mountPath": "/shared"}],
            **BESIDE,
        }
    ],
    "sidecars": [
        {
            "name": "beside",
            "image": IMAGE,
            "volumeMounts": [{"name": "shared", "mountPath": "/shared"}],
            **SAYS,
            **BESIDE,
        }
    ],
}
VALUES: Object = {
    "head": GROUP,
    "worker": GROUP,
    "envFrom": [{"configMapRef": {"name": "more"}}],
    "hostAliases": [{"ip": "192.0.2.7", "hostnames": ["mirror.example.com"]}],
    "dnsConfig": {"options": [{"name": "ndots", "value": "2"}]},
    "service": {"annotations": {"team.example/balancer": "internal"}},
    "extraObjects": [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "more"},
            "data": {"FROM_A_MAP": "{{ as it is }}"},
        }
    ],
}


@pytest.fixture(scope="module")
def release() -> Iterator[Release]:
    namespace = Namespace("e2e-conventions")
    namespace.create()
    installed = Release(namespace, mode="direct")
    installed.install(VALUES)
    installed.wait_whole()
    yield installed
    namespace.delete()


@pytest.mark.parametrize("component", ["head", "worker"])
def test_a_pod_has_what_it_was_given(release: Release, component: str) -> None:
    (pod,) = release.pods(component)
    assert pod["metadata"]["labels"]["team.example/name"] == "search"
    name = pod["metadata"]["name"]
    shell = release.namespace.shell
    script = "cat /shared/said /etc/hosts /etc/resolv.conf; echo $FROM_A_MAP"
    said = shell(name, script, f"ray-{component}")
    for one in ("was first", "mirror.example.com", "ndots:2", "{{ as it is }}"):
        assert one in said


@pytest.mark.parametrize("component", ["head", "worker"])
def test_a_container_beside_is_hardened_and_gets_no_key(release: Release, component: str) -> None:
    (pod,) = release.pods(component)
    named = {container["name"]: container for container in pod["spec"]["containers"]}
    security = named["beside"]["securityContext"]
    assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
    name = pod["metadata"]["name"]
    seen = release.namespace.shell(name, "env; ls -d /etc/* /opt/* 2>/dev/null", "beside")
    assert "PATH=" in seen and "/etc/passwd" in seen
    assert "FROM_A_MAP" not in seen and "TOKEN" not in seen
    assert "/etc/hybrid-llm" not in seen and "/opt/hybrid-llm" not in seen


def test_the_service_has_its_annotations(release: Release) -> None:
    service = release.namespace.get("service", release.service)
    assert service["metadata"]["annotations"]["team.example/balancer"] == "internal"


def test_it_answers(release: Release) -> None:
    assert "passed" in release.helm("test", release.name, "--logs")
