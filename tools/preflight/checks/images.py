"""The image: the nodes have its architecture, and can get it."""

from collections.abc import Iterator

from ..cluster import Cluster
from ..finding import Finding, ok, warning
from ..fit import kinds_of, nodes_of
from ..release import Release
from ..scheduling.standing import reason


def check(release: Release, cluster: Cluster) -> Iterator[Finding]:
    """Look at the nodes that may hold each group of pods."""
    nodes = nodes_of(release, cluster)
    said: set[str] = set()
    kinds = kinds_of(release, cluster, release.groups)
    for kind in kinds:
        may = [node for node in nodes if not reason(node, kind.pod, kind.volumes)]
        for container in kind.pod["spec"]["containers"]:
            image = container["image"]
            other = {node.labels.get("kubernetes.io/arch", "amd64") for node in may} - {"amd64"}
            if (
                other
                and "aarch64" not in image
                and "arm64" not in image
                and f"a{image}" not in said
            ):
                said.add(f"a{image}")
                yield warning(
                    f"pods of {kind.name} may come to nodes of {', '.join(sorted(other))}; "
                    f"{image} is "
                    "for x86-64 if its tag says nothing else",
                    "on the wrong node it does not start (exec format error)",
                    "head.nodeSelector and accelerator.nodeSelector: kubernetes.io/arch: amd64",
                )
            have = [n.name for n in may if has(n.raw.get("status") or {}, image)]
            never = container.get("imagePullPolicy") == "Never"
            bare = (
                "/" not in image
                or "." not in image.split("/")[0]
                and ":" not in image.split("/")[0]
            )
            local = never or (bare and container.get("imagePullPolicy") == "IfNotPresent")
            if f"p{image}" in said or not may:
                continue
            said.add(f"p{image}")
            if len(have) == len(may):
                yield ok(f"every node that may hold {kind.name} has {image}")
            elif local:
                yield warning(
                    f"{len(may) - len(have)} of {len(may)} nodes that may hold {kind.name} "
                    f"don't say that they have {image}",
                    "where it is not there already, "
                    + (
                        "it is never pulled"
                        if never
                        else "it is pulled from Docker Hub, for it names no registry"
                    ),
                    "load it into the nodes, or set image.registry",
                )
            else:
                yield ok(
                    f"{image} is pulled on {len(may) - len(have)} of {len(may)} nodes (not tried)"
                )


def has(status: dict[str, object], image: str) -> bool:
    """Return whether a node says that it has an image; it lists its largest fifty."""
    names = [name for one in status.get("images") or [] for name in one.get("names") or []]  # type: ignore[attr-defined]
    return any(
        name in (image, f"docker.io/{image}", f"docker.io/library/{image}") for name in names
    )
