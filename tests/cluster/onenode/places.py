"""Where everything is, how a built thing is keyed by what makes it, and how commands are run."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent.parent
REPOSITORY = HERE.parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hybrid-llm/cluster"
STATE = CACHE / "state"  # of the running cluster: `down` removes it
CONTAINERD = CACHE / "containerd"  # images, unpacked
IMPORTED = CACHE / "images"  # what was imported, by name: the key and the digest


def say(text: str) -> None:
    print(f"cluster: {text}", file=sys.stderr, flush=True)


def fail(text: str) -> NoReturn:
    sys.exit(f"cluster: {text}")


def run(
    *command: str | Path, environment: dict[str, str] | None = None, folder: Path | None = None
) -> None:
    """Runs it with its output on stderr: stdout is for the one line that `up` answers."""
    print(output(*command, environment=environment, folder=folder), end="", file=sys.stderr)


def output(
    *command: str | Path, environment: dict[str, str] | None = None, folder: Path | None = None
) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, **(environment or {})},
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout, end="", file=sys.stderr)
        fail(f"failed with status {done.returncode}: {' '.join(map(str, command))}")
    return done.stdout


def key_of(paths: Iterable[Path], *more: str) -> str:
    """Says in 16 digits what the files and texts are; a folder counts with all below it."""
    digest = hashlib.sha256()
    for path in paths:
        below = path.rglob("*") if path.is_dir() else [path]
        for file in sorted(each for each in below if each.is_file()):
            digest.update(f"{file.relative_to(REPOSITORY)}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    for text in more:
        digest.update(f"{text}\0".encode())
    return digest.hexdigest()[:16]


def built(name: str, key: str, build: Callable[[Path], None]) -> Path:
    """The folder NAME-KEY of the cache, which `build` fills the first time; those of other keys
    are removed. Built beside its place and moved: what looks whole is whole."""
    place = CACHE / f"{name}-{key}"
    if not place.is_dir():
        unfinished = CACHE / f"{name}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        build(unfinished)
        unfinished.rename(place)
    for other in CACHE.iterdir():
        if other != place and re.fullmatch(rf"{name}-[0-9a-f]{{16}}", other.name):
            shutil.rmtree(other)
    return place
