"""Builds the Go programs of go/, with the versions that go/go.mod says and go/go.sum checks."""

import os
import re
import shutil
from pathlib import Path

from onenode.places import HERE, REPOSITORY, built, fail, key_of, output, say

KUBERAY = "github.com/ray-project/kuberay/ray-operator"
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
    _check_operator()
    say("building Kubernetes, CoreDNS and the KubeRay operator (10 CPU minutes the first time)")
    stamps = " ".join(_stamps())
    for package, program in (
        ("./kubernetes", "kubernetes"),
        ("./coredns", "coredns"),
        ("./pause", "pause"),
        ("./policies", "policies"),
        (KUBERAY, "ray-operator"),
    ):
        _go("build", "-ldflags", stamps, "-o", str(place / program), package)
    for part in PARTS:
        (place / part).symlink_to("kubernetes")
    # The module cache is read-only, and so would be the copy.
    manifests = Path(_version(KUBERAY, "{{.Dir}}")) / "config"
    for folder in ("crd", "rbac", "manager"):
        shutil.copytree(
            manifests / folder, place / "kuberay" / folder, copy_function=shutil.copyfile
        )
        (place / "kuberay" / folder).chmod(0o755)


def _stamps() -> list[str]:
    """Kubernetes takes its version from what the linker is told; without, it believes to be 0.0."""
    version = _version("k8s.io/kubernetes")
    major, minor = version.removeprefix("v").split(".")[:2]
    values = {
        **{"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitCommit": version},
        **{"gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z"},
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    stamps = [
        f"-X {package}.{name}={value}" for package in packages for name, value in values.items()
    ]
    return ["-s", "-w", *stamps]


def _check_operator() -> None:
    """The chart is tested against the CRDs of requirements/go.txt: it must be this operator's."""
    pinned = re.search(rf"{KUBERAY}@(\S+)", (REPOSITORY / "requirements/go.txt").read_text())
    ours = _version(KUBERAY)
    if not pinned or pinned[1] != ours:
        fail(
            f"tests/cluster/go/go.mod has the KubeRay operator {ours}, requirements/go.txt "
            f"{pinned[1] if pinned else 'none'}: make them the same "
            f"(go get {KUBERAY}@VERSION in tests/cluster/go)"
        )


def _version(module: str, form: str = "{{.Version}}") -> str:
    _go("mod", "download", module)
    return _go("list", "-m", "-f", form, module).strip()


def _go(*arguments: str) -> str:
    return output("nice", "go", *arguments, environment=SETTINGS, folder=HERE / "go")
