"""What a pod is doing, in words, by its conditions, containers and events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from preflight import Object

# Of all that a pod can be doing, in the order in which it does them.
WAITS_FOR_NODE, PREPARES, PULLS, STUCK, WAITS_FOR_HEAD, STARTS, READY, GOES = range(8)


@dataclass(frozen=True)
class Doing:
    """What a pod is doing.

    Args:
        step: one of the constants above.
        words: for people.
        look: the command that tells more; empty where there is no need.
    """

    step: int
    words: str
    look: str = ""


def further(pod: Object) -> bool:
    """Return whether a pod, or a template of one, is a further host of a replica over several.

    Serve answers from the first host. The others have no proxy, which KubeRay's readiness probe
    asks for, so that they stay 0/1.
    """
    labels = (pod.get("metadata") or {}).get("labels") or {}
    return bool(labels.get("app.kubernetes.io/component") == "host")


def doing(pod: Object, events: Sequence[Object]) -> Doing:
    """Return what a pod is doing.

    Args:
        pod: as the API has it.
        events: about it, the newest last.
    """
    metadata, status = pod["metadata"], pod.get("status") or {}
    name, space = metadata["name"], metadata["namespace"]
    describe = f"kubectl describe pod -n {space} {name}"
    if metadata.get("deletionTimestamp"):
        return Doing(GOES, "ends its answers and goes", "")
    if status.get("phase") == "Failed":
        return Doing(
            STUCK, f"failed: {status.get('message') or status.get('reason') or ''}", describe
        )
    conditions = {c["type"]: c for c in status.get("conditions") or []}
    scheduled = conditions.get("PodScheduled") or {}
    if scheduled.get("status") == "False":
        message = scheduled.get("message") or "the scheduler has not said why"
        return Doing(WAITS_FOR_NODE, f"waits for a node: {message}", "make preflight ARGS=...")
    for container in [
        *(status.get("initContainerStatuses") or []),
        *(status.get("containerStatuses") or []),
    ]:
        if found := _container(container, events, describe, f"-n {space} {name}"):
            return found
    if conditions.get("Ready", {}).get("status") == "True":
        return Doing(READY, "ready")
    if further(pod) and _runs(status):
        return Doing(READY, "ready: a further host; 0/1, for it has no proxy of its own")
    return Doing(STARTS, "starts", f"kubectl logs -n {space} {name}")


def _runs(status: Object) -> bool:
    states = [one.get("state") or {} for one in status.get("containerStatuses") or []]
    return bool(states) and all("running" in state for state in states)


def _container(
    container: Object, events: Sequence[Object], describe: str, which: str
) -> Doing | None:
    state = container.get("state") or {}
    logs = f"kubectl logs {which} -c {container['name']}"
    if waiting := state.get("waiting"):
        reason, message = waiting.get("reason") or "", waiting.get("message") or ""
        if reason in ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"):
            return Doing(STUCK, f"can't get its image: {message or reason}", describe)
        if reason in ("CreateContainerConfigError", "CreateContainerError", "RunContainerError"):
            return Doing(STUCK, f"can't start: {message or reason}", describe)
        if reason == "CrashLoopBackOff":
            ended = (container.get("lastState") or {}).get("terminated") or {}
            how = f"{ended.get('reason', '')}, exit status {ended.get('exitCode')}".strip(", ")
            return Doing(STUCK, f"crashes again and again ({how})", f"{logs} --previous")
        return _preparing(events, describe)
    if "running" in state and container["name"] == "wait-gcs-ready":
        return Doing(WAITS_FOR_HEAD, "waits for Ray's head", logs)
    return None


def _preparing(events: Sequence[Object], describe: str) -> Doing:
    """Return what happens before a container is made; the events alone know."""
    for event in reversed(events):
        reason, message = event.get("reason"), event.get("message", "")
        if reason == "Pulling":
            return Doing(PULLS, f"pulls its image, since {_age(event)}")
        if reason in ("FailedMount", "FailedAttachVolume"):
            return Doing(STUCK, f"waits for a volume: {message}", describe)
        if reason == "FailedCreatePodSandBox":
            return Doing(STUCK, f"has no network yet: {message}", describe)
        if reason == "Pulled":
            break
    return Doing(PREPARES, "is being made on its node", "")


def _age(event: Object) -> str:
    """Return how long ago an event was, of those that the kubelet writes."""
    when = event.get("lastTimestamp") or event.get("eventTime")
    if not when:
        return "a while"
    began = datetime.fromisoformat(when.replace("Z", "+00:00"))
    seconds = max(0, int((datetime.now(UTC) - began).total_seconds()))
    return f"{seconds // 60} min {seconds % 60} s"
