"""The cluster under test: a namespace, what is in it, and waiting for it."""

import functools
import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kubernetes.client
import kubernetes.config
import kubernetes.stream
import yaml

ROOT = Path(__file__).parents[2]
IMAGE = os.environ.get("E2E_IMAGE", "hybrid-llm/ray-cpu:2.60.0")
OTHER_IMAGE = IMAGE + "-other"  # the same content under another name
PRODUCT = "nvidia.com/gpu.product"  # a node's label
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}

Object = dict[str, Any]


class Failed(AssertionError):
    """A command failed, or what was waited for did not come."""


@functools.cache
def api() -> kubernetes.client.ApiClient:
    """Return a client for the cluster of KUBECONFIG."""
    return kubernetes.config.new_client_from_config()


def core() -> kubernetes.client.CoreV1Api:
    """Return the API of pods, Secrets and nodes."""
    return kubernetes.client.CoreV1Api(api())


def run(*command: str, stdin: str | None = None, check: bool = True, timeout: float = 300) -> str:
    """Run a command and return its standard output; if it may fail, its standard error too.

    Raises:
        Failed: it did not exit with 0, and `check` is set.
    """
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout)
    if check and done.returncode:
        raise Failed(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout if check else done.stdout + done.stderr


def kubectl(*arguments: str, **options: Any) -> str:
    """Run kubectl."""
    return run("kubectl", *arguments, **options)


def helm(*arguments: str, **options: Any) -> str:
    """Run the Helm of requirements/go.txt."""
    return run(str(ROOT / "tools" / "go-tool"), "helm", *arguments, **options)


def capacity(resource: str, number: int | None) -> None:
    """Let the last node say that it has so many of an extended resource; None: that it has none."""
    node = json.loads(kubectl("get", "nodes", "-o", "json"))["items"][-1]["metadata"]["name"]
    said = {resource: None if number is None else str(number)}
    patch = json.dumps({"status": {"capacity": said}})
    kubectl("patch", "node", node, "--subresource=status", "--type=merge", "-p", patch)


@contextmanager
def gpu_node(product: str, resource: str = "", number: int = 0) -> Iterator[str]:
    """Let the last node say that it has NVIDIA GPUs; yield its name.

    Args:
        product: what the GPU operator's label would say of them.
        resource: the name by which pods ask for them; empty: none is counted.
        number: of the resource.
    """
    name = json.loads(kubectl("get", "nodes", "-o", "json"))["items"][-1]["metadata"]["name"]
    kubectl("label", "node", name, f"{PRODUCT}={product}", "--overwrite")
    if resource:
        capacity(resource, number)
    try:
        yield name
    finally:
        if resource:
            capacity(resource, None)
        kubectl("label", "node", name, f"{PRODUCT}-")


def provided(variable: str, what: str) -> None:
    """Run the command that tests/e2e/run has for this kind of cluster.

    Args:
        variable: of the environment; has the command.
        what: which command it is, for whoever has none.
    """
    if not os.environ.get(variable):
        raise Failed(f"this part of tests/e2e needs {variable}, a command that {what}")
    run(*shlex.split(os.environ[variable]), timeout=3000)


def wait(what: str, until: Callable[[], Any], timeout: float = 600, every: float = 2) -> Any:
    """Call `until` until it returns something true, and return that.

    Args:
        what: named when it does not come.
        timeout: seconds. Long, because a busy machine is slow and waiting costs nothing.
        every: seconds between two calls.
    """
    end = time.monotonic() + timeout
    problem: Exception | None = None
    while time.monotonic() < end:
        try:
            if found := until():
                return found
            problem = None
        except (Failed, LookupError, kubernetes.client.ApiException) as error:
            problem = error  # a pod that is just going, an object that is not there yet
        time.sleep(every)
    raise Failed(f"{what}: not after {timeout} s" + (f" ({problem})" if problem else ""))


class Namespace:
    """A namespace that enforces the `restricted` profile."""

    def __init__(self, name: str) -> None:
        self.name = name

    def create(self) -> None:
        """Make it anew."""
        self.delete()
        metadata = {"name": self.name, "labels": RESTRICTED}
        self.apply(yaml.safe_dump({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}))

    def delete(self) -> None:
        """Delete it with all that is in it, and wait."""
        # Services first. Where Redis keeps a head's state, KubeRay cleans up by a Job, which can't
        # be made in a namespace that is being deleted: both would wait for each other for ever.
        limit = "--timeout=300s"
        if f"namespace/{self.name}" in kubectl("get", "namespaces", "-o", "name").split():
            self.kubectl("delete", "rayservices,rayclusters", "--all", limit, timeout=310)
            kubectl("delete", "namespace", self.name, limit, timeout=310)

    def kubectl(self, *arguments: str, **options: Any) -> str:
        """Run kubectl in this namespace."""
        return kubectl("--namespace", self.name, *arguments, **options)

    def apply(self, manifest: str) -> str:
        """Apply a manifest, as `kubectl apply -f` does."""
        return self.kubectl("apply", "-f", "-", stdin=manifest)

    def pods(self, selector: str = "") -> list[Object]:
        """Return the pods that a label selector finds, but for those that are being deleted."""
        listed = core().list_namespaced_pod(self.name, label_selector=selector)
        found: list[Object] = api().sanitize_for_serialization(listed)["items"]
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def rayservice(self, name: str) -> Object:
        """Return a RayService."""
        custom = kubernetes.client.CustomObjectsApi(api())
        found: Object = custom.get_namespaced_custom_object(
            "ray.io", "v1", self.name, "rayservices", name
        )
        return found

    def get(self, kind: str, name: str) -> Object:
        """Return one object of any kind."""
        found: Object = json.loads(self.kubectl("get", kind, name, "-o", "json"))
        return found

    def names(self, kinds: str) -> list[str]:
        """Return kind/name of all objects of these kinds."""
        return self.kubectl("get", kinds, "-o", "name", "--ignore-not-found").split()

    def secret(self, name: str, **entries: str) -> None:
        """Set a Secret to these entries."""
        metadata = {"name": name}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": entries}
        kind = "replace" if f"secret/{name}" in self.names("secrets") else "create"
        self.kubectl(kind, "-f", "-", stdin=yaml.safe_dump(secret))

    def shell(self, pod: str, script: str, container: str = "", timeout: float = 60) -> str:
        """Run a shell script in a pod; return its standard output.

        Raises:
            Failed: it did not exit with 0.
        """
        # A client of its own: `stream` makes every call of its client a web socket.
        own = kubernetes.client.CoreV1Api(kubernetes.config.new_client_from_config())
        options = {"container": container} if container else {}
        try:
            connection = kubernetes.stream.stream(
                own.connect_get_namespaced_pod_exec,
                pod,
                self.name,
                command=["sh", "-c", script],
                stdout=True,
                stderr=True,
                _preload_content=False,
                **options,
            )
        except kubernetes.client.ApiException as problem:
            raise Failed(f"{pod}: {problem.reason}") from None
        connection.run_forever(timeout=timeout)
        written, complaint = connection.read_stdout(), connection.read_stderr()
        if connection.returncode != 0:
            raise Failed(f"{pod}: {script}\n{written}{complaint}")
        return written

    @contextmanager
    def port_forward(self, target: str, port: int) -> Iterator[str]:
        """Forward a free local port to a pod or service; yield the URL."""
        command = ["kubectl", "--namespace", self.name, "port-forward", target, f":{port}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forward:
            try:
                assert forward.stdout
                line = forward.stdout.readline()  # Forwarding from 127.0.0.1:41234 -> 8000
                if "127.0.0.1:" not in line:
                    raise Failed(f"no port-forward to {target}: {line}")
                yield f"http://127.0.0.1:{line.split('127.0.0.1:')[1].split()[0]}"
            finally:
                forward.terminate()
