"""The chart's own preflight: `helm install` where something is in the way, and where nothing is."""

from collections.abc import Iterator

import pytest

from ..kube import IMAGE, Namespace, Object, capacity, kubectl, wait
from ..release import Release

SLOT = "hybrid-llm.local/slot"  # of which the node has one, so that there is room for one worker
JOB = "job/hybrid-llm-preflight"
KINDS = (
    "rayservices,jobs,pods,configmaps,secrets,services,serviceaccounts,networkpolicies,"
    "poddisruptionbudgets,roles,rolebindings"
)
ON: Object = {"preflight": {"enabled": True, "image": IMAGE}, "image": {"pullPolicy": "Never"}}
GPU: Object = {
    "model": {"preset": "qwen3-0.6b", "source": "", "maxModelLen": 4096},
    "accelerator": {"preset": "l4"},
    "weights": {"from": "hub"},
}


@pytest.fixture(scope="module")
def namespace() -> Iterator[Namespace]:
    namespace = Namespace("preflight-job")
    namespace.create()
    yield namespace
    namespace.delete()


@pytest.fixture
def release(namespace: Namespace) -> Iterator[Release]:
    release = Release(namespace)
    yield release
    release.helm("uninstall", release.name, "--ignore-not-found", "--wait")
    namespace.kubectl("delete", JOB, "--ignore-not-found")
    namespace.kubectl("delete", "secret", "--all")


def there(namespace: Namespace) -> set[str]:
    """Return what is in the namespace, but for what is in each, and Helm's own record."""
    found = set(namespace.names(KINDS))
    found -= {"configmap/kube-root-ca.crt", "serviceaccount/default"}
    return {one for one in found if "sh.helm.release" not in one}


def of_the_cluster() -> list[str]:
    """Return the chart's roles for the whole cluster, and their bindings."""
    names = kubectl("get", "clusterroles,clusterrolebindings", "-o", "name").split()
    return [name for name in names if "/hybrid-llm-preflight" in name]


def refused(release: Release, change: Object) -> str:
    """Install what can't start; return what Helm says."""
    said = ""
    with pytest.raises(AssertionError) as failed:
        said = release.install({**ON, **change})
    assert not said
    return str(failed.value)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"auth": {"existingSecret": "none"}}, "the Secret none is not there or empty"),
        (GPU, "no label nvidia.com/gpu.product"),
    ],
    ids=["no-api-keys", "no-accelerators"],
)
def test_what_is_in_the_way_stops_it_before_anything_is_made(
    release: Release, change: Object, finding: str
) -> None:
    said = refused(release, change)
    assert "pre-install" in said and "hybrid-llm-preflight" in said
    assert finding in said  # Helm 4 shows the Job's log
    log = release.namespace.kubectl("logs", JOB)
    assert finding in next(line for line in log.splitlines() if line.startswith("✗"))
    assert log.rstrip().splitlines()[-1].startswith("It will not start")
    left = {one for one in there(release.namespace) if not one.startswith("pod/")}
    assert left == {"job.batch/hybrid-llm-preflight"}
    assert not of_the_cluster()


def test_where_the_finding_is_mended_the_same_release_goes_on(release: Release) -> None:
    refused(release, {"auth": {"existingSecret": "keys"}})
    release.namespace.secret("keys", me="a-key-for-a-test")
    # Whether it then answers, other parts of the suite ask.
    release.install({**ON, "auth": {"existingSecret": "keys"}})
    found = there(release.namespace)
    assert "rayservice.ray.io/hybrid-llm" in found
    assert not [one for one in found if "preflight" in one]


@pytest.fixture
def one_slot() -> Iterator[None]:
    capacity(SLOT, 1)
    free = "jsonpath={.items[*].status.allocatable.hybrid-llm\\.local/slot}"
    wait("the kubelet counts it", lambda: kubectl("get", "nodes", "-o", free))
    yield
    capacity(SLOT, None)


def test_an_upgrade_needs_room_where_it_changes_pods_and_none_where_it_does_not(
    release: Release, one_slot: None
) -> None:
    worker = {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"memory": "8Gi", SLOT: "1"}}
    release.install({**ON, "worker": {"resources": worker}, "autoscaling": {"maxReplicas": 1}})
    found = there(release.namespace)
    assert "rayservice.ray.io/hybrid-llm" in found and "secret/hybrid-llm-api-keys" in found
    assert not [one for one in found if "preflight" in one]
    assert not of_the_cluster()
    worker_pods = "ray.io/node-type=worker"
    wait(
        "the worker has the slot",
        lambda: [p for p in release.namespace.pods(worker_pods) if p["spec"].get("nodeName")],
    )
    release.install({"networkPolicy": {"clientNamespaces": ["apps"]}})
    with pytest.raises(AssertionError) as failed:
        release.upgrade({"env": [{"name": "OTHER", "value": "1"}]})
    assert "pre-upgrade" in str(failed.value)
    assert f"0 of 1 {SLOT} free" in str(failed.value)
    policy = release.namespace.get("networkpolicy", "hybrid-llm")
    assert "apps" in str(policy)
