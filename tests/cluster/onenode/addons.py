"""Brings into the cluster what a node alone lacks: CoreDNS and the KubeRay operator."""

import shutil
import subprocess
import sys
from pathlib import Path

from onenode import node
from onenode.places import HERE, STATE, fail, output, say

# By the server: the client's way keeps a copy in an annotation, too small for these CRDs.
APPLY = ("apply", "--server-side", "--force-conflicts")


def apply(binaries: Path) -> None:
    kubectl = node.kubectl(binaries)
    say("applying CoreDNS and the KubeRay operator")
    output(*kubectl, *APPLY, "-f", HERE / "addons/coredns.yaml")
    apply_one(binaries, "kuberay", binaries / "kuberay")
    await_deployments(binaries, "kube-system", "coredns")
    await_deployments(binaries, "kuberay-system", "kuberay-operator")


def apply_one(binaries: Path, name: str, manifests: Path) -> None:
    """Applies addons/NAME, which takes what lies in `manifests` as its bases."""
    # Kustomize takes its bases by relative path: ours beside theirs.
    folder = STATE / "addons" / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(manifests, folder)
    shutil.copytree(HERE / "addons" / name, folder / "node")
    output(*node.kubectl(binaries), *APPLY, "-k", folder / "node")


def await_deployments(binaries: Path, namespace: str, *names: str) -> None:
    kubectl = node.kubectl(binaries)
    for name in names:
        say(f"waiting for {name}")
        status = ("--namespace", namespace, "rollout", "status", f"deployment/{name}")
        done = subprocess.run(
            [*kubectl, *status, "--timeout=300s"], stdout=subprocess.DEVNULL, check=False
        )
        if done.returncode:
            subprocess.run(
                [*kubectl, "get", "pods,events", "--all-namespaces"], stdout=sys.stderr, check=False
            )
            fail(f"{name} doesn't become ready:\n{node.logs()}")
