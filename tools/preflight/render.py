"""Manifests: out of the chart by Helm, or out of a file."""

import subprocess
import sys
from pathlib import Path

import yaml

from . import Object, Stop
from .manifests import objects

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "hybrid-llm"


class _Loader(yaml.CSafeLoader):
    """Reads as Kubernetes does, to which a bare = is a string."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda made, node: node.value)


def rendered(name: str, namespace: str, kube_version: str, arguments: list[str]) -> list[Object]:
    """Return what `helm install NAME` would make.

    Args:
        name: of the release.
        namespace: of the release.
        kube_version: of the cluster, which the chart looks at.
        arguments: of Helm: -f values.yaml, --set key=value ...

    Raises:
        Stop: the chart refuses the values, and says why.
    """
    command = [str(ROOT / "tools" / "go-tool"), "helm", "template", name, str(CHART)]
    command += ["--namespace", namespace, "--kube-version", kube_version, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        noise = ("level=INFO", "go-tool: building", "Use --debug")
        lines = [line for line in done.stderr.splitlines() if not line.startswith(noise)]
        said = "\n".join(lines).strip().removeprefix("Error: ")
        raise Stop(said or f"helm template failed with status {done.returncode}")
    return parsed(done.stdout, "what Helm renders")


def read(path: str) -> list[Object]:
    """Return the manifests of a file; - is standard input.

    Raises:
        Stop: it can't be read.
    """
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except OSError as problem:
        raise Stop(f"--manifests {path}: {problem.strerror}") from None
    return parsed(text, f"--manifests {path}")


def parsed(text: str, source: str) -> list[Object]:
    """Return the objects of a YAML text; those of Lists by themselves."""
    try:
        documents = list(yaml.load_all(text, _Loader))
    except yaml.YAMLError as problem:
        raise Stop(f"{source}: no YAML: {str(problem).splitlines()[0]}") from None
    return objects(documents, source)


def known_kuberay() -> str:
    """Return the versions of the operator that the chart knows, as it says."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    return str(chart["annotations"]["hybrid-llm/kuberay"])
