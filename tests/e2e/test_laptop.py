"""The values for a laptop's cluster, k8s/nano.yaml: two commands, and there is an answer."""

import time

import yaml

from .kube import IMAGE, ROOT, Namespace
from .release import CHART, Release, image_values, merged
from .report import Report

VALUES = ROOT / "k8s" / "nano.yaml"


def test_an_answer_without_a_gpu(report: Report) -> None:
    namespace = Namespace("e2e-laptop")
    namespace.create()
    release = Release(namespace)
    # As docs/install.md has it, but for the image, of which this cluster may have another.
    release.values = merged(yaml.safe_load(VALUES.read_text()), image_values(IMAGE))
    start = time.monotonic()
    image = yaml.safe_dump(image_values(IMAGE))
    release.helm("install", release.name, CHART, "-f", str(VALUES), "-f", "-", stdin=image)
    release.wait_whole()
    took = time.monotonic() - start
    report.time("helm install -f k8s/nano.yaml until the first answer is possible", "direct", took)
    assert "passed" in release.helm("test", release.name, "--logs")
    namespace.delete()
