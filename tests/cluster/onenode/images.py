"""Makes the node's images and brings them into its containerd, which keeps them between nodes."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from onenode import archive, node
from onenode.places import HERE, IMPORTED, REPOSITORY, built, fail, key_of, output, run, say

RAY = re.search(r"^ray==(\S+)", (REPOSITORY / "requirements/cpu.txt").read_text(), re.M)
RAY_IMAGE = (
    f"docker.io/hybrid-llm/ray-cpu:{RAY[1]}" if RAY else fail("requirements/cpu.txt: no ray")
)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


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
        _ensure(image.names[0], binaries.name, partial(_stream, image))
    files = [HERE / "image", Path(__file__), HERE / "onenode/archive.py"]
    files += [REPOSITORY / "requirements/cpu.txt", *_model_files()]
    key = key_of(files)
    _ensure(RAY_IMAGE, key, partial(_make_ray, key))


def load(path: str) -> None:
    with open(path, "rb") as file:
        _import(lambda stream: shutil.copyfileobj(file, stream, 1 << 20))


def listing() -> str:
    return output(*ctr("images", "list"))


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


def _ensure(name: str, key: str, make: Callable[[], None]) -> None:
    record = IMPORTED / f"{key_of([], name)}.json"
    wanted = json.loads(record.read_text()) if record.exists() else None
    if wanted == {"name": name, "key": key, "digest": _digest(name)}:
        return
    say(f"making the image {name}")
    make()
    IMPORTED.mkdir(exist_ok=True)
    record.write_text(json.dumps({"name": name, "key": key, "digest": _digest(name)}))


def _digest(name: str) -> str | None:
    for line in output(*ctr("images", "list", f"name=={name}")).splitlines()[1:]:
        return line.split()[2]
    return None


def _stream(image: archive.Image) -> None:
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


def _make_ray(key: str) -> None:
    root = built("ray", key, _root_of_ray)
    say("importing it")
    image = archive.Image(
        names=[RAY_IMAGE, f"{RAY_IMAGE}-other"],
        files={"": root},
        environment={"PATH": f"/opt/ray/bin:{PATH}", "HOME": "/home/ray", "LANG": "C.UTF-8"},
        user="1000:100",
        folder="/home/ray",
    )
    _stream(image)
    # From here on the unpacked layer is the one copy: 7 GB each would be the tar in containerd's
    # store, which only a push needs, and the folder.
    run(*ctr("content", "prune", "references"))
    shutil.rmtree(root)


def _root_of_ray(place: Path) -> None:
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
        *(HERE / "image/rootfs.sh", place, uv, cache, _mirror()),
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


def _model_files() -> list[Path]:
    folder = REPOSITORY / "models/nano"
    return [*folder.glob("*config.json"), *folder.glob("model.*"), *folder.glob("*token*.json")] + [
        folder / "chat_template.jinja"
    ]
