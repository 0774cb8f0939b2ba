"""NetworkPolicies: who reaches which port. kind enforces them, and so does tests/cluster."""

from collections.abc import Callable, Iterator

import pytest
import yaml

from ..kube import Failed, Namespace, wait
from ..pods import pod
from ..release import Release

pytestmark = pytest.mark.core

SERVE, DASHBOARD, GCS, METRICS = 8000, 8265, 6379, 8080
Probe = Callable[[str, int], bool]


def probe(namespace: Namespace, pod: str) -> Probe:
    """Return a function that tells whether a pod reaches an address and port."""

    def reaches(address: str, port: int) -> bool:
        connect = f"import socket; socket.create_connection(({address!r}, {port}), 5)"
        try:
            namespace.shell(pod, f'python -c "{connect}"')
        except Failed as failed:
            if "timed out" not in str(failed) and "refused" not in str(failed):
                raise
            return False
        return True

    return reaches


@pytest.fixture(scope="module")
def neighbour(release: Release) -> Iterator[Probe]:
    """A pod of the release's namespace that is not of the release: a client."""
    yield from _idle(release.namespace)


@pytest.fixture(scope="module")
def stranger(release: Release) -> Iterator[Probe]:
    """A pod of another namespace."""
    namespace = Namespace(f"{release.namespace.name}-stranger")
    namespace.create()
    yield from _idle(namespace)
    namespace.delete()


def _idle(namespace: Namespace) -> Iterator[Probe]:
    namespace.apply(yaml.safe_dump(pod("probe", ["sleep", "3600"])))
    namespace.kubectl("wait", "pod/probe", "--for=condition=Ready", "--timeout=300s")
    yield probe(namespace, "probe")
    namespace.kubectl("delete", "pod", "probe", "--wait=false")


@pytest.mark.modes("direct")
def test_only_the_serve_port_is_open_and_only_to_its_clients(
    release: Release, neighbour: Probe, stranger: Probe
) -> None:
    worker, head = (release.pods(kind)[0]["status"]["podIP"] for kind in ("worker", "head"))
    assert neighbour(worker, SERVE)
    closed = [(worker, METRICS), (head, DASHBOARD), (head, GCS), (head, METRICS)]
    if all(neighbour(address, port) for address, port in closed):
        pytest.skip("this cluster's network does not enforce NetworkPolicies")
    assert not any(neighbour(address, port) for address, port in closed)
    assert not any(stranger(address, port) for address, port in [(worker, SERVE), *closed])


@pytest.mark.modes("direct")
def test_a_namespace_that_the_values_name_reaches_the_serve_port(
    release: Release, stranger: Probe
) -> None:
    names = [f"{release.namespace.name}-stranger"]
    worker = release.pods("worker")[0]["status"]["podIP"]
    release.install({"networkPolicy": {"clientNamespaces": names}})
    wait("the namespace is let in", lambda: stranger(worker, SERVE), 60)
    assert not stranger(release.pods("head")[0]["status"]["podIP"], DASHBOARD)
    release.install({"networkPolicy": {"clientNamespaces": []}})
    wait("and no longer", lambda: not stranger(worker, SERVE), 60)
