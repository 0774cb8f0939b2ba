"""`make validate`: what a GitOps pipeline would apply, checked without a cluster.

Every kustomization of k8s/gitops is built, and each HelmRelease in it rendered with the values that
it names; beside them the examples of k8s/*, each with its values.yaml. All objects are checked
against Kubernetes' schemas and those of their CRDs. Nothing is listed here: what has a
kustomization.yaml or a values.yaml is found.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

import schemas
from schemas import ROOT, go_tool

GITOPS = ROOT / "k8s" / "gitops"
KUSTOMIZATION = "kustomization.yaml"
Object = dict[str, Any]


class Broken(Exception):
    """Something does not build or render; what the tool says of it."""


def main() -> int:
    """Check everything, say what is wrong with each, and return how many have something wrong."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        schemas.write(Path(folder))
        for name, made in everything():
            found = problems(Path(folder), made)
            print(f"{name}: {'; '.join(found) or 'ok'}")
            wrong += bool(found)
    return wrong


def everything() -> Iterator[tuple[Path, Iterator[Object]]]:
    """Yield what there is to check: its name, and its objects when they are asked for."""
    files = [ROOT / "k8s" / "rayservice.yaml", *sorted((GITOPS / "argocd").glob("*.yaml"))]
    for path in files:
        yield path.relative_to(ROOT), documents(path.read_text())
    for folder in overlays():
        yield folder.relative_to(ROOT), overlay(folder)
    for values in sorted((ROOT / "k8s").glob("*/values.yaml")):
        yield values.parent.relative_to(ROOT), example(values)


def problems(folder: Path, made: Iterator[Object]) -> list[str]:
    """Return what is wrong with objects, by the schemas in a folder, or with making them."""
    try:
        return schemas.problems(folder, list(made))
    except Broken as problem:
        return [str(problem)]


def overlays() -> list[Path]:
    """Return the folders of kustomizations that are no part of others."""
    folders = {
        path.parent: yaml.safe_load(path.read_text()) for path in GITOPS.rglob(KUSTOMIZATION)
    }
    parts = {
        (folder / part).resolve()
        for folder, what in folders.items()
        for part in what.get("resources", [])
    }
    return sorted(
        f for f, what in folders.items() if f not in parts and what["kind"] != "Component"
    )


def overlay(folder: Path) -> Iterator[Object]:
    """Yield the objects that a kustomization makes, and those that its HelmReleases will make."""
    built = list(documents(run("kustomize", "build", str(folder))))
    for item in built:
        item.pop("sops", None)  # gone when it is decrypted
    yield from built
    maps = [item for item in built if item["kind"] == "ConfigMap"]
    values = {item["metadata"]["name"]: item["data"] for item in maps}
    for item in built:
        if item["kind"] == "HelmRelease":
            yield from release(item, values)


def example(values: Path) -> Iterator[Object]:
    """Yield the objects of an example: those beside its values, and those that these render."""
    for path in sorted(values.parent.glob("*.yaml")):
        if path != values:
            yield from documents(path.read_text())
    options = ["--kube-version", schemas.KUBERNETES, "--values", str(values)]
    yield from documents(run("helm", "template", "hybrid-llm", str(chart("hybrid-llm")), *options))


def release(item: Object, values: dict[str, dict[str, str]]) -> Iterator[Object]:
    """Yield what a HelmRelease renders, its chart taken from here."""
    spec, metadata = item["spec"], item["metadata"]
    texts = []
    for source in spec.get("valuesFrom", []):
        data = values.get(source["name"])
        if data is None:
            raise Broken(f"{metadata['name']}: no ConfigMap {source['name']} in this overlay")
        texts.append(data[source.get("valuesKey", "values.yaml")])
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, text in enumerate([*texts, yaml.safe_dump(spec.get("values", {}))]):
            file = Path(folder) / f"{number}.yaml"
            file.write_text(text)
            files += ["--values", str(file)]
        name, namespace = metadata["name"], metadata["namespace"]
        options = ["--namespace", namespace, "--kube-version", schemas.KUBERNETES]
        yield from documents(run("helm", "template", name, str(chart(name)), *options, *files))


def chart(release: str) -> Path:
    """Return the folder of a release's chart: ours, or KubeRay's out of its Go module."""
    if release == "hybrid-llm":
        return ROOT / "charts" / "hybrid-llm"
    module = go_tool("--module", "kuberay-charts", check=True).stdout.strip()
    return Path(module) / "helm-chart" / release


def documents(text: str) -> Iterator[Object]:
    """Yield the objects of a YAML text."""
    yield from (item for item in yaml.load_all(text, yaml.CSafeLoader) if item)


def run(*command: str) -> str:
    """Run a tool of requirements/go.txt and return what it prints."""
    done = go_tool(*command)
    if done.returncode:
        raise Broken(f"{command[0]}: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
