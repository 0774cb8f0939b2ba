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
