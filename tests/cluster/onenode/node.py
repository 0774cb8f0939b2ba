"""Starts and ends the node: the namespaces in which node/init.sh starts the parts of Kubernetes."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from onenode import cgroups
from onenode.places import CONTAINERD, HERE, STATE, fail, key_of, run, say

ADDRESS = "10.0.0.2"  # in a network that nothing else is in
RECORD = STATE / "node.json"
KUBECONFIG = STATE / "kubeconfig"
LOGS = STATE / "logs"


def running() -> dict[str, Any] | None:
    """What was noted of the node, if it runs. A process's number may have become another's: the
    namespace that it is in is asked too."""
    try:
        node: dict[str, Any] = json.loads(RECORD.read_text())
        return node if os.readlink(f"/proc/{node['pid']}/ns/pid") == node["namespace"] else None
    except (OSError, ValueError):
        return None


def needed() -> dict[str, Any]:
    return running() or fail("the node isn't up: tests/cluster/cluster up")


def start(binaries: Path) -> None:
    key = key_of([HERE / "node", HERE / "config"], binaries.name)
    if node := running():
        if node["key"] != key:
            fail(
                "the node that runs was made from other files: tests/cluster/cluster down, then up"
            )
        return
    forget()
    say("starting the node")
    pki = STATE / "pki"
    for folder in (pki, LOGS, STATE / "kubelet", CONTAINERD):
        folder.mkdir(parents=True, exist_ok=True)
    run(HERE / "node/pki.sh", pki, ADDRESS)
    cgroups.make()
    # Open before the node is, so that the port is surely ours; forward.py tells how it crosses.
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    with (LOGS / "node.log").open("w") as log:
        unshare = subprocess.Popen(
            [
                *("unshare", "--mount", "--propagation", "private", "--net", "--ipc", "--uts"),
                *("--pid", "--fork", "--kill-child", "--mount-proc"),
                *(HERE / "node/init.sh", binaries, STATE, CONTAINERD, HERE / "config", ADDRESS),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    pid = _child(unshare)
    node = {"pid": pid, "namespace": os.readlink(f"/proc/{pid}/ns/pid"), "key": key}
    RECORD.write_text(json.dumps(node))
    with (LOGS / "forward.log").open("w") as log:
        subprocess.Popen(
            [
                *("nsenter", "--target", str(pid), "--net", "--pid"),
                *(sys.executable, HERE / "onenode/forward.py", str(listener.fileno()), "6443"),
            ],
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    listener.close()
    admin = (pki / "admin.conf").read_text().replace("127.0.0.1:6443", f"127.0.0.1:{port}")
    KUBECONFIG.touch(mode=0o600)
    KUBECONFIG.write_text(admin)


def await_server(binaries: Path) -> None:
    """By then containerd is up as well: see node/init.sh."""
    end = time.monotonic() + 180
    ask = (*kubectl(binaries), "get", "--raw", "/readyz", "--request-timeout=2s")
    while subprocess.run(ask, capture_output=True, check=False).returncode:
        if not running() or time.monotonic() > end:
            fail(f"the API server doesn't become ready:\n{logs()}")
        time.sleep(0.3)


def stop() -> None:
    """Ends process 1, with which the kernel ends all others of the namespace."""
    if node := running():
        say("ending the node")
        os.kill(node["pid"], signal.SIGKILL)
        end = time.monotonic() + 60
        while running():
            if time.monotonic() > end:
                fail(f"process {node['pid']} doesn't end")
            time.sleep(0.1)
    forget()


def forget() -> None:
    """Removes what a node leaves: mounts and networks went with its namespaces."""
    cgroups.remove()
    shutil.rmtree(STATE, ignore_errors=True)
    if STATE.exists():
        fail(f"{STATE} can't be removed")


def kubectl(binaries: Path) -> list[str]:
    """On the host; its cache is the cluster's too."""
    files = ("--kubeconfig", str(KUBECONFIG), "--cache-dir", str(STATE / "kubectl"))
    return [str(binaries / "kubectl"), *files]


def inside(*command: str) -> list[str]:
    """The command, made to run in the node."""
    return [
        *("nsenter", "--target", str(needed()["pid"])),
        *("--mount", "--uts", "--ipc", "--net", "--pid"),
        *("env", f"PATH=/run/node/binaries:{os.environ['PATH']}"),
        *("KUBECONFIG=/run/node/state/pki/admin.conf", "KUBECACHEDIR=/run/kubectl", *command),
    ]


def logs() -> str:
    """The ends of the logs, for when something failed."""
    lines = []
    for log in sorted(LOGS.glob("*.log")):
        if tail := log.read_text(errors="replace").splitlines()[-5:]:
            lines += [f"--- {log}", *tail]
    return "\n".join(lines)


def _child(unshare: subprocess.Popen[bytes]) -> int:
    """Unshare's child is the node's process 1; it is there in a moment."""
    children = Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children")
    for _ in range(100):
        if unshare.poll() is not None:
            fail(f"the node ended at once:\n{logs()}")
        if child := children.read_text().split():
            return int(child[0])
        time.sleep(0.05)
    fail("unshare starts no child")
