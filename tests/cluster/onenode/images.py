"""Brings images into the node's containerd, which keeps them between nodes."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from onenode import archive, node, ray_image
from onenode.places import IMPORTED, fail, output, run, say


def ensure(binaries: Path) -> None:
    """Those that the node lacks, or has of other things."""
    for name, program in (
        ("pause:1", "pause"),
        ("coredns:built", "coredns"),
        ("kuberay-operator:built", "ray-operator"),
    ):
        image = archive.Image(
            names=[f"hybrid-llm.local/{name}"],
            # /manager is what the operator's manifest calls.
            files={
                (target := "manager" if program == "ray-operator" else program): binaries / program
            },
            entrypoint=[f"/{target}"],
            user="65532:65532" if program == "ray-operator" else "",
        )
        ensure_one(image.names[0], binaries.name, partial(stream, image))
    ensure_one(ray_image.NAME, ray_image.key(), partial(ray_image.build, stream, ctr))
    _remove_nameless()


def load(path: str) -> None:
    try:
        with open(path, "rb") as file:
            _import(lambda stream: shutil.copyfileobj(file, stream, 1 << 20))
    except FileNotFoundError:
        fail(f"there is no {path}")


def listing() -> str:
    # Each has its configuration's digest as a second name, which only the kubelet asks for.
    lines = output(*ctr("images", "list")).splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("sha256:"))


def tag(old: str, new: str) -> None:
    run(*ctr("images", "tag", "--force", _full(old), _full(new)))


def ctr(*arguments: str) -> list[str]:
    """containerd's own client, in the one of its namespaces that the kubelet uses."""
    return node.inside("ctr", "--namespace", "k8s.io", *arguments)


def _full(name: str) -> str:
    """As Docker's short names are meant, and as the kubelet asks for them."""
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def ensure_one(name: str, key: str, make: Callable[[], None]) -> None:
    record = IMPORTED / (re.sub(r"\W+", "-", name) + ".json")
    wanted = json.loads(record.read_text()) if record.exists() else None
    if wanted == {"name": name, "key": key, "digest": _digest(name)}:
        return
    say(f"making the image {name}")
    make()
    IMPORTED.mkdir(exist_ok=True)
    record.write_text(json.dumps({"name": name, "key": key, "digest": _digest(name)}))


def _remove_nameless() -> None:
    """Those whose name went to a later image keep a digest for a name, and their disk space."""
    have = [line.split() for line in output(*ctr("images", "list")).splitlines()[1:]]
    named = {digest for name, _, digest, *_ in have if not name.startswith("sha256:")}
    if nameless := [name for name, _, digest, *_ in have if digest not in named]:
        output(*ctr("images", "remove", "--sync", *nameless))


def _digest(name: str) -> str | None:
    for line in output(*ctr("images", "list", f"name=={name}")).splitlines()[1:]:
        return line.split()[2]
    return None


def stream(image: archive.Image) -> None:
    _import(lambda stream: archive.write(image, stream))


def _import(write: Callable[..., object]) -> None:
    command = ctr("images", "import", "-")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as importing:
        assert importing.stdin
        try:
            write(importing.stdin)
            importing.stdin.close()
        except BrokenPipeError:
            pass  # its own words come first
        if importing.wait():
            fail("containerd doesn't take the image; what it says is above")
