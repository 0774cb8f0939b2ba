"""Builds the Go programs of go/, with the versions that go/go.mod says and go/go.sum checks."""

import os
import re
import shutil
from pathlib import Path

from onenode.places import HERE, REPOSITORY, built, fail, key_of, output, say

KUBERAY = "github.com/ray-project/kuberay/ray-operator"
MODULES = HERE / "go"
PARTS = [
    *("etcd", "kubectl", "kubelet", "kube-apiserver", "kube-controller-manager"),
    *("kube-proxy", "kube-scheduler"),
]
SETTINGS = {
    "CGO_ENABLED": "0",  # static: they run in images with nothing else in them
    "GOFLAGS": "-mod=readonly -buildvcs=false -trimpath",
    "GOTOOLCHAIN": os.environ.get("GOTOOLCHAIN") or "auto",
}


def ensure() -> Path:
    """The folder of the programs and, as kuberay/, of the operator's manifests."""
    return built("binaries", key(), _build)


def key() -> str:
    return key_of([HERE / "go", Path(__file__)])


def _build(place: Path) -> None:
    agrees(MODULES, KUBERAY)
    say("building Kubernetes, CoreDNS and the KubeRay operator (10 CPU minutes the first time)")
    stamps = " ".join(_stamps())
    for package, program in (
        ("./kubernetes", "kubernetes"),
        ("./coredns", "coredns"),
        ("./pause", "pause"),
        ("./policies", "policies"),
        (KUBERAY, "ray-operator"),
    ):
        go(MODULES, "build", "-ldflags", stamps, "-o", str(place / program), package)
    for part in PARTS:
        (place / part).symlink_to("kubernetes")
    manifests = Path(version(MODULES, KUBERAY, "{{.Dir}}")) / "config"
    for folder in ("crd", "rbac", "manager"):
        copy(manifests / folder, place / "kuberay" / folder)


def _stamps() -> list[str]:
    """Kubernetes takes its version from what the linker is told; without, it believes to be 0.0."""
    kubernetes = version(MODULES, "k8s.io/kubernetes")
    major, minor = kubernetes.removeprefix("v").split(".")[:2]
    values = {
        **{"gitVersion": kubernetes, "gitMajor": major, "gitMinor": minor, "gitCommit": kubernetes},
        **{"gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z"},
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    stamps = [
        f"-X {package}.{name}={value}" for package in packages for name, value in values.items()
    ]
    return ["-s", "-w", *stamps]


def agrees(folder: Path, module: str) -> None:
    """Fails where requirements/go.txt has another version: what is tested against its CRDs must be
    what runs here."""
    pinned = re.search(rf"{module}@(\S+)", (REPOSITORY / "requirements/go.txt").read_text())
    ours = version(folder, module)
    if not pinned or pinned[1] != ours:
        fail(
            f"{folder.relative_to(REPOSITORY)}/go.mod has {module} {ours}, requirements/go.txt "
            f"{pinned[1] if pinned else 'none'}: make them the same "
            f"(go get {module}@VERSION in that folder)"
        )


def version(folder: Path, module: str, form: str = "{{.Version}}") -> str:
    """What a go.mod has of a module: its version, or what else Go's template asks for."""
    go(folder, "mod", "download", module)
    return go(folder, "list", "-m", "-f", form, module).strip()


def go(folder: Path, *arguments: str) -> str:
    return output("nice", "go", *arguments, environment=SETTINGS, folder=folder)


def copy(source: Path, target: Path) -> None:
    """Copies a module's folder so that it can be written to: the module cache is read-only."""
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for folder in (target, *filter(Path.is_dir, target.rglob("*"))):
        folder.chmod(0o755)
