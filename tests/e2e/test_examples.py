"""The examples of k8s/, shown to an API server that knows their kinds and their CRDs' rules."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import schemas

from .kube import ROOT, Namespace, helm, kubectl
from .release import CHART

EXAMPLES = sorted(path.parent.name for path in (ROOT / "k8s").glob("*/values.yaml"))


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> Iterator[str]:
    """An example's folder, and a cluster that has its kinds."""
    module = schemas.go_tool("--module", request.param, check=True).stdout.strip()
    crds = str(Path(module, schemas.CRDS[request.param]).parent)
    kubectl("create", "-f", crds)
    kubectl("wait", "--for=condition=Established", "-f", crds, "--timeout=60s")
    yield request.param
    kubectl("delete", "-f", crds, timeout=600)


def test_the_api_server_takes_it(example: str) -> None:
    folder = ROOT / "k8s" / example
    namespace = Namespace("llm")  # as the example has it
    namespace.create()
    values = str(folder / "values.yaml")
    options = ("--namespace", namespace.name, "--values", values)
    rendered = helm("template", "hybrid-llm", CHART, *options)
    said = ""
    for path in sorted(folder.glob("*.yaml")):
        if str(path) != values:
            said += kubectl("apply", "--dry-run=server", "-f", str(path))
    said += namespace.kubectl("apply", "--dry-run=server", "-f", "-", stdin=rendered)
    objects = [item for item in yaml.safe_load_all(rendered) if item]
    assert said.count("created (server dry run)") > len(objects)
    namespace.delete()
