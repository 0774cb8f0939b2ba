"""A replica over two hosts: ready, changed and drained like one of one host.

The pods are the chart's for two GPUs on two hosts, and so is the placement group. vLLM joins hosts
by their GPUs alone, and there are none: the model answers on the first host's CPU, and the second
has its part of the placement group and no rank.
"""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from .cases import Case
from .driver import traffic
from .faults.drain import evict
from .kube import ROOT, Namespace, Object, gpu_node, wait
from .life.under_traffic import check
from .release import Release, is_ready, merged
from .report import Report

PRODUCT = "NVIDIA-L40S"
CPU = yaml.safe_load((ROOT / "charts/hybrid-llm/presets/accelerators/cpu.yaml").read_text())
VALUES: Object = {
    "accelerator": {"preset": "l40s"},
    "parallelism": {"tensor": 1, "pipeline": 2, "hosts": 2},
    "auth": {"existingSecret": "hybrid-llm-api-keys"},
    "serving": {"mode": "direct"},
    # Two workers that start beside a busy engine may starve: sooner given up is sooner tried again.
    "env": [
        {"name": "RAY_worker_niceness", "value": "0"},
        {"name": "RAY_raylet_start_wait_time_s", "value": "60"},
    ],
}


class OverHosts(Release):
    """A release on GPUs, but for the GPUs."""

    def install(self, change: Object | None = None) -> str:
        self.values = merged(self.values, change or {})
        text = self._helm("template", self.name, self.chart, "--values", "-", "--no-hooks")
        return self.namespace.apply(yaml.safe_dump_all(map(on_cpus, yaml.safe_load_all(text))))

    def hosts(self) -> list[Object]:
        """Return the running pods of further hosts."""
        return [pod for pod in self.pods("host") if pod["status"].get("phase") == "Running"]

    def host(self) -> str:
        """Return the name of one of them, the last one made."""
        pods = sorted(self.hosts(), key=lambda pod: pod["metadata"]["creationTimestamp"])
        name: str = pods[-1]["metadata"]["name"]
        return name

    def whole(self, replicas: int | None = None) -> bool:
        """Return whether each replica has its part of two pods, besides."""
        return super().whole(replicas) and sorted(self.placed()) == sorted(
            ["worker", "host"] * len(self.replicas())
        )

    def placed(self) -> list[str]:
        """Return the component of each pod on which a replica has a part, all of them different."""
        by_address = {
            pod["status"].get("podIP"): pod["metadata"]["labels"]["app.kubernetes.io/component"]
            for component in ("worker", "host")
            for pod in self.pods(component)
        }
        addresses = {node["node_id"]: node["node_ip"] for node in self._state("nodes")}
        nodes = [
            bundle["node_id"]
            for group in self._state("placement_groups")
            if group["state"] == "CREATED"
            for bundle in group["bundles"]
        ]
        assert len(set(nodes)) == len(nodes)
        return [by_address.get(addresses.get(node), "gone") for node in nodes]

    def _state(self, kind: str) -> list[Object]:
        script = (
            'wget -qO- --header "X-Ray-Authorization: Bearer $RAY_AUTH_TOKEN"'
            f" 'http://127.0.0.1:8265/api/v0/{kind}?detail=1'"
        )
        answer = self.namespace.shell(self.pod("head"), script, "ray-head")
        found: list[Object] = json.loads(answer)["data"]["result"]["result"]
        return found


def on_cpus(made: Object) -> Object:
    """Return an object of the chart's with its pods and its engine on CPUs, where they are."""
    if made["kind"] != "RayService":
        return made
    spec = made["spec"]
    for group in spec["rayClusterConfig"]["workerGroupSpecs"]:
        pod = group["template"]["spec"]
        pod["containers"][0]["resources"]["limits"].pop("nvidia.com/gpu")
        # As the GPU would: there is room for one replica's part.
        group["resources"]["CPU"] = "1" if group["groupName"].endswith("-hosts") else "2"
    serve = yaml.safe_load(spec["serveConfigV2"])
    (model,) = serve["applications"][0]["args"]["llm_configs"]
    del model["accelerator_type"]
    model["accelerator_config"] = {"kind": "cpu"}
    for bundle in model["placement_group_config"]["bundles"]:
        del bundle["GPU"]
    engine: dict[str, Any] = model["engine_kwargs"]
    for one in ("tensor_parallel_size", "pipeline_parallel_size", "gpu_memory_utilization"):
        del engine[one]
    engine |= CPU["engineKwargs"] | {"max_num_batched_tokens": engine["max_model_len"]}
    model["runtime_env"]["env_vars"] |= CPU["env"]
    spec["serveConfigV2"] = yaml.safe_dump(serve)
    return made


@pytest.fixture(scope="module")
def release() -> Iterator[OverHosts]:
    """One replica over two hosts; whole."""
    namespace = Namespace("e2e-hosts")
    with gpu_node(PRODUCT):
        namespace.create()
        namespace.secret("hybrid-llm-api-keys", default=secrets.token_hex(16))
        release = OverHosts(namespace, mode="direct")
        release.install(VALUES)
        release.wait_whole()
        yield release
        namespace.delete()


def test_clients_reach_the_first_host_alone(release: OverHosts) -> None:
    (worker,), (host,) = release.pods("worker"), release.hosts()
    assert is_ready(worker) and not is_ready(host)
    slices = release.namespace.kubectl(
        *("get", "endpointslices", "-o", "json"),
        *("-l", f"kubernetes.io/service-name={release.service}"),
    )
    ready = [
        address
        for item in json.loads(slices)["items"]
        for endpoint in item["endpoints"] or []
        if endpoint["conditions"]["ready"]
        for address in endpoint["addresses"]
    ]
    assert ready == [worker["status"]["podIP"]]
    with traffic(release) as fates:
        pass
    assert fates.requests and not fates.trouble(), fates.errors()


def test_the_last_replica_keeps_all_its_hosts(release: OverHosts) -> None:
    assert "disruption budget" in evict(release, release.host())


def test_a_second_cluster_takes_over(release: OverHosts, report: Report) -> None:
    def act(release: Release) -> None:
        before = release.active()
        release.install({"worker": {"podAnnotations": {"changed": "yes"}}})
        wait("the second cluster has taken over", lambda: release.active() != before)

    check(release, Case("pods changed, two hosts a replica", act), report)


def test_the_autoscaler_brings_all_hosts_of_a_second_replica(release: OverHosts) -> None:
    with traffic(release) as fates:
        release.install(
            {"autoscaling": {"targetOngoingRequests": 1, "downscaleDelaySeconds": 3600}}
        )
        release.wait_whole(2)
    assert {request["fate"] for request in fates.requests} == {"answered"}, fates.errors()
    assert len(release.hosts()) == 2


def test_a_drain_of_a_further_host_cuts_no_answer(release: OverHosts) -> None:
    release.install({"podDisruptionBudget": {"minAvailable": 0}})
    release.namespace.kubectl("delete", "pdb", "hybrid-llm-host")  # as Helm would
    gone = release.host()
    with traffic(release) as fates:
        assert '"status":"Success"' in evict(release, gone)
        wait("its pod has gone", lambda: f"pod/{gone}" not in release.namespace.names("pods"))
        release.wait_whole(2)
    assert {request["fate"] for request in fates.requests} == {"answered"}, fates.errors()


def test_a_further_host_that_is_lost_comes_back(release: OverHosts) -> None:
    pod = release.host()
    release.namespace.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
    wait("another has come", lambda: len(release.hosts()) == 2 and release.host() != pod, every=1)
    release.wait_whole(2)
    with traffic(release) as fates:
        pass
    assert fates.requests and not fates.trouble(), fates.errors()
