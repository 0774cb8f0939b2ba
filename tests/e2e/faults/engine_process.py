"""The process of one replica's engine is killed; the replica in front of it lives on."""

from ..cases import Case
from ..release import Release


def act(release: Release) -> None:
    pod = release.pods("worker")[0]
    (replica,) = [r for r in release.replicas() if r["node_ip"] == pod["status"]["podIP"]]
    script = "kill -9 $(pgrep -f '^VLLM::EngineCore' | head -n 1)"
    release.namespace.shell(pod["metadata"]["name"], script, "ray-worker")
    release.wait_without(replica)


CASE = Case("engine process killed", act, replicas=2, own_streams=True)
