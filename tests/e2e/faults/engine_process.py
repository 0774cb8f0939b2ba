"""The process of one replica's engine is killed; the replica in front of it lives on."""

from ..cases import Case
from ..release import Release


def act(release: Release) -> None:
    script = "kill -9 $(pgrep -f '^VLLM::EngineCore' | head -n 1)"
    release.namespace.shell(release.pod("worker"), script, "ray-worker")


CASE = Case("engine process killed", act, replicas=2, own_streams=True)
