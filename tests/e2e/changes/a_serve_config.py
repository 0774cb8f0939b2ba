"""A change that Serve takes up in place: the same pods and the same replicas go on."""

from ..cases import Case
from ..kube import wait
from ..release import Release

_before: dict[str, list[str]] = {}


def act(release: Release) -> None:
    _before[release.active()] = sorted(r["replica_id"] for r in release.replicas())
    release.install({"autoscaling": {"maxQueuedRequests": 111}})

    def applied() -> bool:
        deployments = release.serve()["deployed_app_config"]["deployments"]
        return any(d.get("max_queued_requests") == 111 for d in deployments)

    wait("Serve has the new limit", applied)


def seen(release: Release) -> None:
    replicas = sorted(r["replica_id"] for r in release.replicas())
    assert _before[release.active()] == replicas, "replicas were started anew"


CASE = Case("Serve config changed in place", act, seen=seen)
