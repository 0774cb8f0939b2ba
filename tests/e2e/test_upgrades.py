"""`helm upgrade` from any values to any others meets no field that the API server keeps as it is.

The namespace takes no pods, for it is the objects that count here.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from .kube import Namespace, Object, helm
from .release import CHART, merged

NO_PODS = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "no-pods"},
    "spec": {"hard": {"pods": "0"}},
}
SHAPES = {path.stem: yaml.safe_load(path.read_text()) for path in Path(CHART).glob("ci/*.yaml")}
DOWNLOAD: Object = {"weights": {"cache": {"enabled": True, "download": True}}}
# Each changes the pod of the Job that downloads.
OF_THE_JOB: dict[str, Object] = {
    "token": {"huggingFace": {"existingSecret": "x"}},
    "policy": {"image": {"pullPolicy": "Always"}},
    "pull secret": {"image": {"pullSecrets": [{"name": "pull"}]}},
    "service account": {"serviceAccount": {"create": False, "name": "other"}},
    "user": {"podSecurityContext": {"runAsUser": 2000}},
    "claim": {"weights": {"cache": {"existingClaim": "other"}}},
    "labels": {"commonLabels": {"team": "a"}},
    "proxy": {"env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}]},
}


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    space = Namespace("e2e-upgrades")
    space.create()
    space.apply(yaml.safe_dump(NO_PODS))
    yield space
    space.delete()


def upgrade(namespace: Namespace, values: Object, *options: str, chart: str = CHART) -> None:
    """Install the release, or upgrade it to these values alone."""
    release = ("upgrade", "--install", "hybrid-llm", chart, "--namespace", namespace.name)
    helm(*release, "--values", "-", *options, stdin=yaml.safe_dump(values))


def walk(namespace: Namespace, sets: dict[str, Object]) -> None:
    """Upgrade from each of these values to each of the others."""
    names = list(sets)
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            upgrade(namespace, sets[one])
            upgrade(namespace, sets[other])
        upgrade(namespace, sets[one])


def test_from_each_of_the_ci_values_to_each(namespace: Namespace) -> None:
    assert len(SHAPES) > 5
    walk(namespace, SHAPES)


def test_the_download_may_change_in_all_that_its_pod_has(namespace: Namespace) -> None:
    walk(namespace, {name: merged(DOWNLOAD, change) for name, change in OF_THE_JOB.items()})
    (job,) = namespace.names("jobs")  # those before are gone
    assert job.startswith("job.batch/hybrid-llm-download-")


def test_values_that_came_with_the_new_version_have_their_defaults(
    namespace: Namespace, tmp_path: Path
) -> None:
    old = tmp_path / "hybrid-llm"
    shutil.copytree(CHART, old)
    (old / "values.yaml").write_text("{}")  # a version that had none of today's values
    upgrade(namespace, SHAPES["qwen3-4b-l4"], chart=str(old))
    upgrade(namespace, {}, "--reuse-values")
    service = namespace.rayservice("hybrid-llm")
    assert "qwen3-4b" in service["spec"]["serveConfigV2"].lower()
