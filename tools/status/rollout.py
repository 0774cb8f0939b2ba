"""What a release as a whole is doing, out of its RayService and its pods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from preflight import Object

from .pods import GOES, READY, Doing, further


@dataclass(frozen=True)
class Rollout:
    """What it is doing.

    Args:
        ready: whether clients get answers.
        words: what it is doing.
        looks: commands that tell more, where it may be stuck.
        applications: what Serve says of its application, by Ray cluster.
    """

    ready: bool
    words: str
    looks: Sequence[str] = ()
    applications: Mapping[str, str] = field(default_factory=dict)


def settled(service: Object) -> bool:
    """Return whether clients get answers and no second cluster comes up."""
    status = service.get("status") or {}
    conditions = {c["type"]: c for c in status.get("conditions") or []}
    pending = (status.get("pendingServiceStatus") or {}).get("rayClusterName")
    return conditions.get("Ready", {}).get("status") == "True" and not pending


def rollout(
    service: Object, pods: Sequence[tuple[Object, Doing]], events: Sequence[Object]
) -> Rollout:
    """Return what a release is doing.

    Args:
        service: the RayService.
        pods: with what each of them is doing.
        events: about the RayService and its RayClusters, the newest last.
    """
    status = service.get("status") or {}
    name, space = service["metadata"]["name"], service["metadata"]["namespace"]
    conditions = {c["type"]: c for c in status.get("conditions") or []}
    ready = conditions.get("Ready", {}).get("status") == "True"
    active = status.get("activeServiceStatus") or {}
    pending = status.get("pendingServiceStatus") or {}
    applications = _applications(active) | _applications(pending)
    describe = f"kubectl describe rayservice -n {space} {name}"
    looks: list[str] = []

    invalid = next(
        (e for e in reversed(events) if str(e.get("reason", "")).startswith("Invalid")), None
    )
    refused = conditions.get("Ready", {}).get("reason") == "ValidationFailed"
    if refused or (invalid and not pods):
        message = conditions["Ready"]["message"] if refused else (invalid or {}).get("message", "")
        return Rollout(ready, f"KubeRay refuses it: {message}", [describe], applications)
    if status.get("observedGeneration") is None and not pods:
        operator = "kubectl get pods -A -l app.kubernetes.io/component=kuberay-operator"
        return Rollout(False, "KubeRay has not looked at it yet", [operator, describe], {})

    newest = str(pending.get("rayClusterName") or active.get("rayClusterName") or "")
    mine = [
        (pod, one)
        for pod, one in pods
        if one.step != GOES
        and (pod["metadata"].get("labels") or {}).get("ray.io/cluster") in (newest, None)
    ]
    failed = next(
        (text for cluster, text in applications.items() if cluster == newest and "FAILED" in text),
        "",
    )
    behind = [(pod, one) for pod, one in mine if one.step != READY]
    slowest = min(behind, key=lambda found: found[1].step, default=None)
    if failed:
        what = f"the application does not start: {failed}"
        looks = [describe, *_logs(mine, space)]
    elif slowest is not None:
        pod, one = slowest
        what = f"a further host: {one.words}" if further(pod) else one.words
        looks = [one.look for _, one in behind if one.look]
    elif not mine:
        what = "KubeRay has made no pods yet"
        warnings = [e for e in events if e.get("type") == "Warning"]
        if warnings:
            what = f"KubeRay can't make its pods: {warnings[-1].get('message', '')}"
        looks = [describe, f"kubectl get events -n {space} --sort-by=.lastTimestamp"]
    elif ready and not pending.get("rayClusterName"):
        return Rollout(True, "ready", [], applications)
    else:
        what = (
            "all pods are ready, and Serve starts the application" if not ready else "taking over"
        )
        looks = [describe]
    if ready and pending.get("rayClusterName"):
        what = f"a second cluster comes up and then takes over: {what}"
    elif ready:
        what = f"ready; {what}"
    return Rollout(ready, what, list(dict.fromkeys(looks)), applications)


def _applications(cluster: Object) -> dict[str, str]:
    name = str(cluster.get("rayClusterName") or "")
    found = {}
    for application, said in (cluster.get("applicationStatuses") or {}).items():
        text = f"{application} {said.get('status', '')}"
        message = _last(said.get("message", ""))
        deployments = said.get("serveDeploymentStatuses") or {}
        parts = [f"{n} {d.get('status', '')}" for n, d in deployments.items()]
        if "FAILED" in text or "UNHEALTHY" in text:
            text += f" ({message})" if message else ""
        found[name] = text + (f": {', '.join(parts)}" if parts else "")
    return found


def _last(message: str) -> str:
    """Return the last line of a message: a traceback's is its exception."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _logs(pods: Sequence[tuple[Object, Doing]], space: str) -> list[str]:
    workers = [
        pod["metadata"]["name"]
        for pod, _ in pods
        if (pod["metadata"].get("labels") or {}).get("ray.io/node-type") == "worker"
        and not further(pod)
    ]
    folder = "/tmp/ray/session_latest/logs"
    return [
        f"kubectl exec -n {space} {name} -- sh -c 'tail -n 50 {folder}/worker-*.err'"
        for name in workers[:1]
    ]
