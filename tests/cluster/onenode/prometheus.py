"""Brings the Prometheus operator and kube-state-metrics into the cluster, for tests of alerts."""

import re
import shutil
from functools import partial
from pathlib import Path

from onenode import addons, archive, binaries, images
from onenode.places import HERE, REPOSITORY, built, key_of, output, say

MODULES = HERE / "prometheus"
OPERATOR = "github.com/prometheus-operator/prometheus-operator"
STATE_METRICS = "k8s.io/kube-state-metrics/v2"
PROGRAMS = {  # name of the image: package
    "prometheus-operator": f"{OPERATOR}/cmd/operator",
    "prometheus-config-reloader": f"{OPERATOR}/cmd/prometheus-config-reloader",
    "kube-state-metrics": STATE_METRICS,
}


def add(programs: Path) -> None:
    """Builds them where they are not cached, and waits until they are up. Prometheus itself is only
    made ready: the operator starts one for each object of its kind."""
    made = built("prometheus", key_of([MODULES, Path(__file__)]), _build)
    files = {name: made / name for name in PROGRAMS}
    for name, program in files.items():
        _ensure(f"{name}:built", name, program, made.name)
    prometheus = Path(output(REPOSITORY / "tools/go-tool", "--path", "prometheus").strip())
    release = _release()
    _ensure(f"prometheus:{release}", "prometheus", prometheus, release)
    say("applying the Prometheus operator and kube-state-metrics")
    addons.apply_one(programs, "prometheus", made / "manifests")
    addons.await_deployments(programs, "monitoring", "prometheus-operator", "kube-state-metrics")


def _ensure(name: str, program: str, file: Path, key: str) -> None:
    image = archive.Image(
        names=[f"hybrid-llm.local/{name}"],
        files={f"bin/{program}": file},  # where the operator calls them
        entrypoint=[f"/bin/{program}"],
        user="65534:65534",
    )
    images.ensure_one(image.names[0], key, partial(images.stream, image))


def _release() -> str:
    """Prometheus's version, which is the image's tag, of its Go module's: v3.16.0 of v0.316.0."""
    pins = (REPOSITORY / "requirements/go.txt").read_text()
    found = re.search(r"^prometheus .*@v0\.(\d+)(\d\d)\.(\d+)", pins, re.MULTILINE)
    assert found
    return f"v{found[1]}.{int(found[2])}.{found[3]}"


def _build(place: Path) -> None:
    say("building the Prometheus operator and kube-state-metrics (5 CPU minutes the first time)")
    for module in (OPERATOR, STATE_METRICS):
        binaries.agrees(MODULES, module)
    for name, package in PROGRAMS.items():
        binaries.go(MODULES, "build", "-ldflags", "-s -w", "-o", str(place / name), package)
    operator = Path(binaries.version(MODULES, OPERATOR, "{{.Dir}}"))
    (place / "manifests/operator").mkdir(parents=True)
    for file in ("bundle.yaml", "kustomization.yaml"):
        shutil.copyfile(operator / file, place / "manifests/operator" / file)
    metrics = Path(binaries.version(MODULES, STATE_METRICS, "{{.Dir}}"))
    binaries.copy(metrics / "examples/standard", place / "manifests/kube-state-metrics")
