"""Pods that serve what the suite brings along: a Git server and an OCI registry.

The suite must run where no registry has images of them, so their programs are copied into pods of
its own image.
"""

import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from ..kube import Failed, Namespace, wait
from ..pods import pod


@contextmanager
def served(
    namespace: Namespace, name: str, files: dict[str, Path], command: str, port: int
) -> Iterator[str]:
    """Run a server in the cluster, as Service NAME; yield its URL from here.

    Args:
        namespace: of the pod.
        name: of pod and Service.
        files: what is copied, by its path below /data.
        command: starts the server; it is run in /data.
        port: that the server listens on.
    """
    script = f"until [ -e /data/.copied ]; do sleep 0.2; done; cd /data; exec {command}"
    made = pod(name, ["sh", "-c", script])
    made["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}]
    made["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": port}]},
    }
    namespace.apply(yaml.safe_dump_all([made, service]))
    namespace.kubectl("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=300s")
    _copy(namespace, name, files)
    # A port-forward ends with the first connection that is refused.
    connect = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)"
    asks = f'python -c "{connect}" && echo yes'
    wait(f"{name} listens", lambda: namespace.shell(name, asks), timeout=120)
    with namespace.port_forward(f"service/{name}", port) as url:
        yield url


def _copy(namespace: Namespace, name: str, files: dict[str, Path]) -> None:
    with tempfile.TemporaryFile() as archive:
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for target, source in files.items():
                tar.add(source, target)
        archive.seek(0)
        into = ["kubectl", "--namespace", namespace.name, "exec", "--stdin", name, "--"]
        script = "tar --extract --no-same-owner --directory /data && touch /data/.copied"
        done = subprocess.run([*into, "sh", "-c", script], stdin=archive, capture_output=True)
    if done.returncode:
        raise Failed(f"{name}: {done.stderr.decode()}")
