"""Brings Flux into the cluster, for those tests alone that change a cluster by a commit."""

from functools import partial
from pathlib import Path

from onenode import addons, archive, binaries, images
from onenode.places import HERE, REPOSITORY, built, key_of, output, say

CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller")
MODULES = HERE / "flux"


def add(programs: Path) -> None:
    """Builds the controllers where they are not cached, and waits until they are up."""
    made = built("flux", key_of([MODULES, Path(__file__)]), _build)
    for controller in CONTROLLERS:
        image = archive.Image(
            names=[f"hybrid-llm.local/{controller}:built"],
            files={controller: made / controller},
            entrypoint=[f"/{controller}"],
            user="65534:65534",
        )
        images.ensure_one(image.names[0], made.name, partial(images.stream, image))
    say("applying Flux")
    addons.apply_one(programs, "flux", made / "manifests")
    addons.await_deployments(programs, "flux-system", *CONTROLLERS)


def _build(place: Path) -> None:
    say("building Flux's controllers (15 CPU minutes the first time)")
    for controller in CONTROLLERS:
        module = f"github.com/fluxcd/{controller}"
        binaries.agrees(MODULES, module)
        target = str(place / controller)
        binaries.go(MODULES, "build", "-ldflags", "-s -w", "-o", target, module)
        config = Path(binaries.version(MODULES, module, "{{.Dir}}")) / "config"
        for folder in ("crd", "manager"):
            binaries.copy(config / folder, place / "manifests" / controller / folder)
    flux = output(REPOSITORY / "tools/go-tool", "--module", "flux2").strip()
    binaries.copy(Path(flux) / "manifests/rbac", place / "manifests/rbac")
