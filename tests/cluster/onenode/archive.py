"""Writes a container image with one layer as a stream, in the format of `docker save`.

An image is no more than a tar of files (the layer) and a few lines of JSON that say what to run.
This format names the layer freely, where OCI's names it by its digest; so the layer needs to be
neither stored nor read twice: only its size comes before it, and that follows from the file sizes.
"""

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

BLOCK = tarfile.BLOCKSIZE
EMPTIED = {"proc", "sys", "dev"}  # whoever runs the image mounts these


@dataclass(frozen=True)
class Image:
    names: list[str]
    files: dict[str, Path]  # by path in the image, without the leading slash; "" is the root itself
    entrypoint: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    user: str = ""
    folder: str = ""


def write(image: Image, stream: BinaryIO) -> None:
    entries = list(_entries(image.files))
    size = sum(len(header) + _padded(info.size) for info, _, header in entries) + 2 * BLOCK
    stream.write(_header("layer.tar", size))
    layer = _Hashing(stream)
    for info, source, header in entries:
        layer.write(header)
        if info.size:
            with source.open("rb") as file:
                shutil.copyfileobj(file, layer, 1 << 20)
            layer.write(bytes(_padded(info.size) - info.size))
    layer.write(bytes(2 * BLOCK))
    stream.write(bytes(_padded(size) - size))

    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Entrypoint": image.entrypoint or None,
            "Env": [f"{name}={value}" for name, value in image.environment.items()],
            "User": image.user,
            "WorkingDir": image.folder,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest.hexdigest()}"]},
        "history": [{"created_by": "tests/cluster"}],
    }
    manifest = [{"Config": "config.json", "RepoTags": image.names, "Layers": ["layer.tar"]}]
    for name, content in (("config.json", config), ("manifest.json", manifest)):
        text = json.dumps(content).encode()
        stream.write(_header(name, len(text)) + text + bytes(_padded(len(text)) - len(text)))
    stream.write(bytes(2 * BLOCK))


def _entries(files: dict[str, Path]) -> Iterator[tuple[tarfile.TarInfo, Path, bytes]]:
    # Never written to; it remembers the files with several names, of which it makes hard links.
    with tarfile.open(fileobj=io.BytesIO(), mode="w") as names:
        for target, source in files.items():
            for path in _below(source):
                name = (
                    os.path.join(target, os.path.relpath(path, source))
                    if path != source
                    else target
                )
                if not name or (name.split("/")[0] in EMPTIED and "/" in name):
                    continue
                info = names.gettarinfo(str(path), arcname=name)
                if info is None:  # a socket
                    continue
                info.uname = info.gname = ""
                # Whole seconds, as in bytecode files, which are valid for a source of that time.
                info.mtime = int(info.mtime)
                yield info, path, info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _below(source: Path) -> Iterator[Path]:
    yield source
    if source.is_dir() and not source.is_symlink():
        for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
            yield from _below(Path(entry.path))


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.PAX_FORMAT)


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


class _Hashing(io.RawIOBase):
    """Passes on what is written, and hashes it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.digest.update(data)
        return self.stream.write(data)
