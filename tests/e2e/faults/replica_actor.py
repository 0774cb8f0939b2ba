"""The process of one replica is killed, as by the out-of-memory killer."""

from ..cases import Case
from ..release import Release


def act(release: Release) -> None:
    replica = release.replicas()[0]
    pods = {pod["status"]["podIP"]: pod["metadata"]["name"] for pod in release.pods("worker")}
    release.namespace.shell(pods[replica["node_ip"]], f"kill -9 {replica['pid']}", "ray-worker")
    release.wait_without(replica)


CASE = Case(
    "replica process killed", act, replicas=2, modes=("direct", "ingress"), own_streams=True
)
