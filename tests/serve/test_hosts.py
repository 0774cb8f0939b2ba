"""A replica over two hosts, and a notice to the one that Serve takes no notice of."""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import psutil
import pytest
import yaml

import run

from .conftest import CONFIG, MODEL, ROOT, START_S, free_port, in_a_terminal

TOKEN = "of-this-test-" + "0" * 32
NOTICE_S = 120  # that a host has; as long as an answer has to end, as in the chart
HOSTS = [{"CPU": 1, "nano": 0.001}, {"CPU": 1, "nano-hosts": 0.001}]


class Cluster:
    """A Ray of several nodes on this machine, each started as a pod starts it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.gcs, self.dashboard = free_port(), free_port()
        self.nodes: list[subprocess.Popen[str]] = []

    def node(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a node with the arguments of `ray start`; of two at a time one would fail."""
        command = f"""
            .venv/bin/ray start --block --disable-usage-stats --node-ip-address=127.0.0.1
            --min-worker-port=0 --max-worker-port=0 --dashboard-agent-listen-port={free_port()}
            --object-store-memory={10**8}""".split()
        output = self.folder / f"{len(self.nodes)}.log"
        node = in_a_terminal([*command, *arguments], self.environment, output)
        self.nodes.append(node)
        wait(f"a node ({output})", lambda: "runtime started" in output.read_text())
        return node

    def head(self) -> None:
        """Start the head, where no replica runs."""
        self.node(
            "--head",
            f"--port={self.gcs}",
            f"--dashboard-port={self.dashboard}",
            f"--ray-client-server-port={free_port()}",
            f"--temp-dir={self.folder}/ray",
            "--num-cpus=0",
        )

    def worker(self, group: str, cpus: int) -> subprocess.Popen[str]:
        """Start a pod of a worker group."""
        resources = json.dumps({group: 1})
        address = f"--address=127.0.0.1:{self.gcs}"
        return self.node(address, f"--num-cpus={cpus}", f"--resources={resources}")

    def deploy(self, config: dict[str, Any]) -> bool:
        """Give Serve its config, as KubeRay does; tell whether the head takes it by now."""
        url = f"http://127.0.0.1:{self.dashboard}/api/serve/applications/"
        headers = {"authorization": f"Bearer {TOKEN}"}
        return httpx.put(url, json=config, headers=headers, timeout=60).is_success

    def end(self) -> None:
        """End all of its processes."""
        alive = [psutil.Process(node.pid) for node in self.nodes if node.poll() is None]
        alive += [child for node in alive for child in node.children(recursive=True)]
        for process in alive:
            process.kill()
        psutil.wait_procs(alive, timeout=10)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Yield a cluster with a head."""
    with tempfile.TemporaryDirectory(prefix="hosts-", dir="/tmp", ignore_cleanup_errors=True) as at:
        environment = {
            **run.ENVIRONMENT,
            **run.DIRECT,
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1",  # several nodes; they ask for the token
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": TOKEN,
            "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": str(NOTICE_S),
            "RAY_raylet_start_wait_time_s": str(START_S),
            "HYBRID_LLM_AUTH": "off",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)]),
            **run.haproxy({"applications": []}, at),
        }
        cluster = Cluster(Path(at), environment)
        try:
            cluster.head()
            yield cluster
        finally:
            cluster.end()


def over_two_hosts(port: int) -> dict[str, Any]:
    """Return the Serve config of a replica over two hosts."""
    config = yaml.safe_load((ROOT / CONFIG).read_text())
    (application,) = config["applications"]
    (model,) = application["args"]["llm_configs"]
    model["deployment_config"].pop("ray_actor_options")
    model["placement_group_config"] = {"bundles": HOSTS, "strategy": "PACK"}
    model["callback_config"] = {"callback_class": "rank.WithRank"}
    application["deployments"][0]["graceful_shutdown_timeout_s"] = NOTICE_S
    options = {"host": "127.0.0.1", "port": port}
    return {**config, "http_options": options, "proxy_location": "HeadOnly"}


def wait(what: str, condition: Callable[[], Any]) -> Any:
    """Wait until a condition holds, and return it; a connection that fails is none yet."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        try:
            if found := condition():
                return found
        except (httpx.TransportError, openai.OpenAIError):
            pass
        time.sleep(0.5)
    pytest.fail(f"not in time: {what}")


def answer(client: openai.OpenAI) -> str:
    """Stream an answer of some seconds; return why it ended, or what broke it off."""
    ended = "no end"
    try:
        stream = client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "What is 347 * 86?"}],
            max_tokens=500,
            extra_body={"min_tokens": 500},
            stream=True,
        )
        for chunk in stream:
            ended = chunk.choices[0].finish_reason or ended
    except (httpx.HTTPError, openai.OpenAIError) as failure:
        return f"{ended}: {failure!r}"
    return ended


@pytest.mark.nightly
def test_answers_end_and_another_replica_comes_when_a_further_host_has_a_notice(cluster: Cluster):
    port = free_port()
    client = openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0)

    def created() -> int:
        """Return when the replica that answers began to serve."""
        return client.with_options(timeout=5).models.list().data[0].created

    wait("the head", lambda: cluster.deploy(over_two_hosts(port)))
    first_host = cluster.worker("nano", 2)
    second_host = cluster.worker("nano-hosts", 1)
    first = wait("a replica", created)
    cluster.worker("nano-hosts", 1)  # as KubeRay makes one, though not before it is needed

    answers: list[str] = []
    enough = threading.Event()

    def ask() -> None:
        while not enough.is_set():
            answers.append(answer(client))

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    wait("answers", lambda: len(answers) > 1)
    second_host.send_signal(signal.SIGTERM)
    wait("another replica", lambda: created() != first)
    wait("the end of the host that goes", lambda: second_host.poll() is not None)
    enough.set()
    for thread in asking:
        thread.join()
    assert set(answers) == {"length"}
    assert first_host.poll() is None  # its pod stays
