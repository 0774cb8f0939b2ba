"""Reads a release from a cluster."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from preflight import Object, Stop
from preflight.cluster import Cluster, Denied

from . import engine
from .metrics import Counted, counted
from .pods import GOES, READY, STARTS, STUCK, Doing, doing, further
from .rollout import Rollout, rollout, settled

METRICS_PORT = 8080  # of Ray, on each of its pods
STARTING = "starts Ray and the engine"

# Namespace, pod, container, shell script -> what it prints.
Execute = Callable[[str, str, str, str], str]


@dataclass(frozen=True)
class Status:
    """How a release is.

    Args:
        rollout: what it is doing.
        pods: with what each of them is doing.
        counted: what they count; None where none could be asked.
        bounds: of the model's replicas, by worker group: the fewest and the most.
        hosts: the same of the pods of their further hosts, where they have some.
        notes: what could not be read, and why.
    """

    rollout: Rollout
    pods: Sequence[tuple[Object, Doing]]
    counted: Counted | None
    bounds: dict[str, tuple[int, int]]
    hosts: dict[str, tuple[int, int]]
    notes: list[str] = field(default_factory=list)


def read(cluster: Cluster, release: str, namespace: str, execute: Execute) -> Status:
    """Return how a release is.

    Args:
        cluster: that it is in.
        release: its name, or that of its RayService.
        namespace: that it is in.
        execute: runs a script in a pod, or raises.

    Raises:
        Stop: it is not there, or may not be read.
    """
    notes: list[str] = []
    try:
        service = _service(cluster, release, namespace)
        name = service["metadata"]["name"]
        pods = [
            pod
            for pod in cluster.list(f"/api/v1/namespaces/{namespace}/pods")
            if _of(pod, service) and (pod["metadata"].get("labels") or {}).get("ray.io/is-ray-node")
        ]
    except Denied as denied:
        raise Stop(f"this account may not read {denied.path}") from None
    try:
        events = cluster.list(f"/api/v1/namespaces/{namespace}/events")
    except Denied as denied:
        events = []
        notes.append(f"events are not shown: this account may not read {denied.path}")
    events.sort(key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
    about = {pod["metadata"]["name"]: [] for pod in pods} | {name: []}  # type: dict[str, list[Object]]
    for event in events:
        about.setdefault(event["involvedObject"].get("name", ""), []).append(event)
    served = [e for e in events if str(e["involvedObject"].get("name", "")).startswith(name)]
    served = [e for e in served if e["involvedObject"].get("kind") in ("RayService", "RayCluster")]
    found = []
    for pod in sorted(pods, key=lambda p: p["metadata"]["creationTimestamp"]):
        one = doing(pod, about[pod["metadata"]["name"]])
        if not (further(pod) and one.step == READY and settled(service)):
            one = _engine(pod, one, execute, notes)
        found.append((pod, one))
    found = [(pod, _lacking(pod, one, found)) for pod, one in found]
    return Status(
        rollout(service, found, served),
        found,
        _metrics(cluster, namespace, pods, notes),
        _bounds(service, of_hosts=False),
        _bounds(service, of_hosts=True),
        notes,
    )


def _service(cluster: Cluster, release: str, namespace: str) -> Object:
    path = f"/apis/ray.io/v1/namespaces/{namespace}/rayservices"
    for service in cluster.list(path):
        labels = service["metadata"].get("labels") or {}
        if release in (service["metadata"]["name"], labels.get("app.kubernetes.io/instance")):
            return service
    raise Stop(
        f"there is no RayService of a release {release} in the namespace {namespace}: helm list -A"
    )


def _of(pod: Object, service: Object) -> bool:
    labels = pod["metadata"].get("labels") or {}
    wanted = (service["metadata"].get("labels") or {}).get("app.kubernetes.io/instance")
    return bool(wanted and labels.get("app.kubernetes.io/instance") == wanted)


def _engine(pod: Object, one: Doing, execute: Execute, notes: list[str]) -> Doing:
    """Return what Ray and the engine of a running pod are doing, where the pod does not tell.

    That of a further host never does; of it errors alone are told, for the steps are the first's.
    """
    labels = pod["metadata"].get("labels") or {}
    running = (pod.get("status") or {}).get("phase") == "Running"
    joined = further(pod) and one.step == READY
    if not (one.step == STARTS or joined) or not running:
        return one
    try:
        space, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        log = execute(space, name, pod["spec"]["containers"][0]["name"], engine.COMMAND)
    except Exception as problem:  # whatever a web socket's client raises: it is one line less
        notes.append(f"the engine's log is not shown: {str(problem).splitlines()[0][:120]}")
        return one
    if why := engine.dead(log):
        delete = f"kubectl delete pod -n {space} {name}"
        return Doing(STUCK, f"its Ray (raylet) has died: {why}", delete)
    if labels.get("ray.io/node-type") != "worker":
        return one
    step = one.words if joined else engine.step(log)
    if failure := engine.failure(log):
        step += f"{'; ' if step else ''}its log has: {failure}"
    return Doing(one.step, step or STARTING, one.look)


def _lacking(pod: Object, one: Doing, all_pods: Sequence[tuple[Object, Doing]]) -> Doing:
    """Return what a replica's first host is doing: no engine starts before all hosts are there."""

    def label(of: Object, name: str) -> str:
        return str((of["metadata"].get("labels") or {}).get(f"ray.io/{name}", ""))

    mine = label(pod, "cluster"), f"{label(pod, 'group')}-hosts"
    lack = any(
        further(other) and does.step not in (READY, GOES)
        for other, does in all_pods
        if (label(other, "cluster"), label(other, "group")) == mine
    )
    return Doing(one.step, "waits for its further hosts") if lack and one.words == STARTING else one


def _metrics(
    cluster: Cluster, namespace: str, pods: Sequence[Object], notes: list[str]
) -> Counted | None:
    texts, why = [], ""
    asked = [pod for pod in pods if (pod.get("status") or {}).get("phase") == "Running"]
    for pod in asked:
        name = pod["metadata"]["name"]
        path = f"/api/v1/namespaces/{namespace}/pods/{name}:{METRICS_PORT}/proxy/metrics"
        try:
            texts.append(cluster.text(path))
        except Denied:
            why = f"this account may not use {path}"
        except Stop as stop:
            why = str(stop)
    if why:
        notes.append(f"metrics of {len(asked) - len(texts)} pods are not shown: {why}")
    return counted(texts) if texts else None


def _bounds(service: Object, *, of_hosts: bool) -> dict[str, tuple[int, int]]:
    groups = service["spec"]["rayClusterConfig"].get("workerGroupSpecs") or []
    return {
        group["groupName"]: (group.get("minReplicas") or 0, group.get("maxReplicas") or 0)
        for group in groups
        if further(group.get("template") or {}) == of_hosts
    }
