"""Makes the image that Ray's pods run, of the packages that requirements/cpu.txt locks."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from onenode import archive
from onenode.places import HERE, REPOSITORY, built, fail, key_of, output, run, say

LOCKED = REPOSITORY / "requirements/cpu.txt"
SCRIPT = HERE / "image/rootfs.sh"
_ray = re.search(r"^ray==(\S+)", LOCKED.read_text(), re.M)
NAME = f"docker.io/hybrid-llm/ray-cpu:{_ray[1]}" if _ray else fail(f"{LOCKED} has no ray")


def key() -> str:
    nano = REPOSITORY / "models/nano"
    model = [
        nano / name
        for name in re.findall(r"[\w.]+\.(?:jinja|json|safetensors)", SCRIPT.read_text())
    ]
    return key_of([LOCKED, SCRIPT, Path(__file__), *model])


def build(stream: Callable[[archive.Image], None], ctr: Callable[..., list[str]]) -> None:
    root = built("ray", key(), _fill)
    say("importing it")
    stream(
        archive.Image(
            # The second is for tests of a change of image: KubeRay then makes a new cluster.
            names=[NAME, f"{NAME}-other"],
            files={"": root},
            environment={
                "PATH": "/opt/ray/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": "/home/ray",
                "LANG": "C.UTF-8",
            },
            user="1000:100",
            folder="/home/ray",
        )
    )
    # From here on the unpacked layer is the one copy: the tar in containerd's store, which only a
    # push needs, and the folder would be 7 GB more each.
    run(*ctr("content", "prune", "references"))
    shutil.rmtree(root)


def _fill(place: Path) -> None:
    # uv as tools/uv finds it: a wrapper, maybe, of the program that is copied into the chroot.
    uv = output(REPOSITORY / "tools/uv", "run", "--no-project", "sh", "-c", 'echo "$UV"').strip()
    cache = Path(output(REPOSITORY / "tools/uv", "cache", "dir").strip())
    cache.mkdir(parents=True, exist_ok=True)
    run(
        *(
            "nice",
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "--pid",
            "--fork",
            "--kill-child",
        ),
        *(SCRIPT, place, uv, cache, _mirror()),
    )


def _mirror() -> str:
    """Debian's mirror that this machine's apt uses, where it is a Debian."""
    if os.environ.get("DEBIAN_MIRROR"):
        return os.environ["DEBIAN_MIRROR"]
    if shutil.which("apt-get"):
        form = ("--format", "$(REPO_URI) $(LABEL)", "Created-By: Packages")
        for line in output("apt-get", "indextargets", *form).splitlines():
            address, _, label = line.partition(" ")
            if label == "Debian":
                return address
    return "http://deb.debian.org/debian"
