"""What `make status` says of a release, by objects as the API has them."""

import copy
import json
from typing import Any

import pytest
from rich.console import Console

from preflight import Stop
from preflight.cluster import Cluster
from status import engine
from status.metrics import counted
from status.pods import doing
from status.reading import read
from status.screen import as_data, screen

Object = dict[str, Any]
SPACE = "/api/v1/namespaces/prod"
LABELS = {"app.kubernetes.io/instance": "it", "ray.io/is-ray-node": "yes", "ray.io/cluster": "it-1"}


def pod(name: str = "worker-1", kind: str = "worker", **status: Any) -> Object:
    labels = {
        **LABELS,
        "ray.io/node-type": kind,
        "ray.io/group": "my-model" if kind == "worker" else "headgroup",
    }
    metadata = {"name": name, "namespace": "prod", "labels": labels}
    metadata["creationTimestamp"] = "2026-01-01T00:00:00Z"
    spec = {"nodeName": "n", "containers": [{"name": f"ray-{kind}"}]}
    return {"metadata": metadata, "spec": spec, "status": status}


def condition(kind: str, status: str, **more: str) -> Object:
    return {"type": kind, "status": status, **more}


def container(name: str = "ray-worker", **state: Any) -> Object:
    return {"name": name, "state": state, "restartCount": 0}


def event(reason: str, message: str = "", **about: str) -> Object:
    named = {"name": "worker-1", "kind": "Pod", **about}
    when = "2026-01-01T00:00:00Z"
    return {"reason": reason, "message": message, "involvedObject": named, "lastTimestamp": when}


UP = {"conditions": [condition("Ready", "True")], "phase": "Running"}


def waiting(reason: str, message: str = "", **more: Any) -> Object:
    state = {"waiting": {"reason": reason, "message": message}}
    return pod(containerStatuses=[{**container(), "state": state, **more}])


@pytest.mark.parametrize(
    ("made", "events", "words", "look"),
    [
        (
            pod(conditions=[condition("PodScheduled", "False", message="0/3 nodes are available")]),
            [],
            "waits for a node: 0/3 nodes are available",
            "make preflight",
        ),
        (waiting("ContainerCreating"), [event("Pulling")], "pulls its image, since", ""),
        (waiting("ContainerCreating"), [event("Pulling"), event("Pulled")], "is being made", ""),
        (
            waiting("ContainerCreating"),
            [event("FailedMount", 'secret "x" not found')],
            'waits for a volume: secret "x" not found',
            "describe pod",
        ),
        (
            waiting("ImagePullBackOff", "no such image"),
            [],
            "can't get its image: no such",
            "describe",
        ),
        (
            waiting("CreateContainerConfigError", 'secret "x"'),
            [],
            "can't start: secret",
            "describe",
        ),
        (
            waiting(
                "CrashLoopBackOff",
                lastState={"terminated": {"reason": "OOMKilled", "exitCode": 137}},
            ),
            [],
            "crashes again and again (OOMKilled, exit status 137)",
            "--previous",
        ),
        (
            pod(initContainerStatuses=[container("wait-gcs-ready", running={})]),
            [],
            "waits for Ray's head",
            "wait-gcs-ready",
        ),
        (pod(containerStatuses=[container(running={})], phase="Running"), [], "starts", "logs"),
        (pod(**UP), [], "ready", ""),
        (pod(phase="Failed", reason="Evicted"), [], "failed: Evicted", "describe"),
    ],
)
def test_what_a_pod_is_doing(made: Object, events: list[Object], words: str, look: str) -> None:
    found = doing(made, events)
    assert words in found.words
    assert look in found.look


def test_a_pod_that_is_deleted_goes_whatever_else_it_is() -> None:
    made = pod(**UP)
    made["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert "goes" in doing(made, []).words


# Lines of vLLM 0.29, as its processes log them.
LOG = """
INFO 11-29 19:13:55 [gpu_model_runner.py:3921] Starting to load model Qwen/Qwen3-32B...
Loading safetensors checkpoint shards:  47% Completed | 8/17 [00:05<00:05,  1.60it/s]
"""
LATER = """
INFO 11-29 19:14:35 [default_loader.py:341] Loading weights took 10.70 seconds
INFO 11-29 19:14:38 [backends.py:812] Using cache directory for vLLM's torch.compile
"""
LAST = "INFO 11-29 19:15:01 [gpu_model_runner.py:4587] Graph capturing finished in 8 secs\n"


@pytest.mark.parametrize(
    ("log", "step"),
    [
        ("", ""),
        ("nothing of this\n", ""),
        ("Enforce eager set, disabling torch.compile and CUDAGraphs.", ""),
        (LOG, "loading weights, 47 %"),
        (LOG + LATER, "compiling"),
        (LOG + LATER + "Capturing CUDA graphs (mixed prefill-decode)", "capturing graphs, 47 %"),
        (LOG + LATER + LAST, "engine made; warming up"),
    ],
)
def test_what_an_engine_is_doing(log: str, step: str) -> None:
    assert engine.step(log).split(",")[0] == step.split(",")[0]


def test_why_an_engine_does_not_start() -> None:
    log = LOG + "Traceback\ntorch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB\n"
    assert (
        engine.failure(log) == "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB"
    )
    assert engine.failure(LOG) == ""


@pytest.mark.parametrize("kind", ["head", "worker"])
def test_a_raylet_that_has_died_is_told_and_what_to_do(kind: str) -> None:
    made = pod(kind=kind, containerStatuses=[container(running={})], phase="Running")
    world = World(made)
    world.log = (
        "[2026-11-29 20:01:32,138 C 79 79] (raylet) node_manager.cc:3576:  An unexpected "
        "system state "
        "has occurred. Check failed: status.has_value() Timed out waiting for port file\n"
    )
    figures, _ = world.seen()
    assert "its Ray (raylet) has died" in figures["pods"][0]["doing"]
    assert figures["look"] == ["kubectl delete pod -n prod worker-1"]


METRICS = """
# TYPE ray_hybrid_llm_requests_total counter
ray_hybrid_llm_requests_total{mode="on",outcome="ok",key="a"} 6.0
ray_hybrid_llm_requests_total{mode="off",outcome="ok",key="a"} 10.0
ray_hybrid_llm_requests_total{mode="adaptive_thought",outcome="error",key="b"} 4.0
# TYPE ray_hybrid_llm_thinking_tokens_total counter
ray_hybrid_llm_thinking_tokens_total{mode="on"} 500.0
# TYPE ray_vllm_num_requests_waiting gauge
ray_vllm_num_requests_waiting{engine="0"} 3.0
# TYPE ray_vllm_num_requests_running gauge
ray_vllm_num_requests_running{engine="0"} 2.0
# TYPE ray_vllm_kv_cache_usage_perc gauge
ray_vllm_kv_cache_usage_perc{engine="0"} 0.25
# TYPE ray_node_cpu gauge
ray_node_cpu NaN
"""


def test_what_is_counted() -> None:
    found = counted([METRICS, METRICS.replace("0.25", "0.75")])
    assert found.share == 0.5
    assert (found.running, found.waiting, found.cache) == (4, 6, 0.75)
    assert found.thinking == 1000
    assert found.outcomes["error"] == 8
    assert counted([""]).share is None


SERVICE: Object = {
    "metadata": {
        "name": "it-hybrid-llm",
        "namespace": "prod",
        "labels": {"app.kubernetes.io/instance": "it"},
    },
    "spec": {
        "rayClusterConfig": {
            "workerGroupSpecs": [{"groupName": "my-model", "minReplicas": 1, "maxReplicas": 2}]
        }
    },
    "status": {
        "observedGeneration": 1,
        "conditions": [condition("Ready", "True", reason="NonZeroServeEndpoints")],
        "activeServiceStatus": {
            "rayClusterName": "it-1",
            "applicationStatuses": {
                "llm": {
                    "status": "RUNNING",
                    "serveDeploymentStatuses": {"LLMServer": {"status": "HEALTHY"}},
                }
            },
        },
    },
}


class World:
    """The API of a cluster with one release; the metrics are of its worker."""

    def __init__(self, *pods: Object, service: Object | None = None) -> None:
        self.service = copy.deepcopy(service or SERVICE)
        self.pods, self.events, self.denied = list(pods), [], ""  # type: ignore[var-annotated]
        self.log = ""

    def ask(self, method: str, path: str, body: object) -> tuple[int, bytes]:
        path = path.split("?")[0]
        if self.denied and path.endswith(self.denied):
            return 403, b"{}"
        if path.endswith("/proxy/metrics"):
            return 200, METRICS.encode()
        found = {"rayservices": [self.service], "pods": self.pods, "events": self.events}
        return 200, json.dumps({"items": found[path.split("/")[-1]]}).encode()

    def seen(self, release: str = "it") -> tuple[Object, str]:
        """Return the figures, and the screen as text."""
        status = read(Cluster(self.ask), release, "prod", lambda *_: self.log)
        console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
        console.print(screen(status, release, "prod"))
        return as_data(status), console.export_text()


def test_a_release_that_is_well() -> None:
    figures, text = World(pod("head", "head", **UP), pod(**UP)).seen()
    assert figures["ready"]
    assert figures["doing"] == "ready"
    assert figures["look"] == []
    assert figures["replicas"] == {"my-model": {"ready": 1, "min": 1, "max": 2}}
    assert "it in prod: ready" in text
    assert "LLMServer HEALTHY" in text
    assert "1 ready of 1 to 2" in text
    assert "50 % thought" in text
    assert "4 running, 6 waiting" in text  # of both pods


def test_a_release_that_comes_up_says_what_the_slowest_pod_is_doing() -> None:
    new = copy.deepcopy(SERVICE)
    new["status"] = {
        "observedGeneration": 1,
        "conditions": [condition("Ready", "False", reason="Initializing")],
        "pendingServiceStatus": {"rayClusterName": "it-1"},
    }
    made = pod(containerStatuses=[container(running={})], phase="Running")
    world = World(pod("head", "head", **UP), made, service=new)
    world.log = LOG
    figures, text = world.seen()
    assert not figures["ready"]
    assert figures["doing"] == "loading weights, 47 %"
    assert "kubectl logs -n prod worker-1" in text


def test_a_second_cluster_takes_over() -> None:
    new = copy.deepcopy(SERVICE)
    new["status"]["pendingServiceStatus"] = {"rayClusterName": "it-2"}
    made = waiting("ContainerCreating")
    made["metadata"]["labels"]["ray.io/cluster"] = "it-2"
    figures, _ = World(pod(**UP), made, service=new).seen()
    assert figures["ready"]
    assert figures["doing"].startswith(
        "a second cluster comes up and then takes over: is being made"
    )


def test_an_application_that_fails_says_why() -> None:
    bad = copy.deepcopy(SERVICE)
    bad["status"]["conditions"] = [condition("Ready", "False")]
    said = {"status": "DEPLOY_FAILED", "message": "Traceback\nValueError: no such model"}
    bad["status"]["activeServiceStatus"]["applicationStatuses"] = {"llm": said}
    figures, text = World(pod(**UP), service=bad).seen()
    assert "ValueError: no such model" in figures["doing"]
    assert "worker-*.err" in text


def test_a_release_that_kuberay_refuses() -> None:
    bad = copy.deepcopy(SERVICE)
    bad["status"] = {}
    world = World(service=bad)
    about = {"name": "it-hybrid-llm", "kind": "RayService"}
    world.events = [event("InvalidRayServiceSpec", "minReplicas above maxReplicas", **about)]
    assert world.seen()[0]["doing"] == "KubeRay refuses it: minReplicas above maxReplicas"


def test_what_may_not_be_read_is_named_and_the_rest_is_shown() -> None:
    for path in ("events", "proxy/metrics"):
        world = World(pod(**UP))
        world.denied = path
        figures, text = world.seen()
        assert figures["doing"] == "ready"
        assert figures["not_read"]
        assert "not shown" in text


def test_no_such_release_is_one_line() -> None:
    with pytest.raises(Stop, match="no RayService of a release other in the namespace prod"):
        World().seen("other")


HOSTS = copy.deepcopy(SERVICE)
HOSTS["spec"]["rayClusterConfig"]["workerGroupSpecs"].append(
    {
        "groupName": "my-model-hosts",
        "minReplicas": 1,
        "maxReplicas": 2,
        "template": {"metadata": {"labels": {"app.kubernetes.io/component": "host"}}},
    }
)
COMING_UP = copy.deepcopy(HOSTS)
COMING_UP["status"] = {
    "observedGeneration": 1,
    "conditions": [condition("Ready", "False", reason="Initializing")],
    "pendingServiceStatus": {"rayClusterName": "it-1"},
}
# As KubeRay has it for good: its readiness probe asks for a proxy that is not there.
NEVER_READY = {
    "phase": "Running",
    "conditions": [condition("PodScheduled", "True"), condition("Ready", "False")],
    "containerStatuses": [{**container(running={}), "ready": False}],
}


def host(name: str = "host-1", **status: Any) -> Object:
    made = pod(name, **status)
    labels = {"ray.io/group": "my-model-hosts", "app.kubernetes.io/component": "host"}
    made["metadata"]["labels"] |= labels
    return made


def first() -> Object:
    """Return the pod that will serve: before its engine runs, it has no proxy either."""
    return pod(**NEVER_READY)


def test_a_further_host_that_runs_is_as_good_as_ready() -> None:
    world = World(pod("head", "head", **UP), pod(**UP), host(**NEVER_READY), service=HOSTS)
    figures, text = world.seen()
    assert figures["doing"] == "ready" and figures["look"] == []
    assert figures["pods"][2]["doing"].startswith("ready: a further host; 0/1")
    assert figures["replicas"] == {"my-model": {"ready": 1, "min": 1, "max": 2}}
    assert figures["further_hosts"] == {"my-model-hosts": {"ready": 1, "min": 1, "max": 2}}
    assert "1 ready of 1 to 2 further hosts" in text
    # The same pod of a replica's first host is one that has not started.
    (other,) = World(first(), service=HOSTS).seen()[0]["pods"]
    assert other["doing"] == "starts Ray and the engine"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (
            {"conditions": [condition("PodScheduled", "False", message="no GPU is free")]},
            "a further host: waits for a node: no GPU is free",
        ),
        (waiting("CrashLoopBackOff")["status"], "a further host: crashes again and again"),
        (waiting("ImagePullBackOff", "none")["status"], "a further host: can't get its image"),
        ({"phase": "Failed", "reason": "Evicted"}, "a further host: failed: Evicted"),
    ],
)
def test_a_further_host_that_lacks_is_what_is_waited_for(status: Object, words: str) -> None:
    world = World(pod("head", "head", **UP), first(), host(**status), service=COMING_UP)
    figures, _ = world.seen()
    assert not figures["ready"]
    assert figures["doing"].startswith(words)
    assert figures["further_hosts"]["my-model-hosts"]["ready"] == 0
    assert figures["pods"][1]["doing"] == "waits for its further hosts"


def test_a_further_host_whose_container_has_ended_is_not_ready() -> None:
    ended = host(**{**NEVER_READY, "containerStatuses": [container(terminated={})]})
    figures, _ = World(pod(**UP), ended, service=HOSTS).seen()
    assert figures["doing"] != "ready"
    assert figures["further_hosts"]["my-model-hosts"]["ready"] == 0


def test_a_second_replica_that_lacks_a_host_is_told_beside_what_answers() -> None:
    pending = {"conditions": [condition("PodScheduled", "False", message="no GPU is free")]}
    pods = [pod(**UP), host(**NEVER_READY), pod("worker-2", **NEVER_READY), host("h-2", **pending)]
    figures, _ = World(*pods, service=HOSTS).seen()
    assert figures["ready"]
    assert figures["doing"] == "ready; a further host: waits for a node: no GPU is free"
    assert figures["further_hosts"]["my-model-hosts"]["ready"] == 1


def test_once_all_hosts_are_there_the_first_one_says_how_far_its_engine_is() -> None:
    world = World(first(), host(**NEVER_READY), service=COMING_UP)
    world.log = LOG
    figures, _ = world.seen()
    assert figures["doing"] == "loading weights, 47 %"
    world.log = LOG + "torch.OutOfMemoryError: CUDA out of memory\n"
    figures, _ = world.seen()
    assert "its log has: torch.OutOfMemoryError" in figures["pods"][1]["doing"]


def test_a_further_host_whose_raylet_has_died_is_no_reason_to_wait() -> None:
    world = World(first(), host(**NEVER_READY), service=COMING_UP)
    world.log = "(raylet) x.cc:1: Check failed: ok Timed out\n"
    figures, _ = world.seen()
    assert "its Ray (raylet) has died" in figures["pods"][1]["doing"]
    assert "kubectl delete pod -n prod host-1" in figures["look"]
