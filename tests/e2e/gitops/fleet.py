"""A release that is changed by commits alone: Flux carries them into the cluster."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import yaml

from ..kube import ROOT, Failed, Namespace, Object, helm, run, wait
from ..release import CHART, Release, merged

ENVIRONMENT = Path(__file__).with_name("environment")
FLUX = Namespace("flux-system")
GATEWAY = Namespace("gateway")
HOST = "llm.test.example.com"  # which clients ask, through the Gateway
# What Flux itself is given: the repository, and the folder of the environment in it.
ENTRY = """
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec:
  interval: 2s
  url: http://git.fleet.svc.cluster.local.:8000/
  ref: {branch: main}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec:
  interval: 1m
  retryInterval: 5s
  timeout: 2m
  path: ./k8s/gitops/flux/test
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
"""


class Repository:
    """A clone of the fleet's repository: k8s/gitops as it is, and one more environment, `test`."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        gitops = folder / "k8s" / "gitops"
        shutil.copytree(ROOT / "k8s" / "gitops", gitops)
        shutil.copytree(ENVIRONMENT, gitops, dirs_exist_ok=True)
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("remote", "add", "origin", url)

    def write(self, path: str, text: str) -> None:
        """Write a file of k8s/gitops."""
        file = self.folder / "k8s" / "gitops" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def commit(self, message: str) -> str:
        """Commit all that is written, push it, and return the commit's name."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self._push()

    def revert(self) -> str:
        """Take the last commit back by a commit, push it, and return its name."""
        self.git("revert", "--no-edit", "HEAD")
        return self._push()

    def _push(self) -> str:
        self.git("push", "--quiet", "origin", "main")
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str) -> str:
        """Run git in the clone, as nobody in particular."""
        who = ["-c", "user.name=suite", "-c", "user.email=suite@example.com"]
        return run("git", "-C", str(self.folder), *who, *arguments)


class Registry:
    """The registry that Flux has charts from, and the key that they are signed with."""

    def __init__(self, address: str, folder: Path) -> None:
        """Args:
        address: host and port, from here.
        folder: for keys and packages.
        """
        self.address, self.folder = address, folder
        self.cosign("generate-key-pair", "--output-key-prefix", str(folder / "cosign"))

    def push(self, chart: str, version: str, signed: bool = True) -> None:
        """Package a chart, push it and sign it."""
        at = ["--version", version, "--destination", str(self.folder)]
        helm("package", chart, *at)
        (package,) = self.folder.glob("*.tgz")
        said = helm(
            "push", str(package), f"oci://{self.address}/charts", "--plain-http", check=False
        )
        name = package.name.removesuffix(f"-{version}.tgz")
        package.unlink()
        found = re.search(r"sha256:[0-9a-f]{64}", said)
        if not found:
            raise Failed(f"helm push: {said}")
        if signed:
            options = ["--key", str(self.folder / "cosign.key"), "--yes"]
            options += ["--tlog-upload=false", "--allow-http-registry"]
            self.cosign("sign", *options, f"{self.address}/charts/{name}@{found[0]}")

    def cosign(self, *arguments: str) -> None:
        """Run cosign; its keys have no password."""
        tool = [str(ROOT / "tools" / "go-tool"), "cosign", *arguments]
        environment = os.environ | {"COSIGN_PASSWORD": ""}
        done = subprocess.run(tool, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"cosign {arguments[0]}: {done.stderr}")


class Fleet(Release):
    """The release of environment `test`. A change of it is a commit."""

    def __init__(self, repository: Repository, registry: Registry) -> None:
        super().__init__(Namespace("hybrid-llm"), mode="by commit")
        self.repository, self.registry = repository, registry
        self.values = merged(self.values, {"httpRoute": {"hostnames": [HOST]}})
        self.version, self._pushed = "0.1.0", CHART
        registry.push(CHART, self.version)

    def install(self, change: Object | None = None) -> str:
        """Commit the values with `change` in them, and the chart if it is another one."""
        self.values = merged(self.values, change or {})
        if self.chart != self._pushed:
            self.version, self._pushed = next_version(self.version), self.chart
            self.registry.push(self.chart, self.version)
        return self.commit(self.values, self.version)

    def commit(self, values: Object, version: str) -> str:
        """Commit values and a chart's version; those of the next `install` stay what they are."""
        self.repository.write("hybrid-llm/test/values.yaml", yaml.safe_dump(values))
        change = [{"op": "add", "path": "/spec/ref", "value": {"tag": version}}]
        self.repository.write("hybrid-llm/test/version.yaml", yaml.safe_dump(change))
        return self.repository.commit(f"hybrid-llm {version}")

    def wait_applied(self, commit: str) -> None:
        """Wait until Flux says that the release is as the commit has it, and ready."""

        def applied() -> bool:
            stage = FLUX.get("kustomization", "hybrid-llm")["status"]
            release = self.namespace.get("helmrelease", self.name)
            newest = release["metadata"]["generation"] == release["status"]["observedGeneration"]
            done = commit in stage["lastAppliedRevision"] and newest
            return done and ready(release["status"])["status"] == "True"

        wait(f"Flux has applied {commit}", applied)

    def wait_refused(self, kind: str, says: str, timeout: float = 600) -> str:
        """Wait until one of Flux's objects is not ready and says why; return its message.

        Args:
            kind: `helmrelease` or `ocirepository`.
            says: what the message must contain.
            timeout: seconds.
        """

        def message() -> str:
            condition = ready(self.namespace.get(kind, self.name)["status"])
            said: str = condition["message"]
            return said if condition["status"] == "False" and says in said else ""

        found: str = wait(f"the {kind} says: {says}", message, timeout)
        return found


def ready(status: Object) -> Object:
    """Return the condition Ready of one of Flux's objects, where an operator looks first."""
    found: Object = next(c for c in status["conditions"] if c["type"] == "Ready")
    return found


def next_version(version: str) -> str:
    """Return the next patch version."""
    head, _, last = version.rpartition(".")
    return f"{head}.{int(last) + 1}"
