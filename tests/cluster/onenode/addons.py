"""Brings into the cluster what a node alone lacks: CoreDNS and the KubeRay operator."""

import shutil
import subprocess
import sys
from pathlib import Path

from onenode import node
from onenode.places import HERE, STATE, fail, output, say


def apply(binaries: Path) -> None:
    kubectl = node.kubectl(binaries)
    say("applying CoreDNS and the KubeRay operator")
    # Kustomize takes its bases by relative path: ours beside the operator's own.
    manifests = STATE / "addons"
    shutil.rmtree(manifests, ignore_errors=True)
    shutil.copytree(binaries / "kuberay", manifests)
    shutil.copytree(HERE / "addons/kuberay", manifests / "node")
    # By the server: the client's way keeps a copy in an annotation, too small for these CRDs.
    apply = ("apply", "--server-side", "--force-conflicts")
    output(*kubectl, *apply, "-f", HERE / "addons/coredns.yaml")
    output(*kubectl, *apply, "-k", manifests / "node")
    for namespace, name in (("kube-system", "coredns"), ("kuberay-system", "kuberay-operator")):
        _await(kubectl, name, "--namespace", namespace, "rollout", "status", f"deployment/{name}")


def _await(kubectl: list[str], what: str, *command: str) -> None:
    say(f"waiting for {what}")
    done = subprocess.run(
        [*kubectl, *command, "--timeout=300s"], stdout=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        subprocess.run(
            [*kubectl, "get", "pods,events", "--all-namespaces"], stdout=sys.stderr, check=False
        )
        fail(f"{what} doesn't become ready:\n{node.logs()}")
