"""The cgroups below which the kubelet makes those of its pods."""

import time
from pathlib import Path

from onenode.places import fail

NAME = "hybrid-llm-e2e"  # as cgroupRoot in config/kubelet.yaml


def make() -> None:
    for hierarchy, unified in _hierarchies():
        ours = hierarchy / NAME
        ours.mkdir(exist_ok=True)
        # An empty set of CPUs, which a new cgroup v1 has, takes no process.
        for name in ("cpuset.cpus", "cpuset.mems"):
            if not unified and (ours / name).exists():
                (ours / name).write_text((hierarchy / name).read_text())
        # In v2 each level decides what the next may limit.
        if unified:
            wanted = {"cpuset", "cpu", "io", "memory", "hugetlb", "pids"}
            for folder in (hierarchy, ours):
                have = wanted & set((folder / "cgroup.controllers").read_text().split())
                for controller in have - set(
                    (folder / "cgroup.subtree_control").read_text().split()
                ):
                    (folder / "cgroup.subtree_control").write_text(f"+{controller}")


def remove() -> None:
    """Only empty ones can be removed, and a killed process stays in its own for a moment."""
    end = time.monotonic() + 30
    for hierarchy, _ in _hierarchies():
        while (hierarchy / NAME).is_dir():
            try:
                _remove(hierarchy / NAME)
            except OSError as error:
                if time.monotonic() > end:
                    fail(f"{hierarchy / NAME} can't be removed: {error}")
                time.sleep(0.2)


def _remove(cgroup: Path) -> None:
    for below in cgroup.iterdir():
        if below.is_dir():
            _remove(below)
    cgroup.rmdir()


def _hierarchies() -> list[tuple[Path, bool]]:
    """Each mounted one, and whether it is of v2: there is one of v2, several of v1, or both."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    found = {
        Path(mount[1]): mount[2] == "cgroup2" for mount in mounts if mount[2].startswith("cgroup")
    }
    # Two names for one hierarchy, such as cpu and cpu,cpuacct, are links and no mounts.
    return sorted(found.items())
